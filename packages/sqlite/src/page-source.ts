import { CorruptFileError } from '@hotpath/model'

/**
 * The pages of one state of a database, in clear. Whoever implements it reads; this package only asks.
 *
 * Bytes that were returned are changed by nobody afterwards. Errors of reading go through to the caller of whatever asked.
 */
export interface PageSource {
  /** Name of the database, for messages. */
  readonly file: string
  readonly pageSize: number
  readonly usableSize: number
  /** Pages of the database in this state: no others are asked for. */
  readonly pageCount: number
  /** @param no from 1 @returns `pageSize` bytes */
  page(no: number): Uint8Array
}

/** Some pages of a database, such as those of a commit. */
export interface PageSet {
  has(no: number): boolean
  /** Undefined where the set does not have it. */
  get(no: number): Uint8Array | undefined
}

/** `base` as it is after `pages` were written, with the size that the database then has. */
export function overlaid(base: PageSource, pages: PageSet, pageCount: number): PageSource {
  return {
    file: base.file,
    pageSize: base.pageSize,
    usableSize: base.usableSize,
    pageCount,
    page: no => pages.get(no) ?? base.page(no),
  }
}

/** A page of `source`, of which it is known that the source can have it. @param from where its number was found */
export function pageAt(source: PageSource, no: number, from: number): Uint8Array {
  if (!(no >= 1 && no <= source.pageCount))
    throw new CorruptFileError(source.file, from, `a page of the ${source.pageCount} of the database`, String(no))
  const bytes = source.page(no)
  if (bytes.length !== source.pageSize)
    throw new CorruptFileError(
      source.file,
      pageOffset(source, no),
      `a page of ${source.pageSize} bytes`,
      `${bytes.length}`,
    )
  return bytes
}

/** Position in the database of page `no`. */
export function pageOffset(source: PageSource, no: number): number {
  return (no - 1) * source.pageSize
}
