import type { BenchQuery } from '../queries.js'

/** What people type: plain words of at least three letters, no two alike. */
export function needlesOf(queries: readonly BenchQuery[]): string[] {
  const words = queries.map(({ text }) => text).filter(text => /^[\p{L}\p{N}_.-]{3,16}$/u.test(text))
  return [...new Set(words)]
}

/** Numbers from 0 to 1 that look random and are the same in every run (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Of four questions in five one of the first fifth, as people come back to what they use; else any. */
export function pickNeedle(needles: readonly string[], random: () => number): string {
  const from = random() < 0.8 ? Math.max(1, Math.floor(needles.length / 5)) : needles.length
  return needles[Math.floor(random() * from)] ?? ''
}

/** What a box holds while somebody types a word. */
export function prefixesOf(word: string): string[] {
  const letters = [...word]
  return letters.map((_, at) => letters.slice(0, at + 1).join(''))
}
