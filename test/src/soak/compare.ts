import { lstatSync, readdirSync } from 'node:fs'
import type { Client } from '@hotpath/client'

/** One entry: its path (one character for each byte) and what must be the same on both sides. */
interface Row {
  readonly path: string
  readonly facts: string
}

export interface Comparison {
  readonly entries: number
  /** Paths about which index and disk differ, with both opinions. */
  readonly differences: readonly { readonly path: string; readonly index?: string; readonly disk?: string }[]
}

const PAGE_ROWS = 50_000
/** Rows are added up in so many sums by their path; only what is in sums that differ is held and compared row by row. */
const SUMS = 4_096

/** Compares path, kind, size and time of modification (to 100 ns) of all that the index holds with a walk of `root`. */
export async function compareWithDisk(client: Client, root: string, clock: string): Promise<Comparison> {
  const ofIndex = new Sums()
  for await (const row of indexed(client, clock)) ofIndex.add(row)
  const ofDisk = new Sums()
  for (const row of walked(root)) ofDisk.add(row)
  const differing = ofIndex.differing(ofDisk)
  if (differing.size === 0) return { entries: ofIndex.rows, differences: [] }
  const isOf = ({ path }: Row) => differing.has(hash(path, 0) % SUMS)
  const index = new Map<string, string>()
  for await (const row of indexed(client, clock)) if (isOf(row)) index.set(row.path, row.facts)
  const disk = new Map<string, string>()
  for (const row of walked(root)) if (isOf(row)) disk.set(row.path, row.facts)
  const differences = [...new Set([...index.keys(), ...disk.keys()])]
    .filter(path => index.get(path) !== disk.get(path))
    .map(path => ({ path, index: index.get(path) ?? 'not there', disk: disk.get(path) ?? 'not there' }))
  // A path that the index holds twice is in its sums alone.
  if (differences.length === 0) throw new Error(`the sums of ${differing.size} parts differ, but no single entry does`)
  return { entries: ofIndex.rows, differences }
}

/** Sums over rows that do not depend on their order. */
class Sums {
  rows = 0
  readonly #first = new Uint32Array(SUMS)
  readonly #second = new Uint32Array(SUMS)

  add({ path, facts }: Row): void {
    const part = hash(path, 0) % SUMS
    this.#first[part]! += hash(facts, hash(path, 1))
    this.#second[part]! += hash(facts, hash(path, 2))
    this.rows++
  }

  differing(other: Sums): Set<number> {
    const found = new Set<number>()
    for (let part = 0; part < SUMS; part++)
      if (this.#first[part] !== other.#first[part] || this.#second[part] !== other.#second[part]) found.add(part)
    return found
  }
}

/** FNV-1a with a mix at the end. */
function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return (value ^ (value >>> 13)) >>> 0
}

async function* indexed(client: Client, clock: string): AsyncGenerator<Row> {
  for (let offset = 0; ; ) {
    const { hits, total } = await client.search({ query: '', limit: PAGE_ROWS, offset, sort: 'path', minClock: clock })
    for (const { pathBytes, kind, sizeBytes, modified } of hits) {
      const size = kind === 'directory' ? '' : sizeBytes
      yield {
        path: Buffer.from(pathBytes).toString('latin1'),
        facts: `${kind} ${size} ${modified?.seconds}.${modified?.ticks}`,
      }
    }
    offset += hits.length
    if (hits.length === 0 || offset >= total) return
  }
}

function* walked(root: string): Generator<Row> {
  const pending = [Buffer.from(root)]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const stats = lstatSync(path, { bigint: true })
    const isDirectory = stats.isDirectory()
    const kind = isDirectory ? 'directory' : stats.isSymbolicLink() ? 'symlink' : stats.isFile() ? 'file' : 'other'
    const size = isDirectory ? '' : stats.size
    const ticks = stats.mtimeNs / 100n
    const time = `${ticks / 10_000_000n}.${ticks % 10_000_000n}`
    yield { path: path.toString('latin1'), facts: `${kind} ${size} ${time}` }
    if (!isDirectory) continue
    for (const name of readdirSync(path, { encoding: 'buffer' })) pending.push(Buffer.concat([path, SLASH, name]))
  }
}

const SLASH = Buffer.from('/')
