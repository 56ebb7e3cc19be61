const float = new Float64Array(1)
const bits = new BigInt64Array(float.buffer)

/** The next larger number; Infinity has none. */
export function nextAbove(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return value
  // Both zeros are the same.
  float[0] = value === 0 ? 0 : value
  bits[0] += float[0] >= 0 ? 1n : -1n
  return float[0]
}

/** The next smaller number. */
export function nextBelow(value: number): number {
  return -nextAbove(-value)
}
