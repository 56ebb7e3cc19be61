import { copyRange } from './copy-range.js'
import { crc32c } from './crc32c.js'
import { HEADER_FIELDS, PAGE_SIZE } from './segment-layout.js'

/**
 * Checksum of the header page: CRC32C of its PAGE_SIZE bytes with the checksum field itself taken as zero. This rule, the
 * magic number and the version fields stay as they are in every version, so that a damaged file is told from a newer one.
 */
export function headerChecksum(page: Uint8Array): number {
  const [offset, size] = HEADER_FIELDS.headerCrc
  const copy = copyRange(page, 0, PAGE_SIZE)
  copy.fill(0, offset, offset + size)
  return crc32c(copy)
}
