import { InvalidInputError } from '@hotpath/model'
import type { OpenedEntry } from '../search-backend.js'

/** Ids are 24 bytes in base64url. */
const ID = /^[A-Za-z0-9_-]{32}$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const KEYS = ['id', 'path', 'pathBytes'] as const

/** What the body of `POST /api/forget` names: an entry, or `{"all": true}`. Throws as `openedEntry` does. */
export function forgottenEntry(body: unknown): OpenedEntry | 'all' {
  if (typeof body !== 'object' || body === null || !('all' in body)) return openedEntry(body)
  const keys = Object.keys(body)
  if (body.all === true && keys.length === 1) return 'all'
  throw new InvalidInputError('body', '{"all": true} and nothing else', JSON.stringify(body).slice(0, 100))
}

/** What the body of `POST /api/launch` asks for: an entry by its path, and what is to be done with it. Throws as `openedEntry` does. */
export function launchOf(body: unknown): { readonly path: Uint8Array; readonly action: 'open' | 'reveal' } {
  if (typeof body !== 'object' || body === null || !('action' in body)) {
    throw new InvalidInputError(
      'body',
      'an object with "action", and "path" or "pathBytes"',
      JSON.stringify(body) ?? '',
    )
  }
  const { action, ...name } = body
  if (action !== 'open' && action !== 'reveal') {
    throw new InvalidInputError('action', '"open" or "reveal"', JSON.stringify(action)?.slice(0, 100) ?? '')
  }
  const entry = openedEntry(name)
  if (!('path' in entry) || entry.path[0] !== 0x2f) {
    throw new InvalidInputError(
      'path',
      'an absolute path, as text or in "pathBytes"',
      JSON.stringify(name).slice(0, 100),
    )
  }
  return { path: entry.path, action }
}

/** The entry that the body of `POST /api/open` names. Throws InvalidInputError for anything but exactly one name. */
export function openedEntry(body: unknown): OpenedEntry {
  const expected = 'an object with one of "id", "path" (text) and "pathBytes" (base64)'
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidInputError('body', expected, JSON.stringify(body)?.slice(0, 100) ?? 'nothing')
  }
  const entries: [string, unknown][] = Object.entries(body)
  const [first] = entries
  const key = KEYS.find(known => known === first?.[0])
  if (entries.length !== 1 || first === undefined || key === undefined) {
    throw new InvalidInputError('body', expected, JSON.stringify(Object.keys(body)).slice(0, 100))
  }
  const [, value] = first
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    throw new InvalidInputError(key, 'text that is not empty', JSON.stringify(value)?.slice(0, 100) ?? typeof value)
  }
  if (key === 'path') return { path: new TextEncoder().encode(value) }
  if (key === 'id') {
    if (!ID.test(value)) throw new InvalidInputError('id', 'the id of a hit', JSON.stringify(value.slice(0, 100)))
    return { id: value }
  }
  if (!BASE64.test(value)) throw new InvalidInputError('pathBytes', 'base64', JSON.stringify(value.slice(0, 100)))
  return { path: new Uint8Array(Buffer.from(value, 'base64')) }
}
