import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { koffi } from './foreign.js'
import { nativeProblem } from './libc.js'

type Collect = (options?: { readonly type: 'minor' }) => void

let collect: Collect | undefined
let trim: ((keepBytes: number) => number) | undefined

/**
 * Collects garbage and gives free memory back to the system. For the end of rare work that needed much: without it a
 * process keeps what it freed, because an idle one has no reason to collect. Cost: some 20 ms; blocks this thread.
 */
export function releaseMemory(): void {
  collector()()
  giveBack()
}

function giveBack(): void {
  if (nativeProblem() !== null) return
  trim ??= findTrim()
  trim(0)
}

/** What V8 needs at most to mark the objects of a thread between its events. */
const MARKING_MS = 500

/** As releaseMemory, for a thread that will do the same again: what is compiled stays. The memory goes back half a second later. */
export function releaseMemoryKeepingCode(): void {
  collectKeepingCode()
  setTimeout(giveBack, MARKING_MS).unref()
}

/**
 * Collects all garbage and keeps what is compiled. A collection that is asked for marks everything at once and drops the compiled code of each class
 * of which no object happens to live: the next search then takes as long as the first of a process. One that marks step by step, as V8 begins by
 * itself while a program allocates, keeps it, as a rule. It is begun as V8's own tests begin it: with a switch that makes it believe that its limit is reached,
 * turned back at once. Cost: some milliseconds, in short steps between events.
 */
export function collectKeepingCode(): void {
  setFlagsFromString('--stress-incremental-marking')
  try {
    collectYoung()
  } finally {
    setFlagsFromString('--no-stress-incremental-marking')
  }
}

/**
 * Collects what was made lately and is not used any more. For work that makes large buffers and little else: V8 counts 64 MB of them
 * before it looks. Cost: about a millisecond.
 */
export function collectYoung(): void {
  collector()({ type: 'minor' })
}

function collector(): Collect {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as Collect
  }
  return collect
}

/** malloc_trim is glibc's; other C libraries keep less and have none. */
function findTrim(): (keepBytes: number) => number {
  try {
    return koffi().load(null).func('int malloc_trim(size_t keepBytes)') as (keepBytes: number) => number
  } catch {
    return () => 0
  }
}
