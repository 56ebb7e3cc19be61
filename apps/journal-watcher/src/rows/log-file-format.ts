/**
 * A file of a log of changes: docs/formats/change-log.md. All numbers are little-endian.
 *
 *   offset  size  field
 *        0     8  magic         48 50 52 4f 57 00 0d 0a  ("HPROW\0\r\n")
 *        8     4  version       1
 *       12     4  flags         1: contents are encrypted
 *       16    24  epoch         hexadecimal digits in ASCII
 *       40     8  number        f64: of this file; the one in its name
 *       48     8  firstSequence f64: of the first transaction that it can hold
 *       56     8  created       f64: milliseconds since 1970
 *       64    16  salt          of the file's key; 0 if not encrypted
 *       80    16  keyCheck      tells a wrong key; 0 if not encrypted
 *       96     4  reserved      0
 *      100     4  checksum      CRC-32C of bytes 0 … 99
 *
 * Then records, one after the other:
 *
 *        0     4  checksum      CRC-32C of everything from offset 4 to the end of the content
 *        4     4  length        of the content as it is stored
 *        8     1  flags         1: first part of a transaction, 2: last part, 4: the head has tables, 8: all tables (no transaction)
 *        9     3  reserved      0
 *       12     4  number        of the record within the file, rising; never given twice, also not after a transaction was given up
 *       16     8  sequence      f64: of the transaction
 *       24        content
 *
 * Versions: 1 first. Whoever finds another one begins a new epoch.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { crc32c } from '@hotpath/index-format'
import { MAX_CHANGE_BYTES, PART_BYTES } from '@hotpath/protocol'

export const ChangeLogLayout = {
  magic: [0x48, 0x50, 0x52, 0x4f, 0x57, 0x00, 0x0d, 0x0a],
  version: 1,
  headerFields: {
    magic: [0, 8],
    version: [8, 4],
    flags: [12, 4],
    epoch: [16, 24],
    number: [40, 8],
    firstSequence: [48, 8],
    created: [56, 8],
    salt: [64, 16],
    keyCheck: [80, 16],
    reserved: [96, 4],
    checksum: [100, 4],
  },
  recordFields: {
    checksum: [0, 4],
    length: [4, 4],
    flags: [8, 1],
    reserved: [9, 3],
    number: [12, 4],
    sequence: [16, 8],
  },
  headerBytes: 104,
  recordHeaderBytes: 24,
} as const

const { magic, headerFields, recordFields, headerBytes, recordHeaderBytes } = ChangeLogLayout
const ENCRYPTED = 1
const SALT_BYTES = 16
const TAG_BYTES = 16
const NONCE_BYTES = 12
/** Of a record's content: a part whose last change is the longest, with a head that describes all tables. */
export const MAX_CONTENT_BYTES = MAX_CHANGE_BYTES + PART_BYTES + 16 * 1024 * 1024

export const RecordFlag = { first: 1, last: 2, hasTables: 4, catalogue: 8 } as const

export interface LogFileHeader {
  readonly epoch: string
  readonly number: number
  readonly firstSequence: number
  /** Milliseconds since 1970. */
  readonly created: number
  /** Present where the contents are encrypted. */
  readonly salt?: Uint8Array
  readonly keyCheck?: Uint8Array
}

export interface LogRecord {
  readonly flags: number
  readonly number: number
  readonly sequence: number
  readonly content: Uint8Array
}

export function encodeLogHeader(header: LogFileHeader): Uint8Array {
  const bytes = Buffer.alloc(headerBytes)
  bytes.set(magic)
  bytes.writeUInt32LE(ChangeLogLayout.version, headerFields.version[0])
  bytes.writeUInt32LE(header.salt === undefined ? 0 : ENCRYPTED, headerFields.flags[0])
  bytes.write(header.epoch, headerFields.epoch[0], 'latin1')
  bytes.writeDoubleLE(header.number, headerFields.number[0])
  bytes.writeDoubleLE(header.firstSequence, headerFields.firstSequence[0])
  bytes.writeDoubleLE(header.created, headerFields.created[0])
  if (header.salt) bytes.set(header.salt, headerFields.salt[0])
  if (header.keyCheck) bytes.set(header.keyCheck, headerFields.keyCheck[0])
  bytes.writeUInt32LE(crc32c(bytes, 0, headerFields.checksum[0]), headerFields.checksum[0])
  return bytes
}

