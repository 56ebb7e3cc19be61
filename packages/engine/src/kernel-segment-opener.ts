import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { MAX_SEGMENT_BYTES, PAGE_SIZE, SegmentReader } from '@hotpath/index-format'
import { createKernels, type KernelModule, type Kernels, READ_PAST_BYTES, WASM_PAGE } from '@hotpath/kernels'
import { CorruptFileError } from '@hotpath/model'
import { addressOf, canMapInto, mapFileInto, prefetchRange, unmapInto } from '@hotpath/platform'
import { KernelNameMatcher } from './kernel-name-matcher.js'
import type { OpenSegment, SegmentOpener } from './segment-opener.js'
import type { VerifyCrew } from './verify-crew.js'

/**
 * Bytes of address space in one memory. Where files are mapped, room for the segments of ten million entries and a merge of them, since
 * untouched pages cost nothing. Where they are copied (Windows), each memory is promised whole by the system when it is made: small ones.
 */
const MEMORY_BYTES = canMapInto() ? 1 << 30 : 64 << 20
/** Bytes for bitmaps and lists of one search: those of 16 million names. */
const SCRATCH_BYTES = 32 << 20

/** A piece of a memory. */
interface Region {
  readonly at: number
  readonly length: number
}

/** A WebAssembly memory into which segment files are mapped, or copied where that cannot be. */
class MappingMemory {
  readonly kernels: Kernels
  private readonly address: bigint
  private free: Region[]

  constructor(module: KernelModule | undefined, leastBytes: number) {
    const pages = Math.ceil(Math.max(MEMORY_BYTES, leastBytes + SCRATCH_BYTES + 4 * WASM_PAGE) / WASM_PAGE)
    this.kernels = createKernels({ memoryPages: Math.min(65536, pages), scratchBytes: SCRATCH_BYTES, module })
    this.address = addressOf(this.kernels.buffer)
    this.free = [{ at: this.kernels.mappingStart, length: this.kernels.bytes.length - this.kernels.mappingStart }]
  }

  /** True if nothing is mapped. */
  get isEmpty(): boolean {
    return this.free.length === 1 && this.free[0].at === this.kernels.mappingStart
  }

  addressOf({ at }: Region): bigint {
    return this.address + BigInt(at)
  }

  /** Maps a whole file; undefined if there is no room. */
  map(fd: number, length: number): Region | undefined {
    const needed = Math.ceil((length + READ_PAST_BYTES) / PAGE_SIZE) * PAGE_SIZE
    const index = this.free.findIndex(region => region.length >= needed)
    if (index < 0) return undefined
    const { at, length: room } = this.free[index]
    if (canMapInto()) mapFileInto(this.address + BigInt(at), fd, 0, length, 'random')
    else readWhole(fd, this.kernels.bytes.subarray(at, at + length))
    if (room === needed) this.free.splice(index, 1)
    else this.free[index] = { at: at + needed, length: room - needed }
    return { at, length: needed }
  }

  unmap(region: Region): void {
    if (canMapInto()) unmapInto(this.address + BigInt(region.at), region.length)
    this.free.push(region)
    this.free.sort((a, b) => a.at - b.at)
    const merged: Region[] = []
    for (const piece of this.free) {
      const last = merged[merged.length - 1]
      if (last && last.at + last.length === piece.at)
        merged[merged.length - 1] = { at: last.at, length: last.length + piece.length }
      else merged.push(piece)
    }
    this.free = merged
  }
}

/**
 * Maps segment files into the memory of the kernels, so that nothing is copied and unread pages cost nothing. On Windows, which maps
 * nothing over memory that is there, each worker has a copy of them.
 */
export class KernelSegmentOpener implements SegmentOpener {
  private readonly memories: MappingMemory[] = []

  /** @param crew other threads that help to verify names */
  constructor(
    private readonly module: KernelModule | undefined,
    private readonly crew?: VerifyCrew,
  ) {}

  open(file: string): OpenSegment {
    const fd = openSync(file, 'r')
    try {
      const { size } = fstatSync(fd)
      if (size < PAGE_SIZE || size > MAX_SEGMENT_BYTES) {
        throw new CorruptFileError(file, 0, `${PAGE_SIZE} to ${MAX_SEGMENT_BYTES} bytes`, `${size}`)
      }
      const { memory, region } = this.place(fd, size)
      try {
        const { kernels } = memory
        const bytes = kernels.bytes.subarray(region.at, region.at + size)
        const crc = (_: Uint8Array, start: number, end: number): number =>
          kernels.crc32c({ at: region.at + start, length: end - start })
        const start = memory.addressOf(region)
        const prefetch = (offset: number, length: number) => prefetchRange(start + BigInt(offset), length)
        const reader = new SegmentReader(file, bytes, crc, canMapInto() ? prefetch : undefined)
        reader.expectTables()
        return {
          reader,
          matchers: {
            d: new KernelNameMatcher(kernels, reader, 'd', this.crew),
            f: new KernelNameMatcher(kernels, reader, 'f', this.crew),
          },
          close: () => this.release(memory, region),
        }
      } catch (error) {
        this.release(memory, region)
        throw error
      }
    } finally {
      closeSync(fd)
    }
  }

  private place(fd: number, size: number): { memory: MappingMemory; region: Region } {
    for (const memory of this.memories) {
      const region = memory.map(fd, size)
      if (region) return { memory, region }
    }
    const memory = new MappingMemory(this.module, size)
    const region = memory.map(fd, size)
    if (region === undefined) throw new RangeError(`no address space for a segment of ${size} bytes`)
    this.memories.push(memory)
    return { memory, region }
  }

  private release(memory: MappingMemory, region: Region): void {
    memory.unmap(region)
    // The first memory is kept; others go when their last segment does.
    if (memory.isEmpty && this.memories.indexOf(memory) > 0) this.memories.splice(this.memories.indexOf(memory), 1)
  }
}

/** Throws CorruptFileError if the file ends before `into` is full. */
function readWhole(fd: number, into: Uint8Array): void {
  for (let at = 0; at < into.length; ) {
    const count = readSync(fd, into, at, into.length - at, at)
    if (count === 0) throw new CorruptFileError(`descriptor ${fd}`, at, `${into.length} bytes`, 'the end of the file')
    at += count
  }
}
