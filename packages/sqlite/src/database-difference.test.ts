import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { DatabaseDifference, type DatabaseState } from './database-difference.js'
import { parseDatabaseHeader, type TextEncoding } from './database-header.js'
import { PageOwners } from './page-owners.js'
import { overlaid, type PageSource } from './page-source.js'
import { tableRows } from './table-scan.js'
import type { TableShape } from './table-shape.js'
import { bytesIn, pagesIn, StrictPages } from './testing/memory-pages.js'
import { type SeenState, type WriterSettings, writeRandomly } from './testing/random-writer.js'
import { Replica } from './testing/replica.js'
import { parseWalHeader } from './wal-header.js'
import { WalPages } from './wal-pages.js'
import { type WalCommit, WalReader } from './wal-reader.js'

const SOAK = process.env.SOAK === '1'
const FIRST_SEED = Number(process.env.SEED ?? 1)
const RUNS = SOAK ? 60 : process.env.SEED === undefined ? 6 : 1

let directory = ''
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function settingsOf(seed: number): WriterSettings {
  return {
    seed,
    pageSize: [512, 1024, 4096, 65_536][seed % 4]!,
    encoding: (['UTF-8', 'UTF-16le', 'UTF-16be'] as const)[seed % 3]!,
    autoVacuum: Math.floor(seed / 2) % 3,
    secureDelete: Math.floor(seed / 3) % 2,
    rows: [0, 5, 60][Math.floor(seed / 2) % 3]!,
    commits: SOAK ? 60 : 25,
  }
}

/** A follower as it is meant: a shadow of the pages that have owners, a replica of the rows. */
class Follower {
  readonly replica = new Replica()
  readonly shadow: StrictPages
  owners: PageOwners
  state: DatabaseState

  constructor(source: PageSource, encoding: TextEncoding, tables: readonly TableShape[]) {
    this.shadow = new StrictPages(source.pageSize, source.usableSize)
    this.owners = PageOwners.of(source, tables)
    for (const no of this.owners.pages()) this.shadow.pages.set(no, source.page(no))
    this.state = { source: this.shadow.source(source.pageCount), encoding, tables }
    for (const shape of tables) {
      this.replica.reshape([{ name: shape.name, columns: shape.columns.map(column => column.name) }])
      for (const { key, values } of tableRows(this.state.source, shape, encoding))
        this.replica.apply({ table: shape.name, operation: 'insert', key, new: values })
    }
  }

  /** @param source has all pages of the new state */
  take(source: PageSource, tables: readonly TableShape[], pages: Iterable<number>): number {
    const changed = [...pages]
    const after: DatabaseState = { ...this.state, source, tables }
    // One that is given up after its first change leaves nothing behind.
    new DatabaseDifference(this.state, after, this.owners, changed).changes().next()
    const difference = new DatabaseDifference(this.state, after, this.owners, changed)
    this.replica.reshape(difference.tables)
    let count = 0
    for (const change of difference.changes()) {
      this.replica.apply(change)
      count++
    }
    for (const no of difference.settle()) this.shadow.pages.set(no, source.page(no))
    this.state = { ...after, source: this.shadow.source(source.pageCount) }
    return count
  }

  /** Pages with owners that are not what `source` has. */
  differing(source: PageSource): number[] {
    return [...this.owners.pages()].filter(
      no => no > source.pageCount || Buffer.compare(this.shadow.pages.get(no)!, source.page(no)) !== 0,
    )
  }

  ownersText(): string {
    return ownersText(this.owners)
  }
}

function ownersText(owners: PageOwners): string {
  return [...owners.pages()]
    .map(no => `${no}: ${owners.tableOf(no)} ${owners.roleOf(no)} ${owners.parentOf(no)}`)
    .join('\n')
}

/** Follows a random run commit by commit, and beside it by comparing states that lie several commits apart. */
function follow(settings: WriterSettings): void {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-difference-'))
  const states = writeRandomly(directory, settings)
  const start = states.next().value as SeenState
  const file = join(directory, 'data.db')
  const bytes = readFileSync(file)
  const header = parseDatabaseHeader({ file, bytes, offset: 0 })
  const base = pagesIn(file, bytes, header.pageSize, header.usableSize)
  const shapes = (state: SeenState): TableShape[] => state.tables.map(({ shape }) => shape)
  const each = new Follower(base, header.encoding, shapes(start))
  const some = new Follower(base, header.encoding, shapes(start))
  expect(each.replica.difference(start.tables)).toBe('')
  const log = bytesIn(`${file}-wal`)
  const logHeader = parseWalHeader({ file: log.file, bytes: readFileSync(log.file), offset: 0 })
  const reader = new WalReader(log, logHeader)
  let source = base
  let changes = 0
  let number = 0
  for (const state of states) {
    const where = `seed ${settings.seed}, commit ${++number}: ${state.what}`
    try {
      for (let found = reader.next(state.frame); found.kind === 'commit'; found = reader.next(state.frame)) {
        source = overlaid(source, cached(new WalPages(log, logHeader, found.frames), found), found.pageCount)
        changes += each.take(source, shapes(state), found.frames.pages())
      }
      expect(reader.position.frame).toBe(state.frame)
      expect(each.replica.difference(state.tables)).toBe('')
      if (number % 5 !== 0) continue
      expect(each.ownersText()).toBe(ownersText(PageOwners.of(source, shapes(state))))
      some.take(source, shapes(state), some.differing(source))
      expect(some.replica.difference(state.tables)).toBe('')
      expect(some.ownersText()).toBe(each.ownersText())
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error })
    }
  }
  expect(changes).toBeGreaterThan(settings.commits)
}

/** Pages read once: states of a run lie over each other. */
function cached(pages: WalPages, { frames }: WalCommit) {
  const read = new Map<number, Uint8Array>()
  for (const no of frames.pages()) read.set(no, pages.get(no)!)
  return read
}

describe('DatabaseDifference', () => {
  it.each(Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index))(
    'makes a replica equal to what SQL sees after each random commit (seed %i)',
    seed => follow(settingsOf(seed)),
  )
})