/** The header of a file, or undefined where there is none of this version. */
export function decodeLogHeader(bytes: Uint8Array): LogFileHeader | undefined {
  if (bytes.byteLength < headerBytes) return undefined
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, headerBytes)
  if (!magic.every((byte, i) => from[i] === byte)) return undefined
  if (from.readUInt32LE(headerFields.checksum[0]) !== crc32c(from, 0, headerFields.checksum[0])) return undefined
  if (from.readUInt32LE(headerFields.version[0]) !== ChangeLogLayout.version) return undefined
  const cut = ([at, size]: readonly [number, number]): Uint8Array => new Uint8Array(from.subarray(at, at + size))
  const isEncrypted = (from.readUInt32LE(headerFields.flags[0]) & ENCRYPTED) !== 0
  return {
    epoch: Buffer.from(cut(headerFields.epoch)).toString('latin1'),
    number: from.readDoubleLE(headerFields.number[0]),
    firstSequence: from.readDoubleLE(headerFields.firstSequence[0]),
    created: from.readDoubleLE(headerFields.created[0]),
    ...(isEncrypted && { salt: cut(headerFields.salt), keyCheck: cut(headerFields.keyCheck) }),
  }
}

/** Keys of one file: made from the database's key and the file's salt, so that no two files ever encrypt with the same one. */
export class FileCipher {
  readonly keyCheck: Uint8Array
  readonly #key: Buffer

  constructor(databaseKey: Uint8Array, salt: Uint8Array) {
    if (salt.byteLength !== SALT_BYTES) throw new RangeError(`a salt has ${SALT_BYTES} bytes`)
    const derived = Buffer.from(hkdfSync('sha256', databaseKey, salt, 'hotpath change log', 32 + SALT_BYTES))
    this.#key = derived.subarray(0, 32)
    this.keyCheck = new Uint8Array(derived.subarray(32))
  }

  /** `head` are the bytes of the record's header behind the checksum: they are authenticated with the content. */
  encrypt(head: Uint8Array, number: number, content: Uint8Array): Uint8Array {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(number)).setAAD(head)
    return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()])
  }

  /** Undefined where the content is not what was encrypted. */
  decrypt(head: Uint8Array, number: number, stored: Uint8Array): Uint8Array | undefined {
    const end = stored.byteLength - TAG_BYTES
    if (end < 0) return undefined
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonceOf(number), { authTagLength: TAG_BYTES })
    decipher.setAAD(head).setAuthTag(stored.subarray(end))
    try {
      return Buffer.concat([decipher.update(stored.subarray(0, end)), decipher.final()])
    } catch {
      return undefined
    }
  }
}

/** Header and content of a record, to be written one after the other. */
export function encodeLogRecord(record: LogRecord, cipher?: FileCipher): [Uint8Array, Uint8Array] {
  const { flags, number, sequence, content } = record
  const header = Buffer.alloc(recordHeaderBytes)
  header.writeUInt32LE(content.byteLength + (cipher ? TAG_BYTES : 0), recordFields.length[0])
  header.writeUInt8(flags, recordFields.flags[0])
  header.writeUInt32LE(number, recordFields.number[0])
  header.writeDoubleLE(sequence, recordFields.sequence[0])
  const stored = cipher ? cipher.encrypt(header.subarray(4), number, content) : content
  const checksum = crc32c(stored, 0, stored.byteLength, crc32c(header, 4))
  header.writeUInt32LE(checksum, recordFields.checksum[0])
  return [header, stored]
}

/** Length of the content that a header announces, or undefined if it cannot be one. */
export function contentLength(header: Uint8Array): number | undefined {
  const from = Buffer.from(header.buffer, header.byteOffset, recordHeaderBytes)
  const length = from.readUInt32LE(recordFields.length[0])
  return length > MAX_CONTENT_BYTES + TAG_BYTES ? undefined : length
}

/** A record from its header and stored content, or undefined if it is damaged. */
export function decodeLogRecord(header: Uint8Array, stored: Uint8Array, cipher?: FileCipher): LogRecord | undefined {
  const from = Buffer.from(header.buffer, header.byteOffset, recordHeaderBytes)
  const checksum = crc32c(stored, 0, stored.byteLength, crc32c(from, 4))
  if (from.readUInt32LE(recordFields.checksum[0]) !== checksum) return undefined
  const number = from.readUInt32LE(recordFields.number[0])
  const content = cipher ? cipher.decrypt(from.subarray(4), number, stored) : stored
  if (content === undefined) return undefined
  return {
    flags: from.readUInt8(recordFields.flags[0]),
    number,
    sequence: from.readDoubleLE(recordFields.sequence[0]),
    content,
  }
}

/** A number is given once within a file, and a file has its own key: no nonce is used twice. */
function nonceOf(number: number): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUInt32LE(number, 0)
  return nonce
}
