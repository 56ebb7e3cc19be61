import { CorruptFileError } from '@hotpath/model'
import { type DatabaseHeader, type PageCipher, parseDatabaseHeader, SQLCIPHER_4_PLAIN_HEADER } from '@hotpath/sqlite'

/** How pages of a database are stored. */
export interface PageCodec {
  readonly pageSize: number
  /** What of a page trees use. */
  readonly usableSize: number
  /** What else is kept of an encrypted database is encrypted with this; 32 bytes. */
  readonly logKey: Uint8Array | undefined
  /** Whether this first page, of what may be another database by now, is stored in this way. */
  fits(firstPage: Uint8Array): boolean
  /** The page in clear. Throws CorruptFileError where it was changed by somebody without the key. */
  plain(no: number, stored: Uint8Array): Uint8Array
}

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1')

/** Bytes of the header that are zero in every database ("reserved for expansion"), and beyond what SQLCipher may leave in clear. */
const ZERO_FROM = 72
const ZERO_TO = 92

export function isPlainDatabase(start: Uint8Array): boolean {
  return hasMagic(start) && !isHeaderAlone(start)
}

/** Whether the header begins in clear and goes on encrypted, as SQLCipher leaves it where the system is to see what the file is. */
export function isHeaderAlone(start: Uint8Array): boolean {
  if (!hasMagic(start) || start[20] !== SQLCIPHER_4_PLAIN_HEADER.reservedBytes) return false
  return start.subarray(ZERO_FROM, ZERO_TO).some(byte => byte !== 0)
}

function hasMagic(start: Uint8Array): boolean {
  return Buffer.compare(start.subarray(0, MAGIC.length), MAGIC) === 0
}

/** Throws CorruptFileError. */
export function plainCodec(file: string, start: Uint8Array): PageCodec {
  const header: DatabaseHeader = parseDatabaseHeader({ file, bytes: start, offset: 0 })
  return {
    pageSize: header.pageSize,
    usableSize: header.usableSize,
    logKey: undefined,
    fits: now => isPlainDatabase(now) && pageSizeOf(now) === header.pageSize,
    plain: (no, stored) => {
      if (stored.length === header.pageSize) return stored
      const at = (no - 1) * header.pageSize
      throw new CorruptFileError(file, at, `a page of ${header.pageSize} bytes`, `${stored.length}`)
    },
  }
}

/** Keys live as long as it does. */
export function encryptedCodec(file: string, cipher: PageCipher): PageCodec {
  return {
    pageSize: cipher.pageSize,
    usableSize: cipher.usableSize,
    logKey: cipher.keys.derived('hotpath log of changes'),
    fits: now => !isPlainDatabase(now) && cipher.verifies(1, now),
    plain: (no, stored) => cipher.decrypt(no, stored, file),
  }
}

/** As the header has it, whatever it is. */
function pageSizeOf(start: Uint8Array): number {
  const field = new DataView(start.buffer, start.byteOffset).getUint16(16)
  return field === 1 ? 65_536 : field
}
