/** Answers that are encoded once and sent often. */
import * as query from './convert/query.js'
import { guarded } from './guarded.js'
import { PROTOCOL_VERSION } from './limits.js'
import type * as q from './messages/query.js'
import { wire } from './wire.js'

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const FIELD_VERSION = 1
const FIELD_REQUEST_ID = 2
const FIELD_SENDER = 3
const FIELD_SEARCH_REPLY = 61
const FIELD_SEARCH_BATCH_REPLY = 63
const FIELD_REPLIES = 1
const FIELD_CACHED = 10
const FIELD_NUMBER = 11

/** Encoded SearchRequest, for keys. Throws InvalidInputError where it breaks the contract. */
export function encodeSearchRequest(request: q.SearchRequest): Uint8Array {
  return wire.SearchRequest.encode(query.searchRequest.toWire(request, 'searchRequest') ?? {}).finish()
}

/** Encoded SearchReply, to be kept in a cache and put into messages by `encodeReplies`. */
export function encodeSearchReply(reply: q.SearchReply): Uint8Array {
  return wire.SearchReply.encode(query.searchReply.toWire(reply, 'searchReply') ?? {}).finish()
}

/** Reads what `encodeSearchReply` wrote. Throws InvalidInputError. */
export function decodeSearchReply(bytes: Uint8Array): q.SearchReply {
  return query.searchReply.fromWire(
    guarded('searchReply', () => wire.SearchReply.decode(bytes)),
    'searchReply',
  )
}

/** What is appended: two bytes, and a tag with a double. */
const MARK_BYTES = 2 + 9

/** The same encoded reply as one that is `cached` and has a `number`. Cost: a copy. */
export function markCached(reply: Uint8Array, number: number): Uint8Array {
  // The last value of a field is the one that counts. A pool of small buffers would be held whole by one that is kept.
  const marked = Buffer.allocUnsafeSlow(reply.byteLength + MARK_BYTES)
  marked.set(reply)
  let at = putVarint(marked, putVarint(marked, reply.byteLength, (FIELD_CACHED << 3) | VARINT), 1)
  at = putVarint(marked, at, (FIELD_NUMBER << 3) | FIXED64)
  marked.writeDoubleLE(number, at)
  return marked
}

/**
 * One whole message with a SearchReply, or with a SearchBatchReply, made of replies that are encoded already. Cost: a copy, no
 * encoding.
 */
export function encodeReplies(
  requestId: number,
  sender: string,
  replies: readonly Uint8Array[],
  isBatch: boolean,
): Uint8Array {
  let bodyBytes = 0
  if (isBatch) for (const { byteLength } of replies) bodyBytes += 1 + varintBytes(byteLength) + byteLength
  else bodyBytes = replies[0]?.byteLength ?? 0
  // Instance ids are short; one that is not ASCII is written by its bytes.
  const senderBytes = Buffer.byteLength(sender)
  const headBytes = 2 + 1 + varintBytes(requestId) + 1 + varintBytes(senderBytes) + senderBytes
  const message = Buffer.allocUnsafeSlow(headBytes + 2 + varintBytes(bodyBytes) + bodyBytes)
  let at = putVarint(message, putVarint(message, 0, (FIELD_VERSION << 3) | VARINT), PROTOCOL_VERSION)
  at = putVarint(message, putVarint(message, at, (FIELD_REQUEST_ID << 3) | VARINT), requestId)
  at = putVarint(message, putVarint(message, at, (FIELD_SENDER << 3) | LENGTH_DELIMITED), senderBytes)
  at += message.write(sender, at)
  const field = isBatch ? FIELD_SEARCH_BATCH_REPLY : FIELD_SEARCH_REPLY
  at = putVarint(message, putVarint(message, at, (field << 3) | LENGTH_DELIMITED), bodyBytes)
  for (const reply of replies) {
    if (isBatch) {
      at = putVarint(message, putVarint(message, at, (FIELD_REPLIES << 3) | LENGTH_DELIMITED), reply.byteLength)
    }
    message.set(reply, at)
    at += reply.byteLength
  }
  return message
}

function varintBytes(value: number): number {
  let count = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count++
  return count
}

/** @returns where the next byte goes */
function putVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value
  let next = at
  while (rest >= 0x80) {
    target[next++] = (rest & 0x7f) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[next++] = rest
  return next
}
