import { readFileSync } from 'node:fs'
import type { KernelFunctions } from './kernel-functions.js'

/** The compiled kernels. Opaque; can be posted to worker threads, which saves them the compilation. */
export interface KernelModule {
  readonly module: object
}

let loaded: KernelModule | undefined

/**
 * Reads and compiles the kernels, once a thread. Undefined where WebAssembly has no SIMD: then `createKernels` runs the
 * plain ones. Cost: some 5 ms the first time.
 */
export function loadWasm(): KernelModule | undefined {
  if (loaded === undefined) {
    const bytes = readFileSync(new URL('../generated/kernels.wasm', import.meta.url))
    try {
      loaded = { module: new WebAssembly.Module(bytes) }
    } catch (error) {
      // Without SIMD the module is not valid; all else is a broken build.
      if (error instanceof WebAssembly.CompileError) return undefined
      throw error
    }
  }
  return loaded
}

/** Zeroed memory that never grows. Throws RangeError if it cannot be had. */
export function createMemory(pages: number): ArrayBuffer {
  return createWasmMemory(pages).buffer
}

/** The functions of a module over a memory of its own. */
export function instantiate(module: KernelModule, pages: number): { buffer: ArrayBuffer; functions: KernelFunctions } {
  const memory = createWasmMemory(pages)
  const instance = new WebAssembly.Instance(module.module, { env: { memory } })
  return { buffer: memory.buffer, functions: checkedExports(instance.exports) }
}

function createWasmMemory(pages: number): WebAssembly.Memory {
  // Files are mapped over its pages; growing would change their protection and abort the process.
  return new WebAssembly.Memory({ initial: pages, maximum: pages })
}

const NAMES: readonly (keyof KernelFunctions)[] = [
  'initialise',
  'crc32c',
  'crc32cPages',
  'roaringCardinality',
  'intersect',
  'unite',
  'intersectSorted',
  'subtractSorted',
  'uniteSorted',
  'verifyBlocks',
  'scanArena',
  'filterU32Range',
  'popcountBits',
  'listBits',
  'unpackBits',
  'gatherBits',
  'gatherU32',
  'selectPacked',
  'filterSizes',
  'expandNames',
]

function isKernels(exports: object): exports is KernelFunctions {
  return NAMES.every(name => typeof Reflect.get(exports, name) === 'function')
}

function checkedExports(exports: object): KernelFunctions {
  if (!isKernels(exports)) throw new TypeError('kernels.wasm was built from other sources: run the generate script')
  return exports
}
