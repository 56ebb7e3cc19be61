import { getHeapStatistics } from 'node:v8'
import { createContext, runInContext } from 'node:vm'
import { CorruptFileError, UnsupportedVersionError } from '@hotpath/model'
import { Random } from './random-rows.js'

/** Inputs of a test. Each kind of file has two: one with checksums as damage leaves them, one with right ones. */
export const MUTATED_INPUTS = process.env.SOAK ? 100_000 : 4_000
/** A run of a test takes a minute with SOAK=1. */
export const MUTATION_TIMEOUT_MS = 3_600_000
/** Inputs that are watched together, and how long they may take: some 40 ms even on a busy machine. */
const WATCHED_INPUTS = 100
const HANG_MS = 120_000
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const MEBIBYTE = 1024 * 1024

export interface TrialLimits {
  /** What the process may grow by, garbage that was not collected yet included. */
  readonly maxMebibytes: number
  /** By default MUTATED_INPUTS. */
  readonly inputs?: number
}

/**
 * Calls `trial` with one random input after the other. What it throws fails the test, with the seed that makes this input
 * the first one and all that the trial has noted of it. So does an input that hangs, and memory: what is held after any
 * input, and what was resident at any time.
 */
export function tryMutations(
  { maxMebibytes, inputs = MUTATED_INPUTS }: TrialLimits,
  trial: (random: Random, note: (what: string) => void) => void,
): void {
  const [held, peak] = [heldBytes(), peakBytes()]
  if (process.env.SOAK) console.log(`${inputs} inputs, SEED=${SEED}`)
  let seed = SEED
  let notes: string[] = []
  const tryNext = (): void => {
    notes = []
    trial(new Random(seed), what => notes.push(what))
    requireBelow('held', heldBytes() - held, maxMebibytes)
  }
  try {
    while (seed < SEED + inputs) {
      const end = Math.min(seed + WATCHED_INPUTS, SEED + inputs)
      withoutHanging(() => {
        for (; seed < end; seed++) tryNext()
      })
    }
  } catch (cause) {
    throw new Error(`SEED=${seed} makes this input the first one: ${notes.join('; ')}`, { cause })
  }
  requireBelow(`resident (SEED=${SEED})`, peakBytes() - peak, maxMebibytes)
}

/** One for all: what a context each leaves behind would hide what the inputs do. */
const watched: { work?: () => void } = createContext({})

/** Throws if `work` does not end. The test's own time limit is a timer, which waits for it as everything does. */
function withoutHanging(work: () => void): void {
  watched.work = work
  runInContext('work()', watched, { timeout: HANG_MS })
}

function requireBelow(what: string, bytes: number, maxMebibytes: number): void {
  const grown = Math.ceil(bytes / MEBIBYTE)
  if (grown > maxMebibytes) throw new Error(`${grown} MiB more were ${what}, at most ${maxMebibytes} may be`)
}

/** On the heap and in array buffers. Nothing is collected for it. */
function heldBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

/** Most that was ever resident. To ask for it takes 0.2 ms. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

/** What reading gives, or undefined where it refuses the bytes; whatever else it throws goes through. */
export function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CorruptFileError || error instanceof UnsupportedVersionError) return undefined
    throw error
  }
}
