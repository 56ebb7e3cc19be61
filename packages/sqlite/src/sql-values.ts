import type { SqlValue } from '@hotpath/model'

/** Whether two values are stored the same: text is not a number, 1.0 not 1, -0.0 not 0.0. */
export function sameValue(a: SqlValue, b: SqlValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(a, b)
  return !(b instanceof Uint8Array) && sameBytes(a.invalidText, b.invalidText)
}

export function sameValues(a: readonly SqlValue[], b: readonly SqlValue[]): boolean {
  return a.length === b.length && a.every((value, index) => sameValue(value, b[index]!))
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}

/** Up to here, reading bytes one by one is faster than two views and a call into the runtime. */
const SHORT_BYTES = 128

/** Whether `length` bytes of both are the same. */
export function sameRange(a: Uint8Array, start: number, b: Uint8Array, other: number, length: number): boolean {
  if (length > SHORT_BYTES) return sameBytes(a.subarray(start, start + length), b.subarray(other, other + length))
  for (let index = 0; index < length; index++) if (a[start + index] !== b[other + index]) return false
  return true
}
