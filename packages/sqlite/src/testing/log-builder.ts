import { addChecksum, type Checksum, NO_CHECKSUM } from '../wal-checksum.js'

/** A log as SQLite would write it, frame by frame, from the format's description. */
export class LogBuilder {
  readonly #parts: Uint8Array[] = []
  #checksum: Checksum

  constructor(
    readonly pageSize: number,
    readonly bigEndian = false,
    readonly salts: readonly [number, number] = [0x01020304, 0xfffefdfc],
  ) {
    const header = new DataView(new ArrayBuffer(32))
    header.setUint32(0, bigEndian ? 0x377f0683 : 0x377f0682)
    header.setUint32(4, 3_007_000)
    header.setUint32(8, pageSize)
    header.setUint32(12, 5)
    header.setUint32(16, salts[0])
    header.setUint32(20, salts[1])
    const bytes = new Uint8Array(header.buffer)
    this.#checksum = addChecksum(NO_CHECKSUM, bytes, 0, 24, bigEndian)
    header.setUint32(24, this.#checksum.first)
    header.setUint32(28, this.#checksum.second)
    this.#parts.push(bytes)
  }

  /** @param commit pages of the database after it; 0 for a frame that ends no transaction */
  frame(page: number, commit: number, fill: number): this {
    const bytes = new Uint8Array(24 + this.pageSize).fill(fill)
    this.sign(bytes, page, commit)
    this.#parts.push(bytes)
    return this
  }

  /** Makes `bytes`, which have a page, the next frame; keeps nothing. */
  sign(bytes: Uint8Array, page: number, commit: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    view.setUint32(0, page)
    view.setUint32(4, commit)
    view.setUint32(8, this.salts[0])
    view.setUint32(12, this.salts[1])
    this.#checksum = addChecksum(this.#checksum, bytes, 0, 8, this.bigEndian)
    this.#checksum = addChecksum(this.#checksum, bytes, 24, bytes.length, this.bigEndian)
    view.setUint32(16, this.#checksum.first)
    view.setUint32(20, this.#checksum.second)
  }

  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts))
  }
}
