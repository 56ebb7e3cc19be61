import { asciiOnly, keyOf } from '@hotpath/index-format'
import { tolerantSpans } from './fuzzy.js'
import { characterLength, holdsAt, matchesGlob } from './glob.js'
import type { GlobToken, NameTest, Predicate, RegexTest, Spelling } from './predicate.js'
import { findRegex, regexText } from './regex.js'
import { spelledKeyOf } from './spelled-key.js'
import { isWordBorder } from './words.js'

/** Half-open range of byte offsets, or, from `spansInText`, of UTF-16 offsets. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * The parts of a name that a query asked for, as ranges of its original bytes: ascending, apart from each other. What is
 * negated marks nothing; a glob marks what its literals matched, a regular expression its first match; of a path term the
 * part that the name can satisfy is marked. A mark covers whole characters with their combining marks.
 *
 * Cost: needles × bytes of the name; meant for the hits of a page.
 */
export function matchedSpans(predicate: Predicate, name: Uint8Array): Span[] {
  const marked = new Uint8Array(name.length)
  mark(predicate, name, marked)
  const spans: Span[] = []
  for (let at = 0; at < marked.length; ) {
    if (marked[at] === 0) {
      at++
      continue
    }
    const from = at
    while (at < marked.length && marked[at] === 1) at++
    spans.push({ from, to: at })
  }
  return spans
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The name as text (U+FFFD for invalid bytes) with the spans as offsets into it. */
export function spansInText(name: Uint8Array, spans: readonly Span[]): { text: string; spans: Span[] } {
  let text = ''
  let done = 0
  const inText = spans.map(({ from, to }) => {
    text += decoder.decode(name.subarray(done, from))
    const start = text.length
    text += decoder.decode(name.subarray(from, to))
    done = to
    return { from: start, to: text.length }
  })
  text += decoder.decode(name.subarray(done))
  return { text, spans: inText }
}

function mark(predicate: Predicate, name: Uint8Array, marked: Uint8Array): void {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      for (const part of predicate.parts) mark(part, name, marked)
      return
    case 'name':
      markTest(predicate.test, name, marked)
      return
    case 'path':
      if (predicate.end !== 'inside') markTest(predicate.tests.at(-1)!, name, marked)
      return
    case 'extension': {
      const aligned = align(name)
      for (const extension of predicate.extensions) {
        const from = aligned.key.length - extension.length
        if (from > 0 && aligned.key[from - 1] === 0x2e && holdsAt(aligned.key, from, aligned.key.length, extension)) {
          markKey(aligned, from, aligned.key.length, marked)
        }
      }
    }
  }
}

function markTest(test: NameTest, name: Uint8Array, marked: Uint8Array): void {
  if (test.mode === 'regex') {
    markRegex(test, name, marked)
    return
  }
  if (test.mode === 'fuzzy') {
    markTest({ mode: 'substring', needle: test.needle }, name, marked)
    if (marked.includes(1)) return
    for (const { from, to } of tolerantSpans(test, name)) marked.fill(1, from, to)
    return
  }
  const aligned = align(name, test.spelling)
  const { key } = aligned
  if (test.mode === 'glob') {
    const tokens = test.spelling?.tokens ?? test.tokens
    for (const { from, to } of literalPlaces(tokens, key)) markKey(aligned, from, to, marked)
    return
  }
  const needle = test.spelling?.needle ?? test.needle
  const last = key.length - needle.length
  if (last < 0 || needle.length === 0) return
  const from = test.mode === 'suffix' ? last : 0
  const to = test.mode === 'substring' || test.mode === 'suffix' ? last : 0
  if (test.mode === 'exact' && last !== 0) return
  for (let at = from; at <= to; at++) {
    if (!holdsAt(key, at, key.length, needle)) continue
    if (test.words && !(isWordBorder(key, at) && isWordBorder(key, at + needle.length))) continue
    markKey(aligned, at, at + needle.length, marked)
  }
}

function markRegex(test: RegexTest, name: Uint8Array, marked: Uint8Array): void {
  const aligned = align(name, test.subject)
  const { key } = aligned
  const match = findRegex(test, regexText(key))
  if (match === undefined) return
  // Offsets into the text become offsets into the key, piece by piece.
  let at = 0
  for (let unit = 0; at < key.length && unit < match.to; ) {
    const length = characterLength(key, at, key.length)
    if (unit >= match.from) markKey(aligned, at, at + length, marked)
    unit += length === 4 ? 2 : 1
    at += length
  }
}

/** Where the literals of a glob stand in `key`, each star taking as little as it can; empty if it does not match. */
function literalPlaces(tokens: readonly GlobToken[], key: Uint8Array): Span[] {
  const places: Span[] = []
  let at = 0
  for (const [index, token] of tokens.entries()) {
    const rest = tokens.slice(index + 1)
    if (token.kind === 'many') {
      while (at < key.length && !matchesGlob(rest, key, at)) at += characterLength(key, at, key.length)
    } else if (token.kind === 'one') {
      if (at === key.length) return []
      at += characterLength(key, at, key.length)
    } else if (token.kind === 'literal') {
      if (!holdsAt(key, at, key.length, token.bytes)) return []
      places.push({ from: at, to: at + token.bytes.length })
      at += token.bytes.length
    }
  }
  return at === key.length || tokens.at(-1)?.kind === 'many' ? places : []
}

/** A key with the cluster of the original name that each of its bytes comes from. */
interface AlignedKey {
  readonly key: Uint8Array
  /** For byte i of the key: where the cluster that it comes from starts and ends in the name. */
  readonly start: Uint32Array
  readonly end: Uint32Array
}

function align(name: Uint8Array, spelling?: Spelling): AlignedKey {
  const fold = (from: number, to: number) =>
    spelling ? spelledKeyOf(name.subarray(from, to), spelling) : keyOf(name, from, to)
  const key = fold(0, name.length)
  const start = new Uint32Array(key.length)
  const end = new Uint32Array(key.length)
  if (asciiOnly(name)) {
    for (let i = 0; i < key.length; i++) {
      start[i] = i
      end[i] = i + 1
    }
    return { key, start, end }
  }
  let filled = 0
  for (let at = 0; at < name.length; ) {
    const clusterEnd = endOfCluster(name, at)
    const part = fold(at, clusterEnd)
    if (!holdsAt(key, filled, key.length, part)) break
    start.fill(at, filled, filled + part.length)
    end.fill(clusterEnd, filled, filled + part.length)
    filled += part.length
    at = clusterEnd
  }
  // Parts that only make sense together (a mark between invalid bytes): the rest of the name is one cluster.
  if (filled < key.length) {
    start.fill(filled === 0 ? 0 : end[filled - 1]!, filled)
    end.fill(name.length, filled)
  }
  return { key, start, end }
}

/** A character with the marks, and the vowels and finals of Hangul, that can join it in a normal form. */
function endOfCluster(name: Uint8Array, at: number): number {
  let end = at + characterLength(name, at, name.length)
  while (end < name.length && name[end]! >= 0x80) {
    const next = end + characterLength(name, end, name.length)
    if (!/^[\p{M}\u1160-\u11ff]/u.test(decoder.decode(name.subarray(end, next)))) break
    end = next
  }
  return end
}

function markKey(aligned: AlignedKey, from: number, to: number, marked: Uint8Array): void {
  for (let i = from; i < to; i++) marked.fill(1, aligned.start[i]!, aligned.end[i]!)
}
