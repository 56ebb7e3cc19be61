import { keyOf, utf8SequenceLength } from '@hotpath/index-format'
import type { GlobToken, Spelling } from './predicate.js'
import { spelledKeyOf } from './spelled-key.js'

const SLASH = 0x2f

/**
 * True if bytes[from … to) as a whole match the tokens. A star that failed is only ever retried further right, and a later
 * star makes the earlier ones of its kind final, so the cost is at most (bytes × tokens) for a name; for a path with `**`
 * that times the longest component. Allocates nothing.
 */
export function matchesGlob(tokens: readonly GlobToken[], bytes: Uint8Array, from = 0, to = bytes.length): boolean {
  let token = 0
  let at = from
  // Where the last `many`, and the last `deep` or `directories`, would be tried next; token -1: there was none.
  let manyToken = -1
  let manyAt = 0
  let deepToken = -1
  let deepAt = 0
  for (;;) {
    if (token === tokens.length) {
      if (at === to) return true
    } else {
      const step = tokens[token]!
      if (step.kind === 'literal') {
        if (holdsAt(bytes, at, to, step.bytes)) {
          at += step.bytes.length
          token++
          continue
        }
      } else if (step.kind === 'one') {
        if (at < to && bytes[at] !== SLASH) {
          at += characterLength(bytes, at, to)
          token++
          continue
        }
      } else {
        token++
        if (step.kind === 'many') {
          manyToken = token
          manyAt = at
        } else {
          deepToken = token
          deepAt = at
          // What came before can keep its place: the deep star reaches everything that another place would reach.
          manyToken = -1
        }
        continue
      }
    }
    if (manyToken >= 0) {
      if (manyAt === to) return false
      if (bytes[manyAt] !== SLASH) {
        manyAt += characterLength(bytes, manyAt, to)
        at = manyAt
        token = manyToken
        continue
      }
      manyToken = -1
    }
    if (deepToken < 0 || deepAt >= to) return false
    if (tokens[deepToken - 1]!.kind === 'directories') {
      const slash = bytes.subarray(deepAt, to).indexOf(SLASH)
      if (slash < 0) return false
      deepAt += slash + 1
    } else {
      deepAt += characterLength(bytes, deepAt, to)
    }
    at = deepAt
    token = deepToken
  }
}

/** Bytes of the character at bytes[at]: a UTF-8 sequence, or one byte that belongs to none. */
export function characterLength(bytes: Uint8Array, at: number, to: number): number {
  return bytes[at]! < 0x80 ? 1 : Math.max(1, utf8SequenceLength(bytes, at, to))
}

/** True if bytes[at …] starts with `literal` before `to`. */
export function holdsAt(bytes: Uint8Array, at: number, to: number, literal: Uint8Array): boolean {
  if (at + literal.length > to) return false
  for (let i = 0; i < literal.length; i++) if (bytes[at + i] !== literal[i]) return false
  return true
}

/** True if the text has a wildcard. */
export function hasWildcard(text: string): boolean {
  return /[*?]/.test(text)
}

const encoder = new TextEncoder()

/**
 * Tokens of one component: `*` (and a run of stars) is many, or, where `crossing` is set, a run of two or more is deep;
 * `?` is one. Literals are keys, or partial keys where `spelling` is given.
 */
export function componentTokens(text: string, spelling?: Spelling, crossing = false): GlobToken[] {
  const tokens: GlobToken[] = []
  for (const piece of text.match(/\*+|\?|[^*?]+/g) ?? []) {
    if (piece === '?') tokens.push({ kind: 'one' })
    else if (piece[0] === '*') tokens.push({ kind: crossing && piece.length > 1 ? 'deep' : 'many' })
    else {
      const raw = encoder.encode(piece)
      const bytes = spelling ? spelledKeyOf(raw, spelling) : keyOf(raw)
      if (bytes.length > 0) tokens.push({ kind: 'literal', bytes })
    }
  }
  return tokens
}

/**
 * Tokens of a whole path, given its components as text. A component `**`, which is never the last, stands for any number of
 * components; `below` turns what the tokens match into what lies below it.
 */
export function pathTokens(
  components: readonly string[],
  anchored: boolean,
  below: boolean,
  spelling?: Spelling,
): GlobToken[] {
  const tokens: GlobToken[] = anchored ? [] : [{ kind: 'directories' }]
  for (const component of components) {
    if (/^\*\*+$/.test(component)) {
      if (tokens.at(-1)?.kind !== 'directories') tokens.push({ kind: 'directories' })
      continue
    }
    tokens.push(...componentTokens(component, spelling, true))
    tokens.push({ kind: 'literal', bytes: Uint8Array.of(SLASH) })
  }
  if (below) tokens.push({ kind: 'deep' })
  else tokens.pop()
  return joinLiterals(tokens)
}

function joinLiterals(tokens: readonly GlobToken[]): GlobToken[] {
  const joined: GlobToken[] = []
  for (const token of tokens) {
    const previous = joined.at(-1)
    if (token.kind === 'literal' && previous?.kind === 'literal') {
      const bytes = new Uint8Array(previous.bytes.length + token.bytes.length)
      bytes.set(previous.bytes)
      bytes.set(token.bytes, previous.bytes.length)
      joined[joined.length - 1] = { kind: 'literal', bytes }
    } else {
      joined.push(token)
    }
  }
  return joined
}
