export { createBuildKernels } from './build/build-kernels.js'
export { rarestBytes } from './byte-frequency.js'
export { ScratchFullError } from './errors.js'
export {
  createKernels,
  type IdList,
  type KernelOptions,
  Kernels,
  type NameArena,
  type NameBlocks,
  type NameCounts,
  type NameRows,
  type Span,
  type VerifyRequest,
  type VerifyResult,
} from './kernels.js'
export { READ_PAST_BYTES, WASM_PAGE } from './memory-layout.js'
export {
  ANY_CHARACTER,
  ANY_CHARACTERS,
  type GlobStep,
  globPattern,
  type NameCondition,
  type Subject,
} from './name-condition.js'
export { compileNameProgram } from './name-program.js'
export type { Scratch } from './scratch.js'
export { type KernelModule, loadWasm } from './wasm-module.js'
