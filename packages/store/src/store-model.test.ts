import { describe, expect, it } from 'vitest'
import { runSequence } from './testing/random-sequence.js'

/** Sequences of a normal run take some seconds; SOAK=1 runs what the promise names. */
const SEQUENCES = process.env.SOAK ? 2000 : 60
const FIRST_SEED = Number(process.env.SEED ?? 1)

describe('the store against a plain tree', () => {
  it(`agrees after each step of ${SEQUENCES} random sequences`, { timeout: 3_600_000 }, async () => {
    const total = { compared: 0, kills: 0, scans: 0 }
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) {
      try {
        const counts = await runSequence(seed)
        total.compared += counts.compared
        total.kills += counts.kills
        total.scans += counts.scans
      } catch (error) {
        throw new Error(`SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
      }
    }
    expect(total.compared).toBeGreaterThan(SEQUENCES * 10)
    expect(total.kills).toBeGreaterThan(SEQUENCES / 2)
    expect(total.scans).toBeGreaterThan(SEQUENCES)
  })
})
