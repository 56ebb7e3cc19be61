import { platform } from 'node:os'
import { InvalidInputError } from '@hotpath/model'
import { koffi } from './foreign.js'
import { libc } from './libc.js'

const SC_PAGESIZE = 30
/** On all machines that Node runs on. */
const WINDOWS_PAGE_BYTES = 4096

let pageSizeBytes: number | undefined

/** Bytes of a page of memory on this machine. */
export function pageSize(): number {
  pageSizeBytes ??= platform() === 'win32' ? WINDOWS_PAGE_BYTES : libc().sysconf(SC_PAGESIZE)
  return pageSizeBytes
}

/**
 * Where the buffer's bytes are. They stay there as long as the buffer lives, is not transferred, resized or (for a
 * WebAssembly.Memory) grown: the caller keeps it referenced.
 */
export function addressOf(buffer: ArrayBufferLike): bigint {
  if (buffer.byteLength === 0) throw new InvalidInputError('addressOf', 'a buffer with bytes', 'an empty one')
  return koffi().address(new Uint8Array(buffer))
}

/** A buffer that native calls fill: its bytes, as typed views, and its address as a number. */
export interface Arena {
  readonly buffer: ArrayBuffer
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly address: number
}

/** A zeroed arena of `sizeBytes`. */
export function createArena(sizeBytes: number): Arena {
  const buffer = new ArrayBuffer(sizeBytes)
  return { buffer, bytes: new Uint8Array(buffer), view: new DataView(buffer), address: Number(addressOf(buffer)) }
}
