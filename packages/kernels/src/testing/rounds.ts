import { vi } from 'vitest'

const isSoak = Number(process.env.SOAK ?? 0) > 0

/** Repetitions of a random test; fifty times as many under SOAK=1. */
export const ROUNDS = isSoak ? 3000 : 40

/** First state of the random source: printed in the titles of tests, set again with SEED=number. */
export const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))

if (isSoak) vi.setConfig({ testTimeout: 3_600_000 })
