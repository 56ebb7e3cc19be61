import { CorruptFileError } from '@hotpath/model'
import { uint32At } from './big-endian.js'
import type { BtreePage, Cell } from './btree-page.js'
import { type PageSource, pageAt, pageOffset } from './page-source.js'

/** The number of the next page is before the bytes of each. */
const NEXT_BYTES = 4

/** Pages of the chain that has what of `cell` is not on its page. */
export function overflowPages(cell: Cell, usableSize: number): number {
  return Math.ceil((cell.payloadBytes - cell.localBytes) / (usableSize - NEXT_BYTES))
}

/**
 * Goes along the chain of `cell`.
 *
 * @param take gets each page's number and bytes
 * @throws CorruptFileError where the chain ends early, leaves the database or comes back to a page of its own
 */
export function followChain(
  source: PageSource,
  page: BtreePage,
  cell: Cell,
  take: (no: number, bytes: Uint8Array) => void,
): void {
  const length = overflowPages(cell, source.usableSize)
  if (length > source.pageCount)
    throw page.damage(cell.start, `an overflow chain of at most ${source.pageCount} pages`, length)
  let no = cell.overflow
  let from = pageOffset(source, page.no) + cell.end - NEXT_BYTES
  // Brent's way of finding a cycle: a page that is remembered twice as long each time.
  let remembered = 0
  let until = 1
  for (let index = 0; index < length; index++) {
    if (no === remembered)
      throw new CorruptFileError(source.file, from, 'an overflow chain that ends', `page ${no} again`)
    if (index === until) {
      remembered = no
      until *= 2
    }
    const bytes = pageAt(source, no, from)
    take(no, bytes)
    from = pageOffset(source, no)
    no = uint32At(bytes, 0)
  }
}

/**
 * The bytes of the record of `cell`, those of its overflow pages too. A view of the page where all are there.
 *
 * @param chain gets the numbers of the overflow pages
 */
export function payloadOf(source: PageSource, page: BtreePage, cell: Cell, chain?: (no: number) => void): Uint8Array {
  const local = page.bytes.subarray(cell.payloadStart, cell.payloadStart + cell.localBytes)
  if (cell.localBytes === cell.payloadBytes) return local
  const parts: Uint8Array[] = [local]
  let rest = cell.payloadBytes - cell.localBytes
  followChain(source, page, cell, (no, bytes) => {
    const part = bytes.subarray(NEXT_BYTES, Math.min(source.usableSize, NEXT_BYTES + rest))
    rest -= part.length
    parts.push(part)
    chain?.(no)
  })
  return Buffer.concat(parts, cell.payloadBytes)
}
