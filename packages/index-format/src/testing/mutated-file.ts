import type { Random } from './random-rows.js'

/** Changes of one file at most. */
const MAX_CHANGES = 4
/** Lengths of most ranges: bytes, fields, records, pages. */
const RANGE_BYTES = [1, 4, 64, 5000]

/** A range of a file, [start, end). */
export type Place = readonly [start: number, end: number]

/** A good file that is to be damaged. */
export interface GoodFile {
  readonly bytes: Uint8Array
  /** Where damage says most; left out: everywhere. A little of it is elsewhere even so. */
  readonly places?: readonly Place[]
  /** Bytes of what the format is a row of (records, pages): half of the ranges that move are whole ones of them. */
  readonly unit?: number
  /** Another good file of the same kind, whose end may follow the beginning of this one. */
  readonly other?: Uint8Array
  /**
   * As many bytes as the file has: where the copy is made as long as its length stays, so that it is good until the next one
   * is made. To allocate a large file costs more than to read it.
   */
  readonly scratch?: Uint8Array
  /** Share of changes that may change the length: a format that knows its length refuses all of them alike. */
  readonly resizing?: number
}

export interface MutatedFile {
  readonly bytes: Uint8Array
  /** What was done, in order. */
  readonly changes: readonly string[]
  /** False if bytes may stand elsewhere than they stood. */
  readonly inPlace: boolean
}

/** A copy of a good file that a disk, a program or a person has damaged: 1 … 4 changes. */
export function mutatedFile(random: Random, good: GoodFile): MutatedFile {
  const draft = new Draft(random, good)
  const changes: string[] = []
  let inPlace = true
  for (let left = 1 + random.below(MAX_CHANGES); left > 0; left--) {
    const mutate = pickMutation(draft)
    changes.push(mutate(draft))
    if (MOVING.includes(mutate)) inPlace = false
  }
  return { bytes: draft.bytes, changes, inPlace }
}

type Mutation = (draft: Draft) => string
const KEEPING_LENGTH: readonly Mutation[] = [flipBit, setByte, fillRange, setNumber, swapRanges]
const RESIZING: readonly Mutation[] = [truncate, extend, deleteRange, duplicateRange, splice]
const MOVING: readonly Mutation[] = [swapRanges, deleteRange, duplicateRange, splice]

function pickMutation({ random, bytes, good }: Draft): Mutation {
  // Nothing else can be done to nothing.
  if (bytes.length === 0) return extend
  return random.pick(random.chance(good.resizing ?? 0.4) ? RESIZING : KEEPING_LENGTH)
}

/** A file that is being damaged and has a byte at least, and the choices that all kinds of damage make. */
class Draft {
  bytes: Uint8Array

  constructor(
    readonly random: Random,
    readonly good: GoodFile,
  ) {
    this.bytes = good.scratch ?? new Uint8Array(good.bytes.length)
    this.bytes.set(good.bytes)
  }

  /** An offset of a byte. */
  offset(): number {
    const { random, bytes } = this
    const { places } = this.good
    if (places === undefined || places.length === 0 || random.chance(0.05)) return random.below(bytes.length)
    const [start, end] = random.pick(places)
    return Math.min(bytes.length - 1, start + random.below(Math.max(1, end - start)))
  }

  /** A range of at least one byte. */
  range(): Place {
    const { random, bytes } = this
    const start = this.offset()
    const length = 1 + random.below(random.chance(0.05) ? bytes.length : random.pick(RANGE_BYTES))
    return [start, Math.min(bytes.length, start + length)]
  }

  /** A range for moving: of whole units, or any. */
  movable(): Place {
    const { unit } = this.good
    if (unit === undefined || unit > this.bytes.length || this.random.chance(0.5)) return this.range()
    const units = Math.floor(this.bytes.length / unit)
    const first = this.random.below(units)
    const count = 1 + this.random.below(Math.min(units - first, this.random.pick([1, 3, units])))
    return [first * unit, (first + count) * unit]
  }

  /** Any byte: any at all, or one that the format has a use for. */
  byte(): number {
    const { random, bytes } = this
    return bytes.length > 0 && random.chance(0.5) ? bytes[random.below(bytes.length)] : random.below(256)
  }

  /** `count` bytes: all the same, or all random. */
  filling(count: number): { bytes: Uint8Array; what: string } {
    const { random } = this
    if (random.chance(0.4)) return { bytes: new Uint8Array(count).map(() => random.below(256)), what: 'random bytes' }
    const byte = random.pick([0, 0, 0xff, this.byte()])
    return { bytes: new Uint8Array(count).fill(byte), what: `${byte}` }
  }

