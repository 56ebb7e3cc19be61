import protobuf from 'protobufjs/minimal.js'
import { type hotpath, wire } from './wire.js'

/** Of a writer that is kept: a batch of a scan has half of it. */
const MAX_KEPT_BYTES = 1024 * 1024

let kept: protobuf.Writer | undefined

/**
 * Encodes an envelope into memory of its own. The writer, which doubles its memory and copies what it has as often as it is full, is kept for
 * the next one, unless that was large.
 */
export function encodeWire(envelope: hotpath.v1.Envelope.$Properties): Uint8Array {
  const writer = kept ?? protobuf.Writer.create()
  // What cannot be encoded leaves it in the middle of a message.
  kept = undefined
  const bytes = wire.Envelope.encode(envelope, writer).finish()
  if (bytes.byteLength <= MAX_KEPT_BYTES / 2) kept = writer.reset()
  return bytes
}
