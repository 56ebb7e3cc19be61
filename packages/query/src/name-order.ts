import { compareBytes, keyOf } from '@hotpath/index-format'

/** The order of `name`: by key, then by original bytes. */
export function compareNames(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(keyOf(a), keyOf(b)) || compareBytes(a, b)
}

/** The order of `path`: component by component in the order of `name`; a path before those that continue it. */
export function comparePaths(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareNames(a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}
