/**
 * A slot of a shadow: what the last step to another state of the database was, so that a process that is killed at any moment finds either the
 * state before it or the one behind it. Two take turns. All numbers are little-endian.
 *
 *   offset  size  field
 *        0     8  magic       48 50 53 4c 4f 54 0d 0a  ("HPSLOT\r\n")
 *        8     4  version     1
 *       12     4  checksum    CRC-32C of everything from offset 16 on
 *       16     8  step        f64, rising
 *       24     4  state       bytes of JSON
 *       28     4  page size
 *       32     4  pages
 *       36     4  reserved    0
 *       40        JSON (SavedState), then the page numbers (4 bytes each), then the pages, as they are stored in the database
 */
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs'
import { crc32c } from '@hotpath/index-format'
import type { LogPosition } from './log-tracker.js'
import { type PageOverlay, readWhole, writeWhole } from './page-overlay.js'

const MAGIC = Buffer.from('HPSLOT\r\n', 'latin1')
const VERSION = 1
const HEADER_BYTES = 40
const CHECKED_FROM = 16
/** Pages that are written and checked at a time. */
const PART_PAGES = 64
/** A slot that was longer is cut when it is written again. */
const KEPT_BYTES = 4 * 1024 * 1024
const MAX_STATE_BYTES = 65_536

/** Which state of the database the shadow has after a step. */
export interface SavedState {
  /** Of the log of changes, and the last transaction in it of which the shadow knows. */
  readonly epoch: string
  readonly sequence: number
  /** The database itself, as device and inode. */
  readonly file: string
  /** Which tables are followed, as JSON. */
  readonly tables: string
  /** Pages of the database. */
  readonly pageCount: number
  readonly log: LogPosition | null
}

export interface FoundSlot {
  readonly pageSize: number
  readonly step: number
  readonly state: SavedState
  /** Hands out the pages of the step. */
  eachPage(take: (no: number, bytes: Uint8Array) => void): void
}

export class ShadowSlot {
  readonly #fd: number

  /** Made if it is missing. */
  constructor(path: string) {
    // Unlike `r+` it makes the file, and unlike `a+` it writes where it is told.
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  }

  write(step: number, state: SavedState, pageSize: number, pages: PageOverlay | undefined): void {
    const numbers = pages?.numbers() ?? []
    const json = Buffer.from(JSON.stringify(state))
    const head = Buffer.alloc(HEADER_BYTES + json.length + 4 * numbers.length)
    head.set(MAGIC)
    head.writeUInt32LE(VERSION, 8)
    head.writeDoubleLE(step, 16)
    head.writeUInt32LE(json.length, 24)
    head.writeUInt32LE(pageSize, 28)
    head.writeUInt32LE(numbers.length, 32)
    head.set(json, HEADER_BYTES)
    for (const [i, no] of numbers.entries()) head.writeUInt32LE(no, HEADER_BYTES + json.length + 4 * i)
    const total = head.length + numbers.length * pageSize
    if (fstatSync(this.#fd).size > Math.max(total, KEPT_BYTES)) ftruncateSync(this.#fd, 0)
    let checksum = crc32c(head, CHECKED_FROM, head.length)
    for (let i = 0; i < numbers.length; i += PART_PAGES) {
      const part = Buffer.concat(numbers.slice(i, i + PART_PAGES).map(no => pages!.get(no)!))
      checksum = crc32c(part, 0, part.length, checksum)
      writeWhole(this.#fd, part, head.length + i * pageSize)
    }
    head.writeUInt32LE(checksum, 12)
    // Last: before it the checksum is wrong.
    writeWhole(this.#fd, head, 0)
  }

  /** Undefined where it is not whole. */
  read(): FoundSlot | undefined {
    const size = fstatSync(this.#fd).size
    const header = Buffer.alloc(HEADER_BYTES)
    if (readWhole(this.#fd, header, 0) < HEADER_BYTES || !header.subarray(0, 8).equals(MAGIC)) return undefined
    if (header.readUInt32LE(8) !== VERSION) return undefined
    const [jsonBytes, pageSize, count] = [24, 28, 32].map(at => header.readUInt32LE(at)) as [number, number, number]
    const headBytes = HEADER_BYTES + jsonBytes + 4 * count
    if (jsonBytes > MAX_STATE_BYTES || headBytes + count * pageSize > size) return undefined
    const head = Buffer.alloc(headBytes)
    readWhole(this.#fd, head, 0)
    let checksum = crc32c(head, CHECKED_FROM, headBytes)
    const part = Buffer.alloc(PART_PAGES * pageSize)
    for (let i = 0; i < count; i += PART_PAGES) {
      const bytes = part.subarray(0, Math.min(PART_PAGES, count - i) * pageSize)
      readWhole(this.#fd, bytes, headBytes + i * pageSize)
      checksum = crc32c(bytes, 0, bytes.length, checksum)
    }
    if (checksum !== header.readUInt32LE(12)) return undefined
    return {
      pageSize,
      step: header.readDoubleLE(16),
      state: JSON.parse(head.toString('utf8', HEADER_BYTES, HEADER_BYTES + jsonBytes)) as SavedState,
      eachPage: take => {
        for (let i = 0; i < count; i++) {
          const bytes = new Uint8Array(pageSize)
          readWhole(this.#fd, bytes, headBytes + i * pageSize)
          take(head.readUInt32LE(HEADER_BYTES + jsonBytes + 4 * i), bytes)
        }
      },
    }
  }

  get isEmpty(): boolean {
    return fstatSync(this.#fd).size === 0
  }

  clear(): void {
    ftruncateSync(this.#fd, 0)
  }

  sync(): void {
    fsyncSync(this.#fd)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