  replace([start, end]: Place, ...parts: Uint8Array[]): void {
    const { bytes } = this
    this.bytes = joined(bytes.subarray(0, start), ...parts, bytes.subarray(end))
  }
}

function flipBit(draft: Draft): string {
  const at = draft.offset()
  const bit = draft.random.below(8)
  draft.bytes[at] ^= 1 << bit
  return `flip bit ${bit} of byte ${at}`
}

function setByte(draft: Draft): string {
  const at = draft.offset()
  draft.bytes[at] = draft.byte()
  return `byte ${at} = ${draft.bytes[at]}`
}

function fillRange(draft: Draft): string {
  const [start, end] = draft.range()
  const { bytes, what } = draft.filling(end - start)
  draft.bytes.set(bytes, start)
  return `bytes ${start} … ${end} = ${what}`
}

/** A number of 1, 2, 4 or 8 bytes with which sums, products and comparisons go wrong. */
function setNumber(draft: Draft): string {
  const { random, bytes } = draft
  const width = random.pick([1, 2, 4, 8])
  const bits = BigInt(width * 8)
  const top = 1n << (bits - 1n)
  const length = BigInt(bytes.length)
  const value = random.pick([0n, 1n, top - 1n, top, top + 1n, -1n, -2n, length, length - 1n, length + 1n])
  const at = draft.offset()
  // Fields mostly stand on multiples of their size.
  const start = random.chance(0.5) ? at - (at % width) : at
  for (let i = 0; i < width && start + i < bytes.length; i++) {
    bytes[start + i] = Number((value >> BigInt(i * 8)) & 0xffn)
  }
  return `${width} bytes at ${start} = ${BigInt.asUintN(width * 8, value)}`
}

function swapRanges(draft: Draft): string {
  const [first, second] = [draft.movable(), draft.movable()].sort(([a], [b]) => a - b)
  const length = Math.min(first[1] - first[0], second[1] - second[0], second[0] - first[0])
  const { bytes } = draft
  const kept = bytes.slice(first[0], first[0] + length)
  bytes.copyWithin(first[0], second[0], second[0] + length)
  bytes.set(kept, second[0])
  return `swap ${length} bytes at ${first[0]} and ${second[0]}`
}

function truncate(draft: Draft): string {
  const { random, good, bytes } = draft
  const unit = good.unit !== undefined && random.chance(0.3) ? good.unit : 1
  const near = random.chance(0.5) ? bytes.length - random.below(Math.min(bytes.length, 64) + 1) : bytes.length
  const length = near < bytes.length ? near : random.below(bytes.length + 1)
  draft.bytes = bytes.slice(0, length - (length % unit))
  return `cut to ${draft.bytes.length} bytes`
}

function extend(draft: Draft): string {
  const { random, good } = draft
  const unit = good.unit !== undefined && random.chance(0.5) ? good.unit : 1
  const { bytes, what } = draft.filling(unit * (1 + random.below(random.pick(RANGE_BYTES.slice(0, 3)))))
  draft.bytes = joined(draft.bytes, bytes)
  return `append ${bytes.length} bytes = ${what}`
}

function deleteRange(draft: Draft): string {
  const [start, end] = draft.movable()
  draft.replace([start, end])
  return `delete ${start} … ${end}`
}

function duplicateRange(draft: Draft): string {
  const [start, end] = draft.movable()
  const copy = draft.bytes.slice(start, end)
  const [at] = draft.random.chance(0.5) ? [end] : draft.movable()
  draft.replace([at, at], copy)
  return `insert ${start} … ${end} at ${at}`
}

/** The beginning of this file and the end of another: both from the same offset on, or from any. */
function splice(draft: Draft): string {
  const { good, bytes, random } = draft
  const other = good.other ?? good.bytes
  const [end] = draft.movable()
  const from = random.chance(0.5) ? Math.min(end, other.length) : offsetIn(other, good.unit, random)
  draft.bytes = joined(bytes.subarray(0, end), other.subarray(from))
  return `from ${end} on the other file from ${from} on`
}

function offsetIn(bytes: Uint8Array, unit: number | undefined, random: Random): number {
  const offset = random.below(bytes.length)
  return unit === undefined ? offset : offset - (offset % unit)
}

function joined(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
