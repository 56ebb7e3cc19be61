/**
 * What lies where in a kernel memory. The kernels allocate nothing: below `SCRATCH_START` are their own tables and
 * buffers, then the scratch space that `Kernels` hands out, then pages of files mapped by the caller.
 * assembly/layout.ts has the same numbers.
 */

/** Result record. */
export const RESULT = 0x100
export const RESULT_FIELDS = { offset: RESULT, matches: RESULT + 4, next: RESULT + 8, sum: RESULT + 16 } as const
/** First byte of the scratch space. */
export const SCRATCH_START = 0x30000
/** Bytes of a WebAssembly page. */
export const WASM_PAGE = 65536
/** Bytes past the end of what they are given that kernels may read (never write): vector loads. */
export const READ_PAST_BYTES = 64

/** What kernels return instead of a count. */
export const Status = { malformed: -1, noRoom: -2, badProgram: -3, badArgument: -4 } as const

/** Sets that one intersection or union can have. */
export const MAX_SETS = 256
