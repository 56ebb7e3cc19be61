import { lstatSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { type EntryColumns, Kind } from '@hotpath/model'
import { birthOf } from '../node-ref.js'
import type { ScanBatch } from '../walk/packed-batch.js'

/** One entry, as comparable text: path (latin1), kind, size, times in ticks, ref. */
export interface WalkedEntry {
  readonly path: string
  readonly kind: number
  readonly size: number
  readonly modified: string
  readonly changed: string
  readonly created: string
  readonly ref: string
}

/** What a plain walk with readdir and lstat finds at and below `root` (an absolute path); `enter` says which directories it goes into. */
export function plainWalk(root: string, enter: (path: Buffer) => boolean = () => true): WalkedEntry[] {
  const found: WalkedEntry[] = []
  const visit = (path: Buffer, name: string) => {
    const stats = lstatSync(path, { bigint: true })
    const kind = stats.isDirectory()
      ? Kind.directory
      : stats.isFile()
        ? Kind.file
        : stats.isSymbolicLink()
          ? Kind.symlink
          : Kind.other
    const ticks = (nanoseconds: bigint) => String((nanoseconds - (((nanoseconds % 100n) + 100n) % 100n)) / 100n)
    const second = stats.birthtimeNs / 1_000_000_000n
    found.push({
      path: name,
      kind,
      size: kind === Kind.directory ? 0 : Number(stats.size),
      modified: ticks(stats.mtimeNs),
      changed: ticks(stats.ctimeNs),
      created: ticks(stats.birthtimeNs),
      ref: `${stats.ino}:${birthOf(Number(second), Number((stats.birthtimeNs % 1_000_000_000n) / 100n), 0)}`,
    })
    if (kind !== Kind.directory || !enter(path)) return
    for (const child of readdirSync(path, { encoding: 'buffer' }))
      visit(Buffer.concat([path, Buffer.from('/'), child]), `${name}/${child.toString('latin1')}`)
  }
  visit(Buffer.from(root), Buffer.from(basename(root)).toString('latin1'))
  return sorted(found)
}

/** Reads batches as the store does, and fails where they break the promises of ScanBatch. */
export class BatchReader {
  readonly #paths = new Map<number, string>()
  readonly #listed = new Map<number, number>()
  readonly #entries: WalkedEntry[] = []
  readonly #parentsOfRows = new Set<number>()

  add(batch: ScanBatch): void {
    const { entries } = batch
    for (let i = 0; i < batch.listedDirectory.length; i++) {
      const directory = batch.listedDirectory[i]!
      if (this.#listed.has(directory)) throw new Error(`directory ${directory} was listed twice`)
      if (this.#parentsOfRows.has(directory)) throw new Error(`directory ${directory} was listed after its first child`)
      this.#listed.set(directory, batch.listedObserved[i]!)
    }
    for (let row = 0; row < entries.count; row++) this.#addRow(entries, row)
    for (const directory of batch.listedDirectory)
      if (!this.#paths.has(directory)) throw new Error(`directory ${directory} was listed before its row`)
  }

  #addRow(entries: EntryColumns, row: number): void {
    const parent = entries.parent[row]!
    const name = Buffer.from(entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!)).toString(
      'latin1',
    )
    let path = name
    if (parent !== 0) {
      const above = this.#paths.get(parent)
      if (above === undefined) throw new Error(`${name} came before the row of its directory ${parent}`)
      if (!this.#listed.has(parent)) throw new Error(`${name} came before the listing of its directory ${parent}`)
      this.#parentsOfRows.add(parent)
      path = `${above}/${name}`
    }
    const directory = entries.directory[row]!
    const kind = entries.kind[row]!
    if ((directory !== 0) !== (kind === Kind.directory)) throw new Error(`${path}: number ${directory}, kind ${kind}`)
    if (directory !== 0) {
      if (this.#paths.has(directory)) throw new Error(`number ${directory} was given twice`)
      this.#paths.set(directory, path)
    }
    const ref = entries.ref!
    const time = (column: { seconds: Float64Array; ticks: Uint32Array } | undefined) =>
      column === undefined || Number.isNaN(column.seconds[row]!)
        ? ''
        : String(BigInt(column.seconds[row]!) * 10_000_000n + BigInt(column.ticks[row]!))
    this.#entries.push({
      path,
      kind,
      size: entries.size[row]!,
      modified: time(entries.modified as never),
      changed: time(entries.changed as never),
      created: time(entries.created as never),
      ref: `${(BigInt(ref.high[row]!) << 32n) | BigInt(ref.low[row]!)}:${ref.birth[row]}`,
    })
  }

  get entries(): WalkedEntry[] {
    return sorted(this.#entries)
  }

  get paths(): string[] {
    return this.entries.map(({ path }) => path)
  }

  /** Times of the listings, by path. */
  listings(): Map<string, number> {
    return new Map([...this.#listed].map(([directory, observed]) => [this.#paths.get(directory)!, observed]))
  }
}

function sorted(entries: WalkedEntry[]): WalkedEntry[] {
  return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}
