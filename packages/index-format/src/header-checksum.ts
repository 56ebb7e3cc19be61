import { crc32c } from './crc32c.js'
import { HEADER_FIELDS, PAGE_SIZE } from './segment-layout.js'

/** What stands in the place of the checksum. */
const NO_CHECKSUM = new Uint8Array(HEADER_FIELDS.headerCrc[1])

/**
 * Checksum of the header page: CRC32C of its PAGE_SIZE bytes with the checksum field itself taken as zero. This rule, the
 * magic number and the version fields stay as they are in every version, so that a damaged file is told from a newer one.
 */
export function headerChecksum(page: Uint8Array): number {
  const [offset, size] = HEADER_FIELDS.headerCrc
  const before = crc32c(page, 0, offset)
  return crc32c(page, offset + size, PAGE_SIZE, crc32c(NO_CHECKSUM, 0, size, before))
}
