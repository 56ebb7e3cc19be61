import { readFileSync } from 'node:fs'
import type { PageSource } from '../page-source.js'
import type { ByteSource } from '../wal-reader.js'

/** A file in memory. */
export function bytesIn(file: string, bytes: Uint8Array = readFileSync(file)): ByteSource {
  return {
    file,
    read(offset, target) {
      const part = bytes.subarray(offset, offset + target.length)
      target.set(part)
      return part.length
    },
  }
}

/** The pages of a database in memory. */
export function pagesIn(file: string, bytes: Uint8Array, pageSize: number, usableSize: number): PageSource {
  return {
    file,
    pageSize,
    usableSize,
    pageCount: Math.floor(bytes.length / pageSize),
    page: no => bytes.subarray((no - 1) * pageSize, no * pageSize),
  }
}

/** Only pages that were put into it: one that was not is an error of the test. */
export class StrictPages {
  readonly pages = new Map<number, Uint8Array>()

  constructor(
    readonly pageSize: number,
    readonly usableSize: number,
  ) {}

  source(pageCount: number): PageSource {
    const { pages, pageSize, usableSize } = this
    return {
      file: 'shadow',
      pageSize,
      usableSize,
      pageCount,
      page(no) {
        const bytes = pages.get(no)
        if (bytes === undefined) throw new Error(`page ${no} was never taken over`)
        return bytes
      },
    }
  }
}
