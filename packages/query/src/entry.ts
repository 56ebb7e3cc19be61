import { KIND_MASK, Kind, type TimeColumnName } from '@hotpath/model'

export interface EntryTime {
  /** Seconds since 1970, NaN where unknown. */
  readonly seconds: number
  /** 100 ns ticks within the second. */
  readonly ticks: number
}

/** How a node was used, as of the time of the search. */
export interface EntryUse {
  /** Opens ever, at least 1. */
  readonly runs: number
  /** Seconds since 1970 of the last open. */
  readonly opened: number
  /** How hot it is (packages/hot-score), not negative. */
  readonly hot: number
}

/** One entry as plain data: what the naive matcher and the naive orders look at. */
export interface Entry extends Partial<Readonly<Record<TimeColumnName, EntryTime>>> {
  /** Path as components (see predicate.ts); at least one, the last is the name. */
  readonly components: readonly Uint8Array[]
  readonly kind: Kind
  /** Bytes, NaN where unknown. Not looked at for directories, whose size is 0. */
  readonly size: number
  /** Attributes as the source gave them (bits of Windows); none if it gave none. */
  readonly attributes?: number | undefined
  /** Id of the volume. */
  readonly volume?: string
  /** What tells roots apart: entries of different roots never hold each other, whatever their paths. */
  readonly root?: string | number
  /** Absent: its node was never opened. */
  readonly use?: EntryUse | undefined
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

/** Bits of attributes, as Windows numbers them. */
export const ATTRIBUTE = { directory: 0x10, device: 0x40, normal: 0x80, reparsePoint: 0x400 } as const

/**
 * Attributes that filters go by: those that the source gave, corrected to agree with the kind (as exported lists have
 * them): directories, symlinks (as reparse points) and devices are marked, and a file without any is normal.
 */
export function attributesOf(kind: Kind, stored: number): number {
  const others = stored & ~(ATTRIBUTE.directory | ATTRIBUTE.device | ATTRIBUTE.reparsePoint)
  switch (kind & KIND_MASK) {
    case Kind.directory:
      return (others | ATTRIBUTE.directory | (stored & ATTRIBUTE.reparsePoint)) >>> 0
    case Kind.symlink:
      return (others | ATTRIBUTE.reparsePoint) >>> 0
    case Kind.file:
      return (others === 0 ? ATTRIBUTE.normal : others) >>> 0
    default:
      return (others | ATTRIBUTE.device) >>> 0
  }
}
