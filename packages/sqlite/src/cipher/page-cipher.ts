import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import { CorruptFileError } from '@hotpath/model'
import { DATABASE_MAGIC } from '../database-header.js'
import { SALT_BYTES } from './cipher-key.js'
import type { CipherProfile, HashName } from './cipher-profile.js'
import type { PageKeys } from './page-keys.js'

const VECTOR_BYTES = 16
const MAGIC_BYTES = Buffer.from(DATABASE_MAGIC, 'latin1')
export const CODE_BYTES: Record<HashName, number> = { sha1: 20, sha256: 32, sha512: 64 }

/** Decrypts the pages of one database, those in frames of its log too. */
export class PageCipher {
  constructor(
    readonly profile: CipherProfile,
    readonly keys: PageKeys,
  ) {}

  get pageSize(): number {
    return this.profile.pageSize
  }

  get usableSize(): number {
    return this.profile.pageSize - this.profile.reservedBytes
  }

  /** Whether page `no` was encrypted with this key. Without codes nothing is known, and it is said to be. */
  verifies(no: number, bytes: Uint8Array): boolean {
    const { authentication } = this.profile
    if (authentication === null) return true
    const { usableSize } = this
    const number = Buffer.alloc(4)
    number.writeUInt32LE(no)
    const code = createHmac(authentication, this.keys.authenticationKey)
      .update(bytes.subarray(this.#plainBytes(no), usableSize + VECTOR_BYTES))
      .update(number)
      .digest()
    const start = usableSize + VECTOR_BYTES
    return timingSafeEqual(code, bytes.subarray(start, start + CODE_BYTES[authentication]))
  }

  /**
   * Page `no` in clear, with the bytes that are reserved as they were. Page 1 gets back the header that the salt stands in place of.
   *
   * @param file for messages
   * @throws CorruptFileError where its code does not fit: it was damaged, or encrypted with another key
   */
  decrypt(no: number, bytes: Uint8Array, file: string): Uint8Array {
    const { pageSize, usableSize } = this
    const offset = (no - 1) * pageSize
    if (bytes.length !== pageSize)
      throw new CorruptFileError(file, offset, `an encrypted page of ${pageSize} bytes`, `${bytes.length}`)
    if (!this.verifies(no, bytes))
      throw new CorruptFileError(file, offset, `page ${no} with the code of its content`, 'another code')
    const start = this.#plainBytes(no)
    const vector = bytes.subarray(usableSize, usableSize + VECTOR_BYTES)
    const decipher = createDecipheriv('aes-256-cbc', this.keys.key, vector).setAutoPadding(false)
    const page = Buffer.from(bytes)
    page.set(decipher.update(bytes.subarray(start, usableSize)), start)
    if (no === 1 && this.profile.plainHeaderBytes === 0) page.set(MAGIC_BYTES)
    return page
  }

  /** Bytes at the start of a page that are not encrypted. */
  #plainBytes(no: number): number {
    return no === 1 ? this.profile.plainHeaderBytes || SALT_BYTES : 0
  }
}
