import { InvalidInputError } from '@hotpath/model'

const FIRST_BYTES = 1_024
const LONE_SURROGATE = /\p{Surrogate}/u

/** Bytes that grow: little-endian numbers, texts and bytes one after the other. */
export class RowWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What was written; valid until the next write. */
  written(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#length)
  }

  /** A copy of what was written; begins anew, and keeps no more memory than a common part takes. */
  take(keepBytes: number): Uint8Array {
    const taken = new Uint8Array(this.written())
    this.#length = 0
    if (this.#bytes.length > keepBytes) this.#bytes = Buffer.allocUnsafe(FIRST_BYTES)
    return taken
  }

  u8(value: number): void {
    const at = this.#room(1)
    this.#bytes[at] = value
  }

  u16(value: number): void {
    const at = this.#room(2)
    this.#bytes.writeUInt16LE(value, at)
  }

  u32(value: number): void {
    const at = this.#room(4)
    this.#bytes.writeUInt32LE(value, at)
  }

  i8(value: number): void {
    const at = this.#room(1)
    this.#bytes.writeInt8(value, at)
  }

  i32(value: number): void {
    const at = this.#room(4)
    this.#bytes.writeInt32LE(value, at)
  }

  i64(value: bigint): void {
    const at = this.#room(8)
    this.#bytes.writeBigInt64LE(value, at)
  }

  f64(value: number): void {
    const at = this.#room(8)
    this.#bytes.writeDoubleLE(value, at)
  }

  /** Bytes after their length. */
  sized(bytes: Uint8Array): void {
    this.u32(bytes.byteLength)
    const at = this.#room(bytes.byteLength)
    this.#bytes.set(bytes, at)
  }

  /** UTF-8 after its length in bytes. Throws InvalidInputError for lone surrogates, which UTF-8 does not have. */
  text(value: string, what: string): void {
    if (LONE_SURROGATE.test(value))
      throw new InvalidInputError(what, 'text without lone surrogates', JSON.stringify(value))
    const bytes = Buffer.byteLength(value)
    this.u32(bytes)
    const at = this.#room(bytes)
    this.#bytes.write(value, at)
  }

  /** Replaces the number at `at`. */
  setU32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at)
  }

  #room(bytes: number): number {
    const at = this.#length
    const end = at + bytes
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
    }
    this.#length = end
    return at
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads what RowWriter wrote. Whatever reaches beyond the end throws InvalidInputError before anything is allocated. */
export class RowReader {
  readonly #view: DataView
  at = 0

  constructor(
    private readonly bytes: Uint8Array,
    private readonly what: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get atEnd(): boolean {
    return this.at === this.bytes.byteLength
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  i8(): number {
    return this.#view.getInt8(this.#take(1))
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true)
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  /** A view of bytes that stand after their length. */
  sized(): Uint8Array {
    const length = this.u32()
    const at = this.#take(length)
    return this.bytes.subarray(at, at + length)
  }

  text(): string {
    const at = this.at
    const bytes = this.sized()
    try {
      return UTF8.decode(bytes)
    } catch {
      throw new InvalidInputError(`${this.what} at byte ${at}`, 'UTF-8', 'other bytes')
    }
  }

  /** How many things of at least `least` bytes each follow: never more than there is room for. */
  count(least: number): number {
    const at = this.at
    const count = this.u32()
    if (count * least > this.bytes.byteLength - this.at)
      throw new InvalidInputError(`${this.what} at byte ${at}`, 'a number that fits what follows', String(count))
    return count
  }

  skip(bytes: number): void {
    this.#take(bytes)
  }

  refuse(expected: string, found: unknown): never {
    throw new InvalidInputError(`${this.what} at byte ${this.at}`, expected, String(found))
  }

  #take(bytes: number): number {
    const { at } = this
    if (bytes > this.bytes.byteLength - at)
      throw new InvalidInputError(`${this.what} at byte ${at}`, `${bytes} bytes`, `${this.bytes.byteLength - at}`)
    this.at = at + bytes
    return at
  }
}
