/** Columns of rows: entries, references, times, hits. */

import type { AccessColumn, EntryColumns, RankColumns, RefColumn, TimeColumn } from '@hotpath/model'
import { ID_BYTES, InvalidInputError, KIND_MASK, KIND_STUB, Kind, NO_PLACE, TICKS_PER_SECOND } from '@hotpath/model'
import { bytesOf, f64Column, offsetsColumn, plain, u8Column, u32Column } from '../columns.js'
import { MAX_OPENS, MAX_ROWS } from '../limits.js'
import type { HitColumns, OpenBatch } from '../messages/query.js'
import type { hotpath } from '../wire.js'
import type { FieldCodec } from './field.js'

type WireEntries = hotpath.v1.EntryColumns.$Properties
type WireTimes = hotpath.v1.TimeColumn.$Properties
type WireRefs = hotpath.v1.RefColumn.$Properties
type WireAccess = hotpath.v1.AccessColumn.$Properties
type WireRanks = hotpath.v1.RankColumns.$Properties
type WireHits = hotpath.v1.HitColumns.$Properties
type WireOpens = hotpath.v1.OpenBatch.$Properties

const NONE = new Uint8Array(0)
const SLASH = 0x2f

export function checkRows(count: number, what: string): number {
  if (!Number.isInteger(count) || count < 0 || count > MAX_ROWS)
    throw new InvalidInputError(what, `0 to ${MAX_ROWS} rows`, String(count))
  return count
}

function checkTicks(ticks: Uint32Array, what: string): Uint32Array {
  for (let i = 0; i < ticks.length; i++) {
    if (ticks[i]! >= TICKS_PER_SECOND)
      throw new InvalidInputError(what, `less than ${TICKS_PER_SECOND} ticks in row ${i}`, String(ticks[i]))
  }
  return ticks
}

function checkSizes(sizes: Float64Array, what: string): Float64Array {
  for (let i = 0; i < sizes.length; i++) {
    if (sizes[i]! < 0 || sizes[i] === Number.POSITIVE_INFINITY)
      throw new InvalidInputError(what, `bytes or NaN in row ${i}`, String(sizes[i]))
  }
  return sizes
}

function checkScores(scores: Float64Array, what: string): Float64Array {
  for (let i = 0; i < scores.length; i++) {
    if (!(scores[i]! >= 0 && scores[i]! < Number.POSITIVE_INFINITY))
      throw new InvalidInputError(what, `a score in row ${i}`, String(scores[i]))
  }
  return scores
}

function checkOpens(count: number, what: string): number {
  if (!Number.isInteger(count) || count < 0 || count > MAX_OPENS)
    throw new InvalidInputError(what, `0 to ${MAX_OPENS} rows`, String(count))
  return count
}

function checkOpened(times: Float64Array, what: string): Float64Array {
  for (let i = 0; i < times.length; i++) {
    if (times[i]! < 0 || times[i] === Number.POSITIVE_INFINITY)
      throw new InvalidInputError(what, `milliseconds or NaN in row ${i}`, String(times[i]))
  }
  return times
}

/** Times of observations: finite, not negative. */
export function checkObserved(times: Float64Array, what: string): Float64Array {
  for (let i = 0; i < times.length; i++) {
    if (!(times[i]! >= 0 && times[i]! < Number.POSITIVE_INFINITY))
      throw new InvalidInputError(what, `microseconds in row ${i}`, String(times[i]))
  }
  return times
}

function checkKinds(kinds: Uint8Array, what: string): Uint8Array {
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i]!
    if ((kind & KIND_MASK) > Kind.other || (kind & ~(KIND_MASK | KIND_STUB)) !== 0)
      throw new InvalidInputError(what, `a kind in row ${i}`, String(kind))
  }
  return kinds
}

function checkNames(names: Uint8Array, what: string): Uint8Array {
  const bad = names.includes(SLASH) ? '/' : names.includes(0) ? 'NUL' : ''
  if (bad !== '') throw new InvalidInputError(what, 'names without / and NUL', bad)
  return names
}

export function timesToWire(times: TimeColumn): WireTimes {
  return { seconds: bytesOf(times.seconds), ticks: bytesOf(times.ticks) }
}

export function timesFromWire(times: WireTimes, count: number, what: string): TimeColumn {
  return {
    seconds: f64Column(times.seconds ?? NONE, count, `${what}.seconds`),
    ticks: checkTicks(u32Column(times.ticks ?? NONE, count, `${what}.ticks`), `${what}.ticks`),
  }
}

export function refsToWire(refs: RefColumn): WireRefs {
  return { low: bytesOf(refs.low), high: bytesOf(refs.high), birth: bytesOf(refs.birth) }
}

export function refsFromWire(refs: WireRefs | null | undefined, count: number, what: string): RefColumn {
  return {
    low: u32Column(refs?.low ?? NONE, count, `${what}.low`),
    high: u32Column(refs?.high ?? NONE, count, `${what}.high`),
    birth: u32Column(refs?.birth ?? NONE, count, `${what}.birth`),
  }
}

