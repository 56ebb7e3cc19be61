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
