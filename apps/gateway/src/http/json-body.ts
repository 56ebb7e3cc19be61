import type { IncomingMessage } from 'node:http'
import { InvalidInputError } from '@hotpath/model'
import { BodyTooLargeError } from './failure-reply.js'

/** An action names at most one path: 4,096 bytes on Linux, in base64. */
export const MAX_BODY_BYTES = 8_192

/**
 * The JSON value in the body of a request, undefined if there is none. Only `application/json` is read: a form of
 * another site cannot send that type without asking first. Never holds more than MAX_BODY_BYTES.
 */
export async function readJsonBody(incoming: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  let sizeBytes = 0
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    sizeBytes += piece.length
    if (sizeBytes > MAX_BODY_BYTES) throw new BodyTooLargeError(`a body may hold ${MAX_BODY_BYTES} bytes`)
    pieces.push(piece)
  }
  if (sizeBytes === 0) return undefined
  const type = incoming.headers['content-type'] ?? ''
  if (!/^application\/json(;|$)/i.test(type)) {
    throw new InvalidInputError('content-type', 'application/json', JSON.stringify(type))
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch {
    throw new InvalidInputError('body', 'JSON', 'something else')
  }
}
