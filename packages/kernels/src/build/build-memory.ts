import type { KernelArray } from '@hotpath/index-format'
import { InvalidInputError } from '@hotpath/model'
import type { BuildFunctions } from './build-module.js'

/** An array type over the memory. */
type ArrayType<T> = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => T

/**
 * The memory of the build kernels as arrays. What is handed out lies on a stack: `scope` takes it back. Arrays stay where they are
 * when the memory grows.
 */
export class BuildMemory {
  /** Every buffer that the memory had: it gets a new one as it grows, over the same bytes. */
  private readonly buffers = new WeakSet<ArrayBufferLike>()
  private whole: Uint8Array

  constructor(
    private readonly memory: WebAssembly.Memory,
    readonly functions: BuildFunctions,
  ) {
    this.whole = this.view()
  }

  /** Bytes of the memory as it is now. */
  get bytes(): Uint8Array {
    if (this.whole.buffer !== this.memory.buffer) this.whole = this.view()
    return this.whole
  }

  /** Bytes that are in use. */
  get used(): number {
    return this.functions.mark() >>> 0
  }

  scope<T>(work: () => T): T {
    const mark = this.functions.mark()
    try {
      return work()
    } finally {
      this.functions.release(mark)
    }
  }

  /** Address of `bytes` bytes with what stood there before. @throws InvalidInputError if the memory cannot grow so far */
  take(bytes: number): number {
    return this.found(bytes <= 0xffff_0000 ? this.functions.take(bytes) : 0, bytes)
  }

  /** The same, zeroed. */
  takeZeroed(bytes: number): number {
    return this.found(bytes <= 0xffff_0000 ? this.functions.takeZeroed(bytes) : 0, bytes)
  }

  /**
   * Takes back what was handed out since `mark`, but for spans (start and bytes, ascending): these are moved down to it.
   * @returns where each of them is now
   */
  keep(mark: number, spans: readonly (readonly [at: number, bytes: number])[]): number[] {
    this.functions.release(mark)
    // Each is moved to where it or one before it was, or below; what comes after it is still untouched.
    return spans.map(([at, bytes]) => {
      const to = this.take(bytes)
      this.bytes.copyWithin(to, at, at + bytes)
      return to
    })
  }

  /** Takes what was handed out last, at `base`, again with more room, its contents as they are. @returns its end */
  growInPlace(base: number, bytes: number): number {
    this.functions.release(base)
    this.take(bytes)
    return base + bytes
  }

  u8(at: number, count: number): Uint8Array {
    return this.array(Uint8Array, at, count)
  }

  u32(at: number, count: number): Uint32Array {
    return this.array(Uint32Array, at, count)
  }

  f64(at: number, count: number): Float64Array {
    return this.array(Float64Array, at, count)
  }

  /** Address of the array's contents: where it lies if that is here, else a copy. */
  place(array: KernelArray): number {
    if (this.buffers.has(array.buffer)) return array.byteOffset
    const at = this.take(array.byteLength)
    this.bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at)
    return at
  }

  /** True if the array lies here. */
  holds(array: KernelArray): boolean {
    return this.buffers.has(array.buffer)
  }

  private array<T>(type: ArrayType<T>, at: number, count: number): T {
    // The property is read first: it makes the present buffer known.
    return new type(this.bytes.buffer, at, count)
  }

  private view(): Uint8Array {
    const { buffer } = this.memory
    this.buffers.add(buffer)
    return new Uint8Array(buffer)
  }

  private found(at: number, bytes: number): number {
    if (at === 0) {
      throw new InvalidInputError(
        'segment',
        `what fits in ${this.bytes.length} bytes and what more can be had`,
        `${bytes}`,
      )
    }
    return at >>> 0
  }
}
