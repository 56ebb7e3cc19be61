import { closeSync, fstatSync, openSync } from 'node:fs'
import { platform } from 'node:os'
import { InvalidInputError, UnavailableError } from '@hotpath/model'
import { Errno } from './errno.js'
import { SystemCallError, ViewTooLargeError } from './errors.js'
import { koffi } from './foreign.js'
import { checked, errno, libc } from './libc.js'
import { pageSize } from './memory.js'
import { mapView, unmapView } from './windows/file-view.js'

const PROT_READ = 1
const PROT_WRITE = 2
const MAP_SHARED = 0x01
const MAP_PRIVATE = 0x02
const MAP_FIXED = 0x10
const MAP_ANONYMOUS = 0x20

const ADVICE = { normal: 0, random: 1, sequential: 2, willneed: 3, dontneed: 4 } as const
export type MapAdvice = keyof typeof ADVICE

const isWindows = platform() === 'win32'

/** Node 20 aborts the process for a view that is one byte longer. */
export const MAX_VIEW_BYTES = 2 ** 32

/**
 * A file mapped read-only and shared. Reading after `unmap`, or past the end of a file that was cut short meanwhile,
 * kills the process: never truncate a mapped file, and unmap when no reader is left.
 */
export interface MappedFile {
  /** 0n for an empty file. Another thread may read the same mapping through its address. */
  readonly address: bigint
  readonly length: number
  /** The one view of the whole mapping (made at the first call); throws ViewTooLargeError above 4 GiB. */
  bytes(): Uint8Array
  /** Tells the kernel how [offset, offset + length) will be read; widened to whole pages, cut at the end of the file. Windows is not told. */
  advise(offset: number, length: number, advice: MapAdvice): void
  /** Safe to call again. */
  unmap(): void
}

/**
 * Maps a whole file read-only. `file` is a path or an open descriptor (which stays the caller's and may be closed at
 * once). Throws SystemCallError, on Windows WindowsCallError, NativeUnavailableError, or the error of node:fs if the path cannot be opened.
 */
export function mapFile(file: string | number, options: { readonly advice?: 'normal' | 'random' } = {}): MappedFile {
  const fd = typeof file === 'number' ? file : openSync(file, 'r')
  try {
    return new Mapping(fd, fstatSync(fd).size, typeof file === 'number' ? `descriptor ${file}` : file, options.advice)
  } finally {
    if (typeof file !== 'number') closeSync(fd)
  }
}

class Mapping implements MappedFile {
  readonly address: bigint
  readonly length: number
  readonly #what: string
  #view: Uint8Array | undefined
  #mapped: boolean

  constructor(fd: number, length: number, what: string, advice: 'normal' | 'random' = 'normal') {
    this.length = length
    this.#what = what
    this.#mapped = length > 0
    this.address = length === 0 ? 0n : BigInt(mapWhole(fd, length, what))
    if (advice !== 'normal') this.advise(0, length, advice)
  }

  bytes(): Uint8Array {
    if (this.length === 0) return new Uint8Array(0)
    this.#assertMapped()
    if (this.length > MAX_VIEW_BYTES) throw new ViewTooLargeError(this.#what, this.length, MAX_VIEW_BYTES)
    this.#view ??= new Uint8Array(koffi().view(this.address, this.length))
    return this.#view
  }

  advise(offset: number, length: number, advice: MapAdvice): void {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.length))
      throw new InvalidInputError('advise', `a range inside ${this.length} bytes`, `${offset} + ${length}`)
    if (length === 0) return
    this.#assertMapped()
    if (isWindows) return
    const start = offset - (offset % pageSize())
    const address = Number(this.address) + start
    // EAGAIN is "not now" for an advice that may be ignored anyway.
    if (libc().madvise(address, offset + length - start, ADVICE[advice]) === -1 && errno() !== Errno.EAGAIN)
      throw new SystemCallError('madvise', errno(), this.#what)
  }

