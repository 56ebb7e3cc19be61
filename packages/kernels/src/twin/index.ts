import { crc32c } from '@hotpath/index-format'
import type { KernelFunctions } from '../kernel-functions.js'
import * as columns from './columns.js'
import { MemoryView } from './memory-view.js'
import * as names from './names.js'
import * as sets from './sets.js'

/**
 * The kernels in plain TypeScript over a memory: what tests compare the WebAssembly ones with, and what runs where
 * WebAssembly has no SIMD. Ten to fifty times slower; keeps nothing from name to name.
 */
export function twinKernels(buffer: ArrayBuffer): KernelFunctions {
  const memory = new MemoryView(buffer)
  return {
    initialise: () => undefined,
    crc32c: (at, length, seed) => crc32c(memory.bytes, at, at + length, seed),
    crc32cPages: (at, pageBytes, count, out) => {
      for (let page = 0; page < count; page++) {
        const start = at + page * pageBytes
        memory.setU32(out + page * 4, crc32c(memory.bytes, start, start + pageBytes))
      }
    },
    roaringCardinality: (...args) => sets.roaringCardinality(memory, ...args),
    intersect: (...args) => sets.intersect(memory, ...args),
    unite: (...args) => sets.unite(memory, ...args),
    intersectSorted: (...args) => sets.intersectSorted(memory, ...args),
    subtractSorted: (...args) => sets.subtractSorted(memory, ...args),
    uniteSorted: (...args) => sets.uniteSorted(memory, ...args),
    verifyBlocks: args => names.verifyBlocks(memory, args),
    scanArena: args => names.scanArena(memory, args),
    filterU32Range: (...args) => columns.filterU32Range(memory, ...args),
    popcountBits: (...args) => columns.popcountBits(memory, ...args),
    listBits: (...args) => columns.listBits(memory, ...args),
    unpackBits: (...args) => columns.unpackBits(memory, ...args),
    gatherBits: (...args) => columns.gatherBits(memory, ...args),
    gatherU32: (...args) => columns.gatherU32(memory, ...args),
    selectPacked: (...args) => columns.selectPacked(memory, ...args),
    filterSizes: (...args) => columns.filterSizes(memory, ...args),
    expandNames: (...args) => columns.expandNames(memory, ...args),
  }
}
