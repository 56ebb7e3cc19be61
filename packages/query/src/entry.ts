import { KIND_MASK, Kind, type TimeColumnName } from '@hotpath/model'

export interface EntryTime {
  /** Seconds since 1970, NaN where unknown. */
  readonly seconds: number
  /** 100 ns ticks within the second. */
  readonly ticks: number
}

/** One entry as plain data: what the naive matcher and the naive orders look at. */
export interface Entry extends Partial<Readonly<Record<TimeColumnName, EntryTime>>> {
  /** Path as components (see predicate.ts); at least one, the last is the name. */
  readonly components: readonly Uint8Array[]
  readonly kind: Kind
  /** Bytes, NaN where unknown. Not looked at for directories, whose size is 0. */
  readonly size: number
}

/** Components of a path whose separator is `/`; the path `/` is the one empty component. */
export function componentsOf(path: Uint8Array): Uint8Array[] {
  if (path.length === 1 && path[0] === 0x2f) return [path.subarray(0, 0)]
  const components: Uint8Array[] = []
  let start = 0
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && path[i] !== 0x2f) continue
    components.push(path.subarray(start, i))
    start = i + 1
  }
  return components
}

export function isDirectory(entry: Entry): boolean {
  return (entry.kind & KIND_MASK) === Kind.directory
}

export function nameOf(entry: Entry): Uint8Array {
  return entry.components.at(-1)!
}

/** Bytes that filters and sorts go by: 0 for a directory, NaN where unknown. */
export function sizeOf(entry: Entry): number {
  return isDirectory(entry) ? 0 : entry.size
}
