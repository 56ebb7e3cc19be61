import { isUtf8 } from 'node:buffer'
import type { InvalidText } from '@hotpath/model'
import type { TextEncoding } from './database-header.js'

/** Below this, reading bytes one by one is faster than a call into the runtime. */
const SHORT_BYTES = 24

/** Text from `start` to `end` of `bytes`; where it is not valid in its encoding, a copy of its bytes. */
export function decodeText(
  bytes: Uint8Array,
  start: number,
  end: number,
  encoding: TextEncoding,
): string | InvalidText {
  if (start === end) return ''
  return encoding === 'utf-8' ? decodeUtf8(bytes, start, end) : decodeUtf16(bytes, start, end, encoding)
}

function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | InvalidText {
  if (end - start <= SHORT_BYTES) {
    let text = ''
    let at = start
    for (; at < end && bytes[at]! < 0x80; at++) text += String.fromCharCode(bytes[at]!)
    if (at === end) return text
  }
  const part = bufferOf(bytes, start, end)
  return isUtf8(part) ? part.toString('utf8') : { invalidText: copyOf(bytes, start, end) }
}

function decodeUtf16(bytes: Uint8Array, start: number, end: number, encoding: TextEncoding): string | InvalidText {
  const invalid = (): InvalidText => ({ invalidText: copyOf(bytes, start, end) })
  if ((end - start) % 2 !== 0) return invalid()
  const part = encoding === 'utf-16le' ? bufferOf(bytes, start, end) : Buffer.from(bytes.subarray(start, end)).swap16()
  const text = part.toString('utf16le')
  // With the flag `u` halves of a pair match only where the other half is missing.
  return /\p{Surrogate}/u.test(text) ? invalid() : text
}

function bufferOf(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
}

/** A copy that shares nothing, even where `bytes` is a Buffer, whose own `slice` does. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end))
}
