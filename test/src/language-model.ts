import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine, joinPath, KernelSegmentOpener, type SegmentOpener } from '@hotpath/engine'
import { loadWasm } from '@hotpath/kernels'
import {
  compareEntries,
  componentsOf,
  type Entry,
  matchesNaively,
  naiveContext,
  parseQuery,
  relevanceTerms,
  SORT_COLUMNS,
} from '@hotpath/query'
import { type QueryVocabulary, type Random, randomOf, randomQueries } from '@hotpath/query/testing'
import { ROOT, runSequence, type StoreDriver } from '@hotpath/store/testing'
import { expect } from 'vitest'

/** Of each comparison; a sequence is compared some thirty times. */
const QUERIES = 3
/** Of a sequence, when all is said. */
const LAST_QUERIES = 10
const NOW_MS = Date.UTC(2026, 5, 15, 12)
/** One memory for the segments of all sequences. */
const kernels = new KernelSegmentOpener(loadWasm())

/**
 * Runs random sequences of the store with an engine that follows, and compares its answers to random queries of the whole
 * language with those of the naive matcher over the tree: some hundred queries a sequence.
 */
export async function runFollowedSequences(firstSeed: number, sequences: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hotpath-language-'))
  let asked = 0
  try {
    for (let seed = firstSeed; seed < firstSeed + sequences; seed++) {
      const follower = new Follower(folder, seed)
      try {
        await runSequence(seed, {
          opened: driver => follower.open(driver),
          compared: driver => follower.ask(driver, QUERIES),
        })
        if (follower.last) follower.ask(follower.last, LAST_QUERIES)
      } catch (error) {
        throw new Error(`SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
      } finally {
        follower.close()
      }
      asked += follower.asked
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  expect(asked).toBeGreaterThan(sequences * 50)
}

/** A query worker of the store that a sequence drives. */
class Follower {
  asked = 0
  last: StoreDriver | undefined
  private engine: Engine | undefined
  private readonly random: Random
  private readonly components = new Map<string, readonly Uint8Array[]>()

  constructor(
    private readonly folder: string,
    private readonly seed: number,
  ) {
    this.random = randomOf(seed)
  }

  open(driver: StoreDriver): void {
    this.close()
    this.last = driver
    const reader = driver.store.registerReader()
    const engine = new Engine(
      this.opener(driver),
      segment => reader.confirmDropped(segment),
      (_view, _segment, error) => {
        throw error
      },
    )
    engine.apply(driver.store.snapshotOps())
    driver.store.onOps(ops => {
      if (this.engine === engine) engine.apply(ops)
    })
    this.engine = engine
  }

  close(): void {
    this.engine?.close()
    this.engine = undefined
  }

  /** Compares answers with those of the naive matcher and order. */
  ask(driver: StoreDriver, queries: number): void {
    const { engine, random } = this
    if (engine === undefined) throw new Error('there is no engine')
    const entries = [...driver.tree.entries()].map(([path, row]): Entry => {
      return { ...row, components: this.componentsOf(path), volume: 'v', root: ROOT.id }
    })
    const context = naiveContext(entries)
    const vocabulary: QueryVocabulary = {
      paths: entries.map(({ components }) => pathOf(components)),
      sizes: entries.map(({ size }) => size).filter(size => !Number.isNaN(size)),
      seconds: entries.map(({ modified }) => modified?.seconds ?? 0),
      volumes: ['v'],
    }
    const next = randomQueries(random.below(2 ** 31), vocabulary)
    for (let i = 0; i < queries; i++) {
      const text = next()
      const match = random.pick(['name', 'path', 'auto'] as const)
      const caseMode = random.pick(['ignore', 'smart', 'match'] as const)
      const query = parseQuery(text, { now: NOW_MS, match, caseMode })
      const sort = { column: random.pick(SORT_COLUMNS), descending: random.chance(0.5) }
      const found = engine.search({ text, limit: 10_000, offset: 0, sort, match, caseMode, nowMs: NOW_MS })
      const why = () => JSON.stringify({ seed: this.seed, text, match, caseMode, sort })
      if (query.kind !== 'query' || 'kind' in found) {
        // Names like `a.` make texts that are none.
        expect('kind' in found, why()).toBe(query.kind !== 'query')
        continue
      }
      const terms = relevanceTerms(query.predicate)
      const expected = entries
        .filter(entry => matchesNaively(query.predicate, entry, context))
        .sort((a, b) => compareEntries(sort, terms, a, b))
        .slice(0, query.maxCount)
        .map(({ components }) => pathOf(components))
      const paths = found.hits.map(hit =>
        Buffer.from(joinPath(hit.view.childPrefixOf(hit.parentId), hit.name)).toString(),
      )
      // Compared here first: the runner's way costs far more, and there are some hundred queries a sequence.
      if (found.total !== expected.length || !isSame(paths, expected)) {
        expect({ total: found.total, paths }, why()).toEqual({ total: expected.length, paths: expected })
      }
      this.asked++
    }
  }

  /** Components of a path of the tree. Most paths stay from one comparison to the next. */
  private componentsOf(path: string): readonly Uint8Array[] {
    let components = this.components.get(path)
    if (components === undefined) {
      components = componentsOf(new Uint8Array(Buffer.from(path, 'latin1')))
      this.components.set(path, components)
    }
    return components
  }

  /** Segments of the modelled file system, as files that can be mapped. */
  private opener(driver: StoreDriver): SegmentOpener {
    const { fs } = driver
    let files = 0
    return {
      open: file => {
        const path = join(this.folder, `${files++}.seg`)
        writeFileSync(path, fs.peek(file))
        const opened = kernels.open(path)
        unlinkSync(path)
        return opened
      },
    }
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((path, i) => b[i] === path)
}

/** Text of each path, which is asked for at each comparison. */
const texts = new WeakMap<readonly Uint8Array[], string>()

function pathOf(components: readonly Uint8Array[]): string {
  let text = texts.get(components)
  if (text === undefined) {
    text = components.map(component => Buffer.from(component).toString()).join('/')
    texts.set(components, text)
  }
  return text
}