function accessToWire({ mode, user, group }: AccessColumn): WireAccess {
  return { mode: bytesOf(mode), user: bytesOf(user), group: bytesOf(group) }
}

function accessFromWire(access: WireAccess, count: number, what: string): AccessColumn {
  return {
    mode: u32Column(access.mode ?? NONE, count, `${what}.mode`),
    user: u32Column(access.user ?? NONE, count, `${what}.user`),
    group: u32Column(access.group ?? NONE, count, `${what}.group`),
  }
}

function ranksToWire({ nearness, allTerms, place, characters, depth }: RankColumns): WireRanks {
  return { nearness, allTerms, place, characters: bytesOf(characters), depth: bytesOf(depth) }
}

function ranksFromWire(ranks: WireRanks, count: number, what: string): RankColumns {
  const upTo = (bytes: Uint8Array | null | undefined, most: number, name: string): Uint8Array => {
    const values = u8Column(bytes ?? NONE, count, name)
    const bad = values.findIndex(value => value > most)
    if (bad >= 0) throw new InvalidInputError(name, `0 to ${most} in row ${bad}`, String(values[bad]))
    return values
  }
  return {
    nearness: u8Column(ranks.nearness ?? NONE, count, `${what}.nearness`),
    allTerms: upTo(ranks.allTerms, 1, `${what}.allTerms`),
    place: upTo(ranks.place, NO_PLACE, `${what}.place`),
    characters: u32Column(ranks.characters ?? NONE, count, `${what}.characters`),
    depth: u32Column(ranks.depth ?? NONE, count, `${what}.depth`),
  }
}

/** References whose number is known by their length alone. */
export const refList: FieldCodec<RefColumn, WireRefs> = {
  toWire: refsToWire,
  fromWire: (refs, what) =>
    refsFromWire(refs, checkRows(Math.floor((refs?.low ?? NONE).byteLength / 4), `${what}.low`), what),
}

export const entryColumns: FieldCodec<EntryColumns, WireEntries> = {
  toWire(columns, what) {
    const wire: WireEntries = {
      count: checkRows(columns.count, `${what}.count`),
      parent: bytesOf(columns.parent),
      directory: bytesOf(columns.directory),
      kind: bytesOf(columns.kind),
      nameOffsets: bytesOf(columns.nameOffsets),
      names: columns.names,
      size: bytesOf(columns.size),
    }
    if (columns.modified) wire.modified = timesToWire(columns.modified)
    if (columns.changed) wire.changed = timesToWire(columns.changed)
    if (columns.created) wire.created = timesToWire(columns.created)
    if (columns.accessed) wire.accessed = timesToWire(columns.accessed)
    if (columns.attributes) wire.attributes = bytesOf(columns.attributes)
    if (columns.ref) wire.ref = refsToWire(columns.ref)
    if (columns.access) wire.access = accessToWire(columns.access)
    return wire
  },
  fromWire(wire, what) {
    const count = checkRows(wire?.count ?? 0, `${what}.count`)
    const names = checkNames(plain(wire?.names ?? NONE), `${what}.names`)
    const times = (column: 'modified' | 'changed' | 'created' | 'accessed') => {
      const value = wire?.[column]
      return value ? { [column]: timesFromWire(value, count, `${what}.${column}`) } : {}
    }
    return {
      count,
      parent: u32Column(wire?.parent ?? NONE, count, `${what}.parent`),
      directory: u32Column(wire?.directory ?? NONE, count, `${what}.directory`),
      kind: checkKinds(u8Column(wire?.kind ?? NONE, count, `${what}.kind`), `${what}.kind`),
      nameOffsets: offsetsColumn(wire?.nameOffsets ?? NONE, count, names.byteLength, `${what}.nameOffsets`),
      names,
      size: checkSizes(f64Column(wire?.size ?? NONE, count, `${what}.size`), `${what}.size`),
      ...times('modified'),
      ...times('changed'),
      ...times('created'),
      ...times('accessed'),
      ...(wire?.attributes ? { attributes: u32Column(wire.attributes, count, `${what}.attributes`) } : {}),
      ...(wire?.ref ? { ref: refsFromWire(wire.ref, count, `${what}.ref`) } : {}),
      ...(wire?.access ? { access: accessFromWire(wire.access, count, `${what}.access`) } : {}),
    }
  },
}

