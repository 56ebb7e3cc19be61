/** A number for each name of a dictionary, and codes that stand for the numbers. */
export interface NameNumbers {
  of(nameId: number): number
  /** The codes, one for each name: as many numbers as there are codes, in the same order or the opposite one. */
  codes(): Uint8Array | Uint16Array | Uint32Array
  /** The codes of the numbers low … high, both included; undefined if codes do not tell them from others. */
  range(low: number, high: number): CodeRange | undefined
}

/** Codes from … to, both included. */
export interface CodeRange {
  readonly from: number
  readonly to: number
  /** Smaller numbers have larger codes. */
  readonly descending: boolean
}

/** Numbers that are their own codes. */
export function plainNumbers(codes: Uint8Array | Uint32Array): NameNumbers {
  return {
    of: nameId => codes[nameId],
    codes: () => codes,
    range: (low, high) => ({ from: low, to: high, descending: false }),
  }
}

/** The same number for all names. */
export function oneNumber(number: number, nameCount: number): NameNumbers {
  return {
    of: () => number,
    codes: () => new Uint8Array(nameCount),
    range: (low, high) =>
      number < low
        ? { from: 1, to: Number.POSITIVE_INFINITY, descending: false }
        : { from: -1, to: number <= high ? 0 : -1, descending: false },
  }
}
