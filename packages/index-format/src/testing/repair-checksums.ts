import { crc32c } from '../crc32c.js'
import { headerChecksum } from '../header-checksum.js'
import { HEADER_FIELDS, PAGE_SIZE, TOC_ENTRY_SIZE } from '../segment-layout.js'

/**
 * Makes all checksums of a segment right again after its bytes were changed: those that its frame says there are and that
 * have room in it. There must be a header.
 * @param good the segment as it was: checksums of pages that did not change are taken from it, which saves most of the time
 */
export function repairChecksums(bytes: Uint8Array, good?: Uint8Array): void {
  const { view, tocOffset, pages, pageCrcs } = frameOf(bytes)
  const from = good && frameOf(good)
  if (pageCrcs + pages * 4 <= bytes.length) {
    for (let page = 1; page < pages; page++) {
      const start = page * PAGE_SIZE
      const isKnown = from !== undefined && page < from.pages && samePage(bytes, from.bytes, start)
      const crc = isKnown
        ? from.view.getUint32(from.pageCrcs + page * 4, true)
        : crc32c(bytes, start, start + PAGE_SIZE)
      view.setUint32(pageCrcs + page * 4, crc, true)
    }
  }
  if (tocOffset <= bytes.length) view.setUint32(HEADER_FIELDS.tocCrc[0], crc32c(bytes, tocOffset, bytes.length), true)
  repairHeader(bytes)
}

function frameOf(
  bytes: Uint8Array,
): Record<'tocOffset' | 'pages' | 'pageCrcs', number> & { bytes: Uint8Array; view: DataView } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const tocOffset = view.getUint32(HEADER_FIELDS.tocOffset[0], true)
  const sections = view.getUint32(HEADER_FIELDS.sectionCount[0], true)
  const pages = Math.floor(tocOffset / PAGE_SIZE)
  return { bytes, view, tocOffset, pages, pageCrcs: tocOffset + sections * TOC_ENTRY_SIZE }
}

function samePage(a: Uint8Array, b: Uint8Array, start: number): boolean {
  return Buffer.compare(a.subarray(start, start + PAGE_SIZE), b.subarray(start, start + PAGE_SIZE)) === 0
}

/** Makes the header's checksum right again. */
export function repairHeader(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setUint32(HEADER_FIELDS.headerCrc[0], headerChecksum(bytes), true)
}
