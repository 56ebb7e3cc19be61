import { RESULT_FIELDS, Status } from '../memory-layout.js'

/** Little-endian access to a kernel memory at any alignment; positions are unsigned. */
export class MemoryView {
  readonly bytes: Uint8Array
  private readonly fields: DataView

  constructor(buffer: ArrayBuffer) {
    this.bytes = new Uint8Array(buffer)
    this.fields = new DataView(buffer)
  }

  u16(at: number): number {
    return this.bytes[at] | (this.bytes[at + 1] << 8)
  }

  u32(at: number): number {
    return this.fields.getUint32(at, true)
  }

  setU32(at: number, value: number): void {
    this.fields.setUint32(at, value, true)
  }

  setF64(at: number, value: number): void {
    this.fields.setFloat64(at, value, true)
  }

  /** Reports damage at an address. */
  malformed(at: number): number {
    this.setU32(RESULT_FIELDS.offset, at)
    return Status.malformed
  }
}