export const hitColumns: FieldCodec<HitColumns, WireHits> = {
  toWire(columns, what) {
    const wire: WireHits = {
      count: checkRows(columns.count, `${what}.count`),
      ids: bytesOf(columns.ids),
      pathOffsets: bytesOf(columns.pathOffsets),
      paths: columns.paths,
      nameStart: bytesOf(columns.nameStart),
      kind: bytesOf(columns.kind),
      size: bytesOf(columns.size),
    }
    if (columns.modified) wire.modified = timesToWire(columns.modified)
    if (columns.created) wire.created = timesToWire(columns.created)
    if (columns.hot) wire.hot = bytesOf(columns.hot)
    if (columns.opens) wire.opens = bytesOf(columns.opens)
    if (columns.opened) wire.opened = bytesOf(columns.opened)
    if (columns.accessed) wire.accessed = timesToWire(columns.accessed)
    if (columns.rank) wire.rank = ranksToWire(columns.rank)
    return wire
  },
  fromWire(wire, what) {
    const count = checkRows(wire?.count ?? 0, `${what}.count`)
    const paths = plain(wire?.paths ?? NONE)
    // An empty page may leave out its single offset.
    const offsets = wire?.pathOffsets?.byteLength ? wire.pathOffsets : new Uint8Array(count === 0 ? 4 : 0)
    const pathOffsets = offsetsColumn(offsets, count, paths.byteLength, `${what}.pathOffsets`)
    const nameStart = u32Column(wire?.nameStart ?? NONE, count, `${what}.nameStart`)
    for (let i = 0; i < count; i++) {
      if (nameStart[i]! > pathOffsets[i + 1]! - pathOffsets[i]!)
        throw new InvalidInputError(`${what}.nameStart`, `a place inside the path of row ${i}`, String(nameStart[i]))
    }
    const ids = plain(wire?.ids ?? NONE)
    if (ids.byteLength !== count * ID_BYTES)
      throw new InvalidInputError(`${what}.ids`, `${count} values of ${ID_BYTES} bytes`, `${ids.byteLength} bytes`)
    return {
      count,
      ids,
      pathOffsets,
      paths,
      nameStart,
      kind: checkKinds(u8Column(wire?.kind ?? NONE, count, `${what}.kind`), `${what}.kind`),
      size: checkSizes(f64Column(wire?.size ?? NONE, count, `${what}.size`), `${what}.size`),
      ...(wire?.modified ? { modified: timesFromWire(wire.modified, count, `${what}.modified`) } : {}),
      ...(wire?.created ? { created: timesFromWire(wire.created, count, `${what}.created`) } : {}),
      ...(wire?.accessed ? { accessed: timesFromWire(wire.accessed, count, `${what}.accessed`) } : {}),
      ...(wire?.hot?.byteLength ? { hot: checkScores(f64Column(wire.hot, count, `${what}.hot`), `${what}.hot`) } : {}),
      ...(wire?.opens?.byteLength ? { opens: u32Column(wire.opens, count, `${what}.opens`) } : {}),
      ...(wire?.opened?.byteLength
        ? { opened: checkOpened(f64Column(wire.opened, count, `${what}.opened`), `${what}.opened`) }
        : {}),
      ...(wire?.rank ? { rank: ranksFromWire(wire.rank, count, `${what}.rank`) } : {}),
    }
  },
}

/** Ids of at most `max` rows. */
export function removedIds(max: number): FieldCodec<Uint8Array, Uint8Array> {
  const check = (ids: Uint8Array, what: string) => {
    if (ids.byteLength % ID_BYTES !== 0 || ids.byteLength > max * ID_BYTES)
      throw new InvalidInputError(what, `at most ${max} values of ${ID_BYTES} bytes`, `${ids.byteLength} bytes`)
    return plain(ids)
  }
  return { toWire: check, fromWire: (ids, what) => check(ids ?? NONE, what) }
}

/** Reads columns of places in a page of at most `max` rows: ascending, one for each of `count` rows. */
export function placesBelow(max: number): (bytes: Uint8Array, count: number, what: string) => Uint32Array {
  return (bytes, count, what) => {
    const places = u32Column(bytes, count, what)
    for (let i = 0; i < count; i++) {
      if (places[i]! >= max || (i > 0 && places[i]! <= places[i - 1]!))
        throw new InvalidInputError(what, `ascending places below ${max}, row ${i}`, String(places[i]))
    }
    return places
  }
}

export const openBatch: FieldCodec<OpenBatch, WireOpens> = {
  toWire: (batch, what) => ({
    count: checkOpens(batch.count, `${what}.count`),
    ids: bytesOf(batch.ids),
    pathOffsets: bytesOf(batch.pathOffsets),
    paths: batch.paths,
    opened: bytesOf(batch.opened),
  }),
  fromWire(wire, what) {
    const count = checkOpens(wire?.count ?? 0, `${what}.count`)
    const paths = plain(wire?.paths ?? NONE)
    const ids = plain(wire?.ids ?? NONE)
    if (ids.byteLength !== count * ID_BYTES)
      throw new InvalidInputError(`${what}.ids`, `${count} values of ${ID_BYTES} bytes`, `${ids.byteLength} bytes`)
    // An empty batch may leave out its single offset.
    const offsets = wire?.pathOffsets?.byteLength ? wire.pathOffsets : new Uint8Array(count === 0 ? 4 : 0)
    const opened = f64Column(wire?.opened ?? NONE, count, `${what}.opened`)
    return {
      count,
      ids,
      pathOffsets: offsetsColumn(offsets, count, paths.byteLength, `${what}.pathOffsets`),
      paths,
      opened: checkOpened(opened, `${what}.opened`),
    }
  },
}
