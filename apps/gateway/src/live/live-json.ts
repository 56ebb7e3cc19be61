import { InvalidInputError } from '@hotpath/model'
import { failureReply } from '../http/failure-reply.js'
import { parseSearchParams } from '../http/search-params.js'
import { freshReply, hitReply, type ShowName } from '../http/search-reply.js'
import type { SearchRequest } from '../search-backend.js'
import type { LiveHead, LiveMessage } from './live-message.js'
import type { PlacedRow } from './live-page.js'

/** What a consumer says over a WebSocket. */
export type LiveCommand =
  | { readonly type: 'subscribe'; readonly id: number; readonly request: SearchRequest }
  | { readonly type: 'unsubscribe'; readonly id: number }

const MAX_ID = 0xffff_ffff
const KEYS = { subscribe: ['type', 'id', 'search'], unsubscribe: ['type', 'id'] } as const

/** A command that cannot be carried out; `id` says whose it was, as far as that can be read. */
export class CommandFailure extends Error {
  constructor(
    readonly id: number | null,
    override readonly cause: unknown,
  ) {
    super('the command failed')
  }
}

/** Reads one message of a consumer. Throws CommandFailure for whatever would otherwise be ignored. */
export function parseCommand(text: string): LiveCommand {
  let id: number | null = null
  try {
    const value = jsonObject(text)
    id = isId(value.id) ? value.id : null
    const type = value.type === 'subscribe' || value.type === 'unsubscribe' ? value.type : undefined
    if (type === undefined) throw new InvalidInputError('type', 'subscribe or unsubscribe', brief(value.type))
    if (id === null) throw new InvalidInputError('id', `a whole number from 0 to ${MAX_ID}`, brief(value.id))
    const known: readonly string[] = KEYS[type]
    const unknown = Object.keys(value).find(key => !known.includes(key))
    if (unknown !== undefined) throw new InvalidInputError('message', known.join(', '), brief(unknown))
    if (type === 'unsubscribe') return { type, id }
    if (typeof value.search !== 'string') {
      throw new InvalidInputError('search', 'the parameters of a search as text', brief(value.search))
    }
    return { type, id, request: liveRequest(value.search) }
  } catch (cause) {
    throw new CommandFailure(id, cause)
  }
}

function liveRequest(search: string): SearchRequest {
  const request = parseSearchParams(search)
  if (request.countOnly) throw new InvalidInputError('count', 'limit=0 instead', 'count=1')
  if (request.explain) throw new InvalidInputError('explain', 'absent in a subscription', 'explain=1')
  return request
}

function jsonObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new InvalidInputError('message', 'JSON', 'something else')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidInputError('message', 'an object', brief(value))
  }
  return { ...value }
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_ID
}

function brief(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100)
}

/** A message to the consumer, as one line of JSON. */
export function liveJson(id: number, message: LiveMessage, showName: ShowName): string {
  const placed = ({ at, row, fuzzy }: PlacedRow) => ({ at, ...hitReply(row, showName, fuzzy) })
  switch (message.type) {
    case 'hits':
    case 'resync': {
      const { type, answer } = message
      const why = type === 'resync' ? { reason: message.reason } : {}
      const hits = answer.rows.map((row, at) => hitReply(row, showName, at >= answer.exactRows))
      return JSON.stringify({ type, id, ...why, ...headReply(answer), hits })
    }
    case 'change': {
      const { removed, changed, added } = message.difference
      const rows = { removed, changed: changed.map(placed), added: added.map(placed) }
      return JSON.stringify({ type: message.type, id, ...headReply(message.head), ...rows })
    }
    case 'away':
      return JSON.stringify({ type: message.type, id })
    case 'ended':
      return errorJson(id, message.error)
  }
}

/** The subscription `id` is over or has never begun; null: a message that named none. */
export function errorJson(id: number | null, error: unknown): string {
  return JSON.stringify({ type: 'error', id, ...failureReply(error).body })
}

function headReply({ total, fuzzyTotal, clock, fresh, partial }: LiveHead) {
  return { total, fuzzyTotal: fuzzyTotal ?? null, clock, fresh: freshReply(fresh), partial }
}
