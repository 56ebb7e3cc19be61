/**
 * Changes of rows as bytes, the same in the log of changes and in messages (docs/formats/change-log.md): groups of changes of one
 * table, one group after the other. A group says how long it is, so that whoever wants certain tables takes groups without decoding them.
 */
import { Buffer } from 'node:buffer'
import { RowReader, RowWriter } from './row-bytes.js'
import {
  type DeliveredChange,
  type DeliveredValue,
  isInvalidText,
  isOmitted,
  type OmittedValue,
  readChange,
  writeChange,
} from './row-values.js'

/**
 * A part is closed when it has so many bytes: half a megabyte of JSON at most times, a few milliseconds of work for everybody who
 * handles it.
 */
export const PART_BYTES = 262_144
/**
 * A change that is longer is told without its longest values, which are replaced by how long they are. With its head it stays below
 * MAX_MESSAGE_BYTES.
 */
export const MAX_CHANGE_BYTES = 33_554_432
/** Bytes that a value takes beside its text or blob, at most. */
const VALUE_BYTES = 9

/** Collects changes into one part. */
export class PartBuilder {
  readonly #out = new RowWriter()
  #table: string | undefined
  #groupAt = 0
  #countAt = 0
  #count = 0

  /** So many bytes so far. */
  get bytes(): number {
    return this.#out.length
  }

  get isFull(): boolean {
    return this.#out.length >= PART_BYTES
  }

  /** Throws InvalidInputError for texts with lone surrogates; the part is then of no use. */
  add(change: DeliveredChange): void {
    if (this.#table !== change.table) this.#begin(change.table)
    writeChange(this.#out, shortened(change))
    this.#count++
  }

  /** The part; the builder is empty again. */
  take(): Uint8Array {
    this.#end()
    return this.#out.take(4 * PART_BYTES)
  }

  #begin(table: string): void {
    this.#end()
    this.#table = table
    this.#groupAt = this.#out.length
    this.#out.u32(0)
    this.#out.text(table, 'table')
    this.#countAt = this.#out.length
    this.#out.u32(0)
  }

  #end(): void {
    if (this.#table === undefined) return
    this.#out.setU32(this.#groupAt, this.#out.length - this.#groupAt - 4)
    this.#out.setU32(this.#countAt, this.#count)
    this.#table = undefined
    this.#count = 0
  }
}

/** Changes as bytes, in one part. */
export function encodeChanges(changes: Iterable<DeliveredChange>): Uint8Array {
  const builder = new PartBuilder()
  for (const change of changes) builder.add(change)
  return builder.take()
}

/** All changes of a part. Texts and blobs of invalid text are views of `part`. Throws InvalidInputError. */
export function decodeChanges(part: Uint8Array, what = 'changes'): DeliveredChange[] {
  const changes: DeliveredChange[] = []
  const from = new RowReader(part, what)
  while (!from.atEnd) {
    const bytes = from.u32()
    const end = from.at + bytes
    const table = from.text()
    // An operation, the kind of a key and its rowid or count.
    const count = from.count(6)
    for (let i = 0; i < count; i++) changes.push(readChange(from, table))
    if (from.at !== end) from.refuse(`the end of a group at byte ${end}`, from.at)
  }
  return changes
}

/** The groups of a part: their tables, how many changes they have, and where they stand. Throws InvalidInputError. */
export function groupsOf(part: Uint8Array): { table: string; count: number; from: number; to: number }[] {
  const groups = []
  const from = new RowReader(part, 'changes')
  while (!from.atEnd) {
    const start = from.at
    const bytes = from.u32()
    const end = from.at + bytes
    const table = from.text()
    const count = from.u32()
    if (from.at > end) from.refuse(`a group up to byte ${end}`, from.at)
    from.skip(end - from.at)
    groups.push({ table, count, from: start, to: end })
  }
  return groups
}

/** The groups of the tables that `wanted` says yes to; the part itself if these are all. */
export function selectGroups(part: Uint8Array, wanted: (table: string) => boolean): Uint8Array {
  const groups = groupsOf(part)
  const chosen = groups.filter(({ table }) => wanted(table))
  if (chosen.length === groups.length) return part
  return new Uint8Array(Buffer.concat(chosen.map(({ from, to }) => part.subarray(from, to))))
}

/** The change, without its longest values if it is too long. */
function shortened(change: DeliveredChange): DeliveredChange {
  const lists = [typeof change.key === 'bigint' ? [] : change.key, change.old ?? [], change.new ?? []]
  let bytes = 0
  for (const list of lists) for (const value of list) bytes += sizeOf(value)
  if (bytes <= MAX_CHANGE_BYTES) return change
  const copies = lists.map(list => [...list])
  const long = copies
    .flatMap(list => list.map((value, at) => ({ list, at, size: sizeOf(value) })))
    .sort((a, b) => b.size - a.size)
  for (const { list, at, size } of long) {
    if (bytes <= MAX_CHANGE_BYTES) break
    const omitted = withoutContent(list[at]!)
    list[at] = omitted
    bytes -= size - sizeOf(omitted)
  }
  const [key, old, values] = copies
  return {
    ...change,
    ...(typeof change.key !== 'bigint' && { key: key! }),
    ...(change.old && { old: old! }),
    ...(change.new && { new: values! }),
  }
}

function withoutContent(value: DeliveredValue): DeliveredValue {
  const bytes = sizeOf(value) - VALUE_BYTES
  const omitted = (kind: OmittedValue['omitted']): OmittedValue => ({ omitted: kind, bytes })
  if (typeof value === 'string') return omitted('text')
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return omitted('blob')
  return isInvalidText(value) ? omitted('text') : value
}

function sizeOf(value: DeliveredValue): number {
  if (typeof value === 'string') return VALUE_BYTES + Buffer.byteLength(value)
  if (typeof value !== 'object' || value === null || isOmitted(value)) return VALUE_BYTES
  return VALUE_BYTES + (isInvalidText(value) ? value.invalidText : value).byteLength
}
