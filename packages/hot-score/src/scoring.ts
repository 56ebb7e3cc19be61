/** How hot a node is, from its record. No clock here: every function is given the time, in seconds since 1970. */

/**
 * `decay`: opens of the last 30 days, each weighing half as much for every half-life of its age. `classic`:
 * log1p(count) / (1 + days * 0.01), days since the last open.
 */
export const HOT_FORMULAS = ['decay', 'classic'] as const
export type HotFormula = (typeof HOT_FORMULAS)[number]

export interface Scoring {
  readonly formula: HotFormula
  /** Days in which an open comes to weigh half. */
  readonly halfLifeDays: number
}

export const DEFAULT_SCORING: Scoring = { formula: 'decay', halfLifeDays: 10 }

/** Days that count: a node that was not opened for so long is cold, and what it was opened before does not come back. */
export const WINDOW_DAYS = 30

const DAY_SECONDS = 86_400
const WINDOW_SECONDS = WINDOW_DAYS * DAY_SECONDS

/** Opens that are counted of a node. */
export const MAX_RUNS = 0xffff_ffff

/** What a record says of a node. */
export interface Use {
  /** Opens ever, at most 2^32 - 1. */
  readonly runs: number
  /** Seconds since 1970 of the last open, whole. */
  readonly opened: number
  /**
   * Decayed opens as of `opened`, at least 1. It says all there is to say of any later time, so that records need not be
   * touched as time passes.
   */
  readonly heat: number
}

/** What one open adds at a time, seen from another one after it. */
function weight(ageSeconds: number, { halfLifeDays }: Scoring): number {
  // A third of what a power of 2 takes (17 and 55 ns), and the same but for the last bit of a double.
  return ageSeconds > WINDOW_SECONDS ? 0 : Math.exp((-ageSeconds / (halfLifeDays * DAY_SECONDS)) * Math.LN2)
}

/** The score at a time. A node that was opened in the future (a clock was wrong) was opened now. */
export function scoreOf(use: Use, nowSeconds: number, scoring: Scoring): number {
  const age = Math.max(0, nowSeconds - use.opened)
  if (scoring.formula === 'classic') return Math.log1p(use.runs) / (1 + (age / DAY_SECONDS) * 0.01)
  return use.heat * weight(age, scoring)
}

/**
 * A number that orders nodes as their scores do at any time, in days: all scores halve together. It says nothing of nodes that
 * have become cold, nor of those that were opened in the future. Undefined where scores do not fall together.
 */
export function standingOf({ opened, heat }: Use, { formula, halfLifeDays }: Scoring): number | undefined {
  return formula === 'decay' ? opened / DAY_SECONDS + halfLifeDays * Math.log2(heat) : undefined
}

/** What is known of a node after one more open at `at`; `use` undefined: the first one. Opens may come in any order. */
export function afterOpen(use: Use | undefined, at: number, scoring: Scoring): Use {
  if (use === undefined) return { runs: 1, opened: at, heat: 1 }
  return merged(use, { runs: 1, opened: at, heat: 1 }, scoring)
}

/** What is known of one node that was two. */
export function merged(a: Use, b: Use, scoring: Scoring): Use {
  return {
    runs: Math.min(MAX_RUNS, a.runs + b.runs),
    opened: Math.max(a.opened, b.opened),
    heat: mergedHeat(a.opened, a.heat, b.opened, b.heat, scoring),
  }
}

/** The heat as of the later of two times, of heats as of these times. */
export function mergedHeat(opened: number, heat: number, at: number, heatThen: number, scoring: Scoring): number {
  return opened >= at ? heat + heatThen * weight(opened - at, scoring) : heatThen + heat * weight(at - opened, scoring)
}
