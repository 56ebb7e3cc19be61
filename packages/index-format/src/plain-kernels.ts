import type { BuildKernels } from './build-kernels.js'
import { crc32c } from './crc32c.js'
import { encodeGrams } from './encoded-grams.js'
import { largestRows, smallestRows } from './extreme-rows.js'
import { orderFiles } from './file-order.js'
import { encodeGroupedColumn } from './grouped-column.js'
import { findHeavySubstrings } from './heavy-table.js'
import { NameInterner, sortNames } from './name-set.js'
import { packArray } from './packed-array.js'
import { radixOrder } from './radix-order.js'
import { rowsOfNames } from './rows-of-names.js'
import { encodeSeconds } from './seconds-column.js'
import { PAGE_SIZE } from './segment-layout.js'
import { encodeSizeColumn, storableSize } from './size-column.js'

/** The loops of building and merging in TypeScript: the twin that faster ones are compared with. */
export const plainKernels: BuildKernels = {
  scope: work => work(),
  words: count => new Uint32Array(count),
  doubles: count => new Float64Array(count),
  own: array => array,
  distinctNames(names, rows) {
    const interner = new NameInterner(rows.length)
    const nameIds = new Uint32Array(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]
      nameIds[i] = interner.intern(names.bytes, names.offsets[row], names.offsets[row + 1])
    }
    const sorted = sortNames(interner)
    for (let i = 0; i < rows.length; i++) nameIds[i] = sorted.rank[nameIds[i]]
    return { names: sorted.names, nameIds }
  },
  sortNames: ({ bytes, offsets }, count) => sortNames({ bytes, offsets, count }),
  mergeNames: () => undefined,
  orderFiles,
  gather(source, order, out, mask = 0xff) {
    if (source instanceof Uint8Array) for (let i = 0; i < order.length; i++) out[i] = source[order[i]] & mask
    else for (let i = 0; i < order.length; i++) out[i] = source[order[i]]
  },
  radixOrder,
  rowsOfNames,
  encodeGrams,
  findHeavySubstrings,
  packArray,
  encodeGroupedColumn,
  encodeSizeColumn,
  limitSizes(sizes) {
    for (let row = 0; row < sizes.length; row++) sizes[row] = storableSize(sizes[row])
  },
  dropZeros(values) {
    for (let row = 0; row < values.length; row++) if (values[row] === 0) values[row] = Number.NaN
  },
  countUnknown(values) {
    let unknown = 0
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) unknown++
    return unknown
  },
  encodeSeconds,
  anySet: values => values.some(value => value !== 0),
  largestRows,
  smallestRows,
  crcPages(bytes, out, at) {
    for (let from = 0, page = at; from < bytes.length; from += PAGE_SIZE) {
      out[page++] = crc32c(bytes, from, from + PAGE_SIZE)
    }
  },
}
