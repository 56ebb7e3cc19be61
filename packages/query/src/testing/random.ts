/** Reproducible random numbers for tests: the same seed gives the same sequence everywhere. */
export interface Random {
  /** A whole number in [0, below). */
  below(bound: number): number
  /** One of the items. */
  pick<T>(items: readonly T[]): T
  chance(probability: number): boolean
}

/** A generator of 32 bits of state (the mixing steps of MurmurHash3 over a Weyl sequence). Not for secrets. */
export function randomOf(seed: number): Random {
  let state = seed | 0
  const next = () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
  return {
    below: bound => Math.floor(next() * bound),
    pick: items => items[Math.floor(next() * items.length)]!,
    chance: probability => next() < probability,
  }
}
