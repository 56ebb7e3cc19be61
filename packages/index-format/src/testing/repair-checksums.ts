import { crc32c } from '../crc32c.js'
import { headerChecksum } from '../header-checksum.js'
import { HEADER_FIELDS, PAGE_SIZE, TOC_ENTRY_SIZE } from '../segment-layout.js'

/** Makes all checksums of a segment right again after its bytes were changed. The frame must be as it was written. */
export function repairChecksums(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const field = (name: keyof typeof HEADER_FIELDS): number => view.getUint32(HEADER_FIELDS[name][0], true)
  const tocOffset = field('tocOffset')
  const pageCrcs = tocOffset + field('sectionCount') * TOC_ENTRY_SIZE
  for (let page = 1; page < tocOffset / PAGE_SIZE; page++) {
    view.setUint32(pageCrcs + page * 4, crc32c(bytes, page * PAGE_SIZE, (page + 1) * PAGE_SIZE), true)
  }
  view.setUint32(HEADER_FIELDS.tocCrc[0], crc32c(bytes, tocOffset, bytes.length), true)
  repairHeader(bytes)
}

/** Makes the header's checksum right again. */
export function repairHeader(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setUint32(HEADER_FIELDS.headerCrc[0], headerChecksum(bytes), true)
}
