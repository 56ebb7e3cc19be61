import type { SearchAnswer, SearchRow } from '../search-backend.js'

/**
 * The page that a consumer has: which rows in which order, and how they looked. 64 bytes a row, however long the
 * paths are; the rows themselves are not kept.
 */
export interface LivePage {
  readonly ids: readonly string[]
  /** Two words of hash for each row, of all that it shows but its heat, which falls by itself. */
  readonly marks: Uint32Array
}

export interface PlacedRow {
  /** Place in the new page. */
  readonly at: number
  readonly row: SearchRow
  /** Only a tolerant term finds it. */
  readonly fuzzy: boolean
}

/**
 * What turns one page into another: rows of `removed` and `changed` are taken out, then `changed` and `added` are put in by
 * ascending `at`. A row that only moved among the others is in `changed`.
 */
export interface Difference {
  readonly removed: readonly string[]
  readonly changed: readonly PlacedRow[]
  readonly added: readonly PlacedRow[]
}

export const NO_DIFFERENCE: Difference = { removed: [], changed: [], added: [] }

export function pageOf({ rows, exactRows }: SearchAnswer): LivePage {
  const marks = new Uint32Array(rows.length * 2)
  for (const [at, row] of rows.entries()) writeMark(marks, at, row, at >= exactRows)
  return { ids: rows.map(row => row.id), marks }
}

export function samePages(a: LivePage, b: LivePage): boolean {
  return (
    a.ids.length === b.ids.length &&
    a.ids.every((id, at) => id === b.ids[at]) &&
    a.marks.every((mark, at) => mark === b.marks[at])
  )
}

/**
 * The difference from `known` to `next`, which is the page of `answer`. Undefined where it cannot be told by id: two
 * roots that hold the same entry give it twice.
 */
export function difference(known: LivePage, next: LivePage, answer: SearchAnswer): Difference | undefined {
  const placeOf = new Map(known.ids.map((id, at) => [id, at]))
  const stays = new Set(next.ids)
  if (placeOf.size !== known.ids.length || stays.size !== next.ids.length) return undefined
  const placed = (at: number): PlacedRow => ({ at, row: answer.rows[at]!, fuzzy: at >= answer.exactRows })
  const added: PlacedRow[] = []
  const changed: PlacedRow[] = []
  const kept: { at: number; from: number }[] = []
  for (const [at, id] of next.ids.entries()) {
    const from = placeOf.get(id)
    if (from === undefined) added.push(placed(at))
    else if (sameMark(known.marks, from, next.marks, at)) kept.push({ at, from })
    else changed.push(placed(at))
  }
  const still = new Set(longestRise(kept.map(({ from }) => from)))
  for (const [i, { at }] of kept.entries()) if (!still.has(i)) changed.push(placed(at))
  changed.sort((a, b) => a.at - b.at)
  return { removed: known.ids.filter(id => !stays.has(id)), changed, added }
}

function sameMark(a: Uint32Array, atA: number, b: Uint32Array, atB: number): boolean {
  return a[atA * 2] === b[atB * 2] && a[atA * 2 + 1] === b[atB * 2 + 1]
}

/** Indexes of a longest ascending subsequence of distinct numbers; O(n log n). */
export function longestRise(values: readonly number[]): number[] {
  /** Index of the least value that ends a rise of length n + 1. */
  const ends: number[] = []
  const before: number[] = []
  for (const [i, value] of values.entries()) {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (values[ends[middle]!]! < value) low = middle + 1
      else high = middle
    }
    before.push(low === 0 ? -1 : ends[low - 1]!)
    ends[low] = i
  }
  const rise: number[] = []
  for (let i = ends.at(-1) ?? -1; i >= 0; i = before[i]!) rise.push(i)
  return rise.reverse()
}

const words = new Uint32Array(12)
const numbers = new Float64Array(words.buffer)

/** Two lanes of a multiplicative hash: two looks of one row are taken for the same once in 2^64. */
function writeMark(marks: Uint32Array, at: number, row: SearchRow, fuzzy: boolean): void {
  const { path, kind, sizeBytes, modified, created, accessed } = row
  let first = 0x811c9dc5 ^ kind
  let second = fuzzy ? 0x2545f491 : 0x5bd1e995
  for (let i = 0; i < path.length; i++) {
    const byte = path[i]!
    first = Math.imul(first ^ byte, 0x01000193)
    second = Math.imul((second << 5) ^ (second >>> 27) ^ byte, 0x9e3779b1)
  }
  numbers[0] = sizeBytes
  numbers[1] = modified?.seconds ?? Number.NaN
  numbers[2] = created?.seconds ?? Number.NaN
  numbers[3] = accessed?.seconds ?? Number.NaN
  words[8] = modified?.ticks ?? 0
  words[9] = created?.ticks ?? 0
  words[10] = accessed?.ticks ?? 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    first = mix(first ^ word, 0x85ebca6b)
    second = mix(second ^ word, 0xc2b2ae35)
  }
  marks[at * 2] = first
  marks[at * 2 + 1] = second
}

function mix(value: number, factor: number): number {
  const product = Math.imul(value ^ (value >>> 15), factor)
  return product ^ (product >>> 13)
}
