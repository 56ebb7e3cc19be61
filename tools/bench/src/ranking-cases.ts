import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Engine, KernelSegmentOpener } from '@hotpath/engine'
import { ListWriter } from '@hotpath/file-list'
import { loadWasm } from '@hotpath/kernels'
import { InvalidInputError, Kind } from '@hotpath/model'
import { buildEngineIndex } from './engine-index.js'

/** What a person types, and what he wants first. */
export interface RankingCase {
  readonly query: string
  readonly wanted: string
  /** What is hard about it. */
  readonly kind: string
}

export interface RankingTree {
  readonly name: string
  readonly files: readonly { readonly path: string; readonly day: string }[]
  readonly cases: readonly RankingCase[]
}

/** Reads `fixtures/ranking-cases.txt`, which says how it is written. */
export function readRankingCases(file = new URL('../fixtures/ranking-cases.txt', import.meta.url)): RankingTree[] {
  const trees: { name: string; files: { path: string; day: string }[]; cases: RankingCase[] }[] = []
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    const tree = /^tree (.+)$/.exec(line)
    const entry = /^(\d{4}-\d{2}-\d{2}) (\/.+)$/.exec(line)
    const example = /^(.+) => (\/.+) \[(.+)\]$/.exec(line)
    const last = trees.at(-1)
    if (tree) trees.push({ name: tree[1]!, files: [], cases: [] })
    else if (entry && last) last.files.push({ day: entry[1]!, path: entry[2]! })
    else if (example && last) last.cases.push({ query: example[1]!, wanted: example[2]!, kind: example[3]! })
    else throw new InvalidInputError('ranking cases', 'a tree, a file or a case', `line ${index + 1}: ${line}`)
  }
  return trees
}

/** Paths of the files and of all directories above them but the root. */
export function pathsOf({ files }: RankingTree): { path: string; kind: Kind; day: string }[] {
  const entries = new Map<string, { path: string; kind: Kind; day: string }>()
  for (const { path, day } of files) {
    for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) {
      const directory = path.slice(0, at)
      if ((entries.get(directory)?.day ?? '') < day)
        entries.set(directory, { path: directory, kind: Kind.directory, day })
    }
    entries.set(path, { path, kind: Kind.file, day })
  }
  return [...entries.values()]
}

/** Where each wanted entry stands among the first `limit` hits: from 1 on, 0 if it is not there. */
export async function rankInEngine(tree: RankingTree, folder: string, limit: number): Promise<number[]> {
  mkdirSync(folder, { recursive: true })
  const list = join(folder, 'list.efu')
  const writer = new ListWriter({ format: 'efu' })
  for (const { path, kind, day } of pathsOf(tree)) {
    const seconds = Date.parse(`${day}T12:00:00Z`) / 1000
    writer.add({ path: Buffer.from(path), kind, size: Number.NaN, modified: { seconds, ticks: 0 } })
  }
  writeFileSync(list, writer.take())
  const { store } = await buildEngineIndex(list, join(folder, 'index'))
  const failed = (_view: number, _segment: number, error: Error): never => {
    throw error
  }
  const engine = new Engine(new KernelSegmentOpener(loadWasm()), () => {}, failed)
  try {
    engine.apply(store.snapshotOps())
    return tree.cases.map(({ query, wanted }) => {
      const result = engine.search({
        text: query,
        limit,
        offset: 0,
        sort: { column: 'hot', descending: false },
        match: 'auto',
        fuzzy: true,
        nowMs: Date.now(),
      })
      if ('kind' in result) throw new InvalidInputError('query', 'a query', `${query}: ${result.message}`)
      const paths = result.hits.map(hit => hit.components.map(part => Buffer.from(part).toString()).join('/'))
      return paths.indexOf(wanted) + 1
    })
  } finally {
    engine.close()
    await store.close()
  }
}

export interface Successes {
  readonly cases: number
  /** The wanted entry was first, and among the first five. */
  readonly atOne: number
  readonly atFive: number
}

/** @param places of each case, from 1 on; 0: not found */
export function successesOf(places: readonly number[]): Successes {
  const upTo = (last: number): number => places.filter(place => place >= 1 && place <= last).length
  return { cases: places.length, atOne: upTo(1), atFive: upTo(5) }
}
