import type { PageSet, PageSource } from '../page-source.js'
import type { PageCipher } from './page-cipher.js'

/** Of 4,096 bytes half a megabyte: the pages above those that one commit changed. */
const KEPT_PAGES = 128

/**
 * The pages of an encrypted source in clear. Keeps those used last, as decrypting costs more than reading.
 */
export class DecryptedPages implements PageSource {
  readonly #kept = new Map<number, Uint8Array>()

  /** @param keep how many pages; 0 for a source that is read once */
  constructor(
    readonly encrypted: PageSource,
    readonly cipher: PageCipher,
    readonly keep = KEPT_PAGES,
  ) {}

  get file(): string {
    return this.encrypted.file
  }

  get pageSize(): number {
    return this.cipher.pageSize
  }

  get usableSize(): number {
    return this.cipher.usableSize
  }

  get pageCount(): number {
    return this.encrypted.pageCount
  }

  page(no: number): Uint8Array {
    const kept = this.#kept.get(no)
    if (kept !== undefined) {
      // Last again in the order of the map, of which the first goes.
      this.#kept.delete(no)
      this.#kept.set(no, kept)
      return kept
    }
    const bytes = this.cipher.decrypt(no, this.encrypted.page(no), this.file)
    this.#kept.set(no, bytes)
    if (this.#kept.size > this.keep) this.#kept.delete(this.#kept.keys().next().value!)
    return bytes
  }

  /** Pages that the encrypted source has in another version now. */
  forget(pages: Iterable<number>): void {
    for (const no of pages) this.#kept.delete(no)
  }
}

/** The pages of an encrypted set, such as those of a commit, in clear. */
export function decryptedSet(pages: PageSet, cipher: PageCipher, file: string): PageSet {
  return {
    has: no => pages.has(no),
    get(no) {
      const bytes = pages.get(no)
      return bytes && cipher.decrypt(no, bytes, file)
    },
  }
}
