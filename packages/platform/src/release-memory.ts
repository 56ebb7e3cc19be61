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
  if (nativeProblem() !== null) return
  trim ??= findTrim()
  trim(0)
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
