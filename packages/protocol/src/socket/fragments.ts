/** Replies that are larger than one message should be. */
import { InvalidInputError } from '@hotpath/model'
import { type Envelope, encodeEnvelope } from '../envelope.js'
import { FRAGMENT_BYTES, MAX_REPLY_BYTES } from '../limits.js'
import type { Fragment } from '../messages/handshake.js'

/** The messages that carry an encoded reply: itself, or its fragments. */
export function fragmentsOf(bytes: Uint8Array, requestId: number, sender: string, size = FRAGMENT_BYTES): Uint8Array[] {
  if (bytes.byteLength <= size) return [bytes]
  const messages: Uint8Array[] = []
  for (let at = 0, index = 0; at < bytes.byteLength; at += size, index++) {
    const data = bytes.subarray(at, at + size)
    const moreFragments = at + size < bytes.byteLength
    const value = { index, totalBytes: bytes.byteLength, data }
    messages.push(
      encodeEnvelope({ requestId, sender, deadlineMs: 0, moreFragments, body: { type: 'fragment', value } }),
    )
  }
  return messages
}

/** Puts the fragments of one reply together. Memory grows with what has come, not with what was announced. */
export class Assembly {
  private readonly pieces: Uint8Array[] = []
  private byteCount = 0
  private totalBytes = 0

  /** The whole encoded envelope with the last piece, else undefined. Throws InvalidInputError where the pieces do not fit. */
  add(fragment: Fragment, envelope: Pick<Envelope, 'moreFragments'>): Uint8Array | undefined {
    if (fragment.index !== this.pieces.length)
      throw new InvalidInputError('fragment.index', String(this.pieces.length), String(fragment.index))
    if (fragment.index === 0) this.totalBytes = fragment.totalBytes
    if (fragment.totalBytes !== this.totalBytes || this.totalBytes > MAX_REPLY_BYTES)
      throw new InvalidInputError('fragment.totalBytes', String(this.totalBytes), String(fragment.totalBytes))
    this.byteCount += fragment.data.byteLength
    // An empty piece would let the list grow without bound.
    if (this.byteCount > this.totalBytes || fragment.data.byteLength === 0)
      throw new InvalidInputError('fragment.data', `${this.totalBytes} bytes in all`, String(this.byteCount))
    this.pieces.push(fragment.data)
    if (envelope.moreFragments) return undefined
    if (this.byteCount !== this.totalBytes)
      throw new InvalidInputError('fragment.data', `${this.totalBytes} bytes in all`, String(this.byteCount))
    return Buffer.concat(this.pieces, this.byteCount)
  }
}
