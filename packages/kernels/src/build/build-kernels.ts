import { type BuildKernels, MAX_SIZE } from '@hotpath/index-format'
import * as columns from './build-columns.js'
import { encodeGrams } from './build-grams.js'
import { findHeavySubstrings } from './build-heavy.js'
import { BuildMemory } from './build-memory.js'
import { mergeNames } from './build-merge.js'
import { instantiateBuild } from './build-module.js'
import { internRows, recordStrings, sortAndEncode } from './build-names.js'

/**
 * Build kernels in WebAssembly over a memory of their own, which grows to what a segment needs and is reused for the next one:
 * touching fresh memory costs more than most of what is done with it. It is given back with the kernels themselves.
 * Undefined where WebAssembly has no vectors: then the plain ones have to do. Cost: some 5 ms.
 */
export function createBuildKernels(): BuildKernels | undefined {
  const instance = instantiateBuild()
  return instance && kernelsOver(new BuildMemory(instance.memory, instance.functions))
}

function kernelsOver(memory: BuildMemory): BuildKernels {
  const { functions } = memory
  /** Runs a loop over values that it may change, in the memory or by a copy there and back. */
  const inPlace = (values: Float64Array, work: (at: number) => void): void =>
    memory.scope(() => {
      const at = memory.place(values)
      work(at)
      if (!memory.holds(values)) values.set(memory.f64(at, values.length))
    })
  return {
    scope: work => memory.scope(work),
    words: count => memory.u32(memory.takeZeroed(count * 4), count),
    doubles: count => memory.f64(memory.takeZeroed(count * 8), count),
    own(array) {
      if (memory.holds(array)) return array
      const at = memory.place(array)
      const type = array.constructor as new (buffer: ArrayBufferLike, at: number, length: number) => typeof array
      return new type(memory.bytes.buffer, at, array.length)
    },
    distinctNames(names, rows) {
      const nameIds = memory.take(rows.length * 4)
      const mark = memory.used
      const numbers = memory.take(rows.length * 4)
      const interned = internRows(memory, names, rows, numbers)
      const rank = memory.take(interned.count * 4)
      const encoded = sortAndEncode(memory, interned, rank, mark, () =>
        functions.gatherU32(rank, numbers, rows.length, nameIds),
      )
      return { names: encoded, nameIds: memory.u32(nameIds, rows.length) }
    },
    sortNames(names, count) {
      const rank = memory.take(count * 4)
      const mark = memory.used
      const encoded = sortAndEncode(memory, recordStrings(memory, names, count), rank, mark)
      return { names: encoded, rank: memory.u32(rank, count) }
    },
    mergeNames: (dictionaries, used) => mergeNames(memory, dictionaries, used),
    orderFiles: (dirs, dirCount, names, nameCount) => columns.orderFiles(memory, dirs, dirCount, names, nameCount),
    gather: (source, order, out, mask = 0xff) => columns.gather(memory, source, order, out, mask),
    radixOrder: (values, count) => columns.radixOrder(memory, values, count),
    rowsOfNames: (nameIds, nameCount) => columns.rowsOfNames(memory, nameIds, nameCount),
    encodeGrams: (names, weights) => encodeGrams(memory, names, weights),
    findHeavySubstrings: (names, weights, grams, heavyBlocks) =>
      memory.scope(() => findHeavySubstrings(memory, names, weights, grams, heavyBlocks)),
    packArray: (values, count, width) => columns.packArray(memory, values, count, width),
    encodeGroupedColumn: (values, count) => columns.encodeGroupedColumn(memory, values, count),
    encodeSizeColumn: (sizes, count) => columns.encodeSizeColumn(memory, sizes, count),
    limitSizes: sizes => inPlace(sizes, at => functions.limitSizes(at, sizes.length, MAX_SIZE)),
    dropZeros: values => inPlace(values, at => functions.dropZeros(at, values.length)),
    countUnknown: values => memory.scope(() => functions.countUnknown(memory.place(values), values.length) >>> 0),
    encodeSeconds: seconds => columns.encodeSeconds(memory, seconds),
    anySet: values => memory.scope(() => functions.anySet(memory.place(values), values.length) !== 0),
    largestRows: (values, minor, skip) => columns.extremeRows(memory, values, minor, skip, false),
    smallestRows: (values, minor, skip) => columns.extremeRows(memory, values, minor, skip, true),
    crcPages: (bytes, out, at) => columns.crcPages(memory, bytes, out, at),
  }
}
