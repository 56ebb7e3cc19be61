/**
 * Columns on the wire: little-endian typed arrays in bytes fields. Decoding takes a view of the message (it keeps the
 * message in memory) or, where the field does not happen to be aligned, a copy. Nothing is believed before its length
 * was compared with the number of rows.
 */
import { InvalidInputError } from '@hotpath/model'

if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) throw new Error('hotpath needs a little-endian machine')

/** The bytes of a typed array, without a copy. */
export function bytesOf(column: Uint8Array | Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
}

function checkLength(bytes: Uint8Array, count: number, width: number, what: string): void {
  if (bytes.byteLength !== count * width)
    throw new InvalidInputError(what, `${count} values of ${width} bytes`, `${bytes.byteLength} bytes`)
}

/** A copy at offset 0 where the view would not be aligned to `width`. `Buffer.slice` would not copy. */
function aligned(bytes: Uint8Array, width: number): Uint8Array {
  return bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes)
}

export function u8Column(bytes: Uint8Array, count: number, what: string): Uint8Array {
  checkLength(bytes, count, 1, what)
  return plain(bytes)
}

export function u32Column(bytes: Uint8Array, count: number, what: string): Uint32Array {
  checkLength(bytes, count, 4, what)
  const from = aligned(bytes, 4)
  return new Uint32Array(from.buffer, from.byteOffset, count)
}

export function f64Column(bytes: Uint8Array, count: number, what: string): Float64Array {
  checkLength(bytes, count, 8, what)
  const from = aligned(bytes, 8)
  return new Float64Array(from.buffer, from.byteOffset, count)
}

/** `count + 1` offsets that rise from 0 to `end`. */
export function offsetsColumn(bytes: Uint8Array, count: number, end: number, what: string): Uint32Array {
  const offsets = u32Column(bytes, count + 1, what)
  if (offsets[0] !== 0) throw new InvalidInputError(what, '0 as first offset', String(offsets[0]))
  for (let i = 0; i < count; i++) {
    if (offsets[i + 1]! < offsets[i]!)
      throw new InvalidInputError(what, `ascending offsets, row ${i} starts at ${offsets[i]}`, String(offsets[i + 1]))
  }
  if (offsets[count] !== end) throw new InvalidInputError(what, `${end} as last offset`, String(offsets[count]))
  return offsets
}

/** The same bytes as a Uint8Array that is no Buffer, so that `slice` means the same everywhere. */
export function plain(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes
}
