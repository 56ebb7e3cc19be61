import { expect, it } from 'vitest'
import { runFollowedSequences } from './language-model.js'

const FIRST_SEED = Number(process.env.SEED ?? 1)
const SEQUENCES = process.env.SOAK ? 5_000 : 1_000

// Two files, so that two processes share the sequences.
it(`the whole language agrees with a naive filter over a store that changes, first ${SEQUENCES} sequences`, {
  timeout: 7_200_000,
}, async () => {
  await expect(runFollowedSequences(FIRST_SEED, SEQUENCES)).resolves.toBeUndefined()
})