  unmap(): void {
    if (!this.#mapped) return
    this.#mapped = false
    this.#view = undefined
    if (isWindows) unmapView(Number(this.address), this.#what)
    else checked('munmap', libc().munmap(Number(this.address), this.length), this.#what)
  }

  #assertMapped(): void {
    if (!this.#mapped) throw new UnavailableError(`${this.#what} is not mapped any more`)
  }
}

function mapWhole(fd: number, length: number, what: string): number {
  return isWindows ? mapView(fd, length, what) : map(0, length, PROT_READ, MAP_SHARED, fd, 0, what)
}

/** Whether files can be mapped over memory that is there already. Windows maps only to addresses that nobody has. */
export function canMapInto(): boolean {
  return !isWindows
}

/**
 * Puts pages of a file over [address, address + length) of memory that the caller has reserved (the buffer of a
 * WebAssembly.Memory whose initial and maximum size are equal): read-only, shared, so they cost no memory of their
 * own. The range is widened to whole pages: what stood in the rest of the last page is gone, too, and reads as what
 * follows in the file or zero. A store to it from WebAssembly traps, from JavaScript it kills the process.
 *
 * `address` and `fileOffset` must be multiples of the page size and the file must hold the range. Only where `canMapInto` says so.
 */
export function mapFileInto(
  address: bigint,
  fd: number,
  fileOffset: number,
  length: number,
  advice: MapAdvice = 'normal',
): void {
  assertRange('mapFileInto', address, length)
  if (!Number.isSafeInteger(fileOffset) || fileOffset < 0 || fileOffset % pageSize() !== 0)
    throw new InvalidInputError('mapFileInto', 'a file offset at a page', String(fileOffset))
  const size = fstatSync(fd).size
  if (fileOffset + length > size)
    throw new InvalidInputError('mapFileInto', `a range inside the file of ${size} bytes`, `${fileOffset} + ${length}`)
  map(Number(address), length, PROT_READ, MAP_SHARED | MAP_FIXED, fd, fileOffset, `descriptor ${fd}`)
  if (advice !== 'normal' && libc().madvise(Number(address), length, ADVICE[advice]) === -1)
    throw new SystemCallError('madvise', errno(), `descriptor ${fd}`)
}

/** Bytes that one call asks for: the kernel cuts what is asked for at the largest read of the device, often 1,280 KiB, and the rest is forgotten. */
const PREFETCH_BYTES = 256 * 1024

/**
 * Starts to read [address, address + length) of pages that mapFileInto put there, and returns before they are there. The
 * start is moved to its page. Cost where all is in memory already: some 1 µs a call and 0.1 µs a page.
 */
export function prefetchRange(address: bigint, length: number): void {
  const start = Number(address - (address % BigInt(pageSize())))
  const end = Number(address) + length
  for (let at = start; at < end; at += PREFETCH_BYTES) {
    const result = libc().madvise(at, Math.min(PREFETCH_BYTES, end - at), ADVICE.willneed)
    // EAGAIN is "not now" for an advice that may be ignored anyway.
    if (result === -1 && errno() !== Errno.EAGAIN) throw new SystemCallError('madvise', errno(), 'mapped pages')
  }
}

/** Undoes mapFileInto: zero pages, private and writable, over the same range (widened to whole pages). */
export function unmapInto(address: bigint, length: number): void {
  assertRange('unmapInto', address, length)
  map(Number(address), length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0, 'zero pages')
}

function assertRange(what: string, address: bigint, length: number): void {
  if (address <= 0n || address % BigInt(pageSize()) !== 0n)
    throw new InvalidInputError(what, 'an address at a page', `0x${address.toString(16)}`)
  if (!Number.isSafeInteger(length) || length <= 0)
    throw new InvalidInputError(what, 'a positive length', String(length))
}

function map(
  address: number,
  length: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
  what: string,
): number {
  const result = libc().mmap(address, length, protection, flags, fd, offset)
  // MAP_FAILED is (void *) -1: too large for a number, so the library hands over a bigint.
  if (typeof result !== 'number') throw new SystemCallError('mmap', errno(), what)
  return result
}
