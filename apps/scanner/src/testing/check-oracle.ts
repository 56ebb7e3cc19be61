import { lstatSync, readdirSync } from 'node:fs'
import { DirectoryDigest, type EntryColumns, Kind, type Time } from '@hotpath/model'
import type { CheckedDirectories } from '../check/checked-directories.js'
import { birthOf } from '../node-ref.js'
import { type WalkOptions, walkTree } from '../walk/walk-tree.js'

/** What is told of one directory, as comparable text. */
export interface DirectoryFacts {
  /** Absolute, latin1. */
  readonly path: string
  readonly ref: string
  readonly modified: string
  readonly changed: string
  /** Number and digest of the entries; empty where they are not looked at. */
  readonly entries: string
}

/** Rows of a batch in their order. */
export function factsOf(batch: CheckedDirectories): DirectoryFacts[] {
  const { refs, modified, changed, children, digestLow, digestHigh, pathOffsets, paths } = batch
  return Array.from(refs.low, (low, i) => ({
    path: Buffer.from(paths.subarray(pathOffsets[i]!, pathOffsets[i + 1]!)).toString('latin1'),
    ref: refText({ low, high: refs.high[i]!, birth: refs.birth[i]! }),
    modified: timeText({ seconds: modified.seconds[i]!, ticks: modified.ticks[i]! }),
    changed: timeText({ seconds: changed.seconds[i]!, ticks: changed.ticks[i]! }),
    entries: children === undefined ? '' : digestText(children[i]!, digestLow![i]!, digestHigh![i]!),
  }))
}

/** What readdir and lstat tell of a tree whose root is in no overlay, in the order of a check. `keep` gets paths in latin1. */
export function plainCheck(root: string, keep: (path: string) => boolean = () => true): DirectoryFacts[] {
  const found: DirectoryFacts[] = []
  const visit = (path: Buffer) => {
    const digest = new DirectoryDigest()
    const names = readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare)
    const below: Buffer[] = []
    for (const name of names) {
      const child = Buffer.concat([path, Buffer.from('/'), name])
      if (!keep(child.toString('latin1'))) continue
      const stats = plainStats(child)
      digest.add(name, stats)
      if (stats.kind === Kind.directory) below.push(child)
    }
    const { ref, modified, changed } = plainStats(path)
    found.push({
      path: path.toString('latin1'),
      ref: refText(ref),
      modified: timeText(modified),
      changed: timeText(changed),
      entries: digestText(digest.count, digest.low, digest.high),
    })
    for (const child of below) visit(child)
  }
  visit(Buffer.from(root))
  return found
}

/** What the rows of a scan tell, by path. */
export async function scanCheck(options: WalkOptions): Promise<Map<string, DirectoryFacts>> {
  const digests = new Map<number, DirectoryDigest>()
  const rows = new Map<number, { path: string; entries: EntryColumns; row: number }>()
  const listed = new Set<number>()
  const walk = walkTree(options)
  for await (const { entries, listedDirectory } of walk) {
    for (const directory of listedDirectory) listed.add(directory)
    for (let row = 0; row < entries.count; row++) {
      const name = entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!)
      const parent = entries.parent[row]!
      if (parent !== 0) {
        const digest = digests.get(parent) ?? new DirectoryDigest()
        digests.set(parent, digest)
        digest.add(name, digestedRow(entries, row))
      }
      const above = rows.get(parent)?.path
      const path = above === undefined ? walk.path : `${above}/${Buffer.from(name).toString('latin1')}`
      if (entries.directory[row] !== 0) rows.set(entries.directory[row]!, { path, entries, row })
    }
  }
  const found = new Map<string, DirectoryFacts>()
  for (const directory of listed) {
    const { path, entries, row } = rows.get(directory)!
    const { count, low, high } = digests.get(directory) ?? new DirectoryDigest()
    const { ref, modified, changed } = digestedRow(entries, row)
    found.set(path, {
      path,
      ref: refText(ref),
      modified: timeText(modified),
      changed: timeText(changed),
      entries: digestText(count, low, high),
    })
  }
  return found
}

function digestedRow(entries: EntryColumns, row: number) {
  const time = (column: { seconds: Float64Array; ticks: Uint32Array } | undefined): Time => ({
    seconds: column?.seconds[row] ?? Number.NaN,
    ticks: column?.ticks[row] ?? 0,
  })
  const { low, high, birth } = entries.ref!
  return {
    kind: entries.kind[row] as Kind,
    size: entries.size[row]!,
    modified: time(entries.modified),
    changed: time(entries.changed),
    ref: { low: low[row]!, high: high[row]!, birth: birth[row]! },
  }
}

function plainStats(path: Buffer) {
  const stats = lstatSync(path, { bigint: true })
  const kind = stats.isDirectory()
    ? Kind.directory
    : stats.isFile()
      ? Kind.file
      : stats.isSymbolicLink()
        ? Kind.symlink
        : Kind.other
  const time = (nanoseconds: bigint): Time => {
    const ticks = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
    return { seconds: Number((nanoseconds - ticks) / 1_000_000_000n), ticks: Number(ticks / 100n) }
  }
  const born = time(stats.birthtimeNs)
  return {
    kind,
    size: Number(stats.size),
    modified: time(stats.mtimeNs),
    changed: time(stats.ctimeNs),
    ref: {
      low: Number(stats.ino & 0xffffffffn),
      high: Number(stats.ino >> 32n),
      birth: birthOf(born.seconds, born.ticks, 0),
    },
  }
}

function refText({ low, high, birth }: { low: number; high: number; birth: number }): string {
  return `${high}:${low}:${birth}`
}

function timeText({ seconds, ticks }: Time): string {
  return Number.isNaN(seconds) ? '' : `${seconds}.${ticks}`
}

function digestText(count: number, low: number, high: number): string {
  return `${count} ${low} ${high}`
}
