import { BLOCK_NAMES, keyOf, maxNamesBlockBytes, writeNamesBlock } from '@hotpath/index-format'
import type { NameCondition, Subject } from '../name-condition.js'
import { ANY_CHARACTER, ANY_CHARACTERS } from '../name-condition.js'
import { hasInitials, hasWordOf, hasWordStart } from '../twin/words.js'

/** mulberry32: the same numbers for the same seed, 0 … below. */
export function randomSource(seed: number): (below: number) => number {
  let state = seed | 0
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}

const PIECES = [
  'a',
  'A',
  'b',
  'lib',
  'LIB',
  'Lib',
  '7',
  'x',
  '.',
  '.png',
  '.tar.gz',
  'é',
  'É',
  'ß',
  '日',
  '-',
  'readme',
  '_',
].map(text => new TextEncoder().encode(text))
const STRAY = [0x80, 0xc3, 0xff, 0xed, 0xe2]

/** A name of pieces that repeat often, at times long or with bytes that are not UTF-8. */
export function randomName(random: (below: number) => number): Uint8Array {
  const bytes: number[] = []
  const pieces = random(12) === 0 ? 20 + random(60) : 1 + random(7)
  for (let i = 0; i < pieces; i++) {
    if (random(25) === 0) bytes.push(STRAY[random(STRAY.length)])
    else bytes.push(...PIECES[random(PIECES.length)])
  }
  if (random(200) === 0) while (bytes.length < 4000) bytes.push(...PIECES[random(PIECES.length)])
  return Uint8Array.from(bytes.slice(0, 4096))
}

export interface Dictionary {
  readonly names: readonly Uint8Array[]
  readonly keys: readonly Uint8Array[]
  readonly section: Uint8Array
  readonly offsets: Uint32Array
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

/** Distinct names as a dictionary. */
export function dictionaryOf(given: readonly Uint8Array[]): Dictionary {
  const distinct = new Map(given.map(name => [Buffer.from(name).toString('hex'), name]))
  const rows = [...distinct.values()].map(name => ({ name, key: keyOf(name) }))
  rows.sort((a, b) => compare(a.key, b.key) || compare(a.name, b.name))
  const names = byteStrings(rows.map(row => row.name))
  const keys = byteStrings(rows.map(row => row.key))
  const order = Uint32Array.from(rows, (_, i) => i)
  const offsets = new Uint32Array(Math.ceil(rows.length / BLOCK_NAMES) + 1)
  const section = new Uint8Array(maxNamesBlockBytes(names, keys, order, 0, rows.length))
  let at = 0
  for (let block = 0; block < offsets.length - 1; block++) {
    const to = Math.min(rows.length, (block + 1) * BLOCK_NAMES)
    at = writeNamesBlock(section, at, names, keys, order, block * BLOCK_NAMES, to)
    offsets[block + 1] = at
  }
  return { names: rows.map(row => row.name), keys: rows.map(row => row.key), section: section.slice(0, at), offsets }
}

export function byteStrings(items: readonly Uint8Array[]): { bytes: Uint8Array; offsets: Uint32Array } {
  const offsets = new Uint32Array(items.length + 1)
  items.forEach((item, i) => {
    offsets[i + 1] = offsets[i] + item.length
  })
  return { bytes: Buffer.concat(items), offsets }
}

/** A condition, with texts taken from the names so that it is often true. */
export function randomCondition(
  random: (below: number) => number,
  dictionary: Dictionary,
  depth = random(3),
): NameCondition {
  if (depth > 0) {
    const parts = Array.from({ length: random(4) }, () => randomCondition(random, dictionary, depth - 1))
    const kind = random(3)
    if (kind === 0) return { kind: 'not', part: randomCondition(random, dictionary, depth - 1) }
    return { kind: kind === 1 ? 'all' : 'any', parts }
  }
  const subject: Subject = random(4) === 0 ? 'original' : 'key'
  const from = (subject === 'key' ? dictionary.keys : dictionary.names)[random(dictionary.names.length)]
  const start = random(from.length + 1)
  const length = random(5) === 0 ? random(100) : random(6)
  switch (random(15)) {
    case 0:
      return { kind: 'constant', value: random(2) === 0 }
    case 1:
      return { kind: 'length', subject, min: random(12), max: random(3) === 0 ? Number.POSITIVE_INFINITY : random(90) }
    case 2:
      return { kind: 'nonAscii', subject }
    case 3:
    case 4: {
      const dot = from.lastIndexOf(0x2e)
      const first = from.indexOf(0x2e)
      const texts = ['png', 'gz', 'averylongextension', 'tar.gz'].map(text => new TextEncoder().encode(text))
      const own = [from.subarray(dot + 1), from.subarray(first + 1)]
      return { kind: 'extension', subject, extensions: [...texts, ...own].slice(random(4), 3 + random(4)) }
    }
    case 5:
      return { kind: 'prefix', subject, text: from.slice(0, length) }
    case 6:
      return { kind: 'suffix', subject, text: from.slice(Math.max(0, from.length - length)) }
    case 7:
      return { kind: 'exact', subject, text: from }
    case 8:
    case 9: {
      // Patterns are made of text: what stands between wildcards are whole characters.
      const pieces = characters(from).map(character => {
        if (random(6) === 0) return [ANY_CHARACTERS]
        const isStray = character.length === 1 && character[0] >= 0x80
        return isStray || random(6) === 0 ? [ANY_CHARACTER] : [...character]
      })
      pieces.splice(random(pieces.length + 1), random(5), [ANY_CHARACTERS])
      const pattern = pieces.flat()
      return { kind: 'glob', subject, pattern: Uint16Array.from(withoutTornEnd(pattern.slice(0, 300))) }
    }
    case 10:
    case 11: {
      if (random(2) === 0) return { kind: 'wordStart', text: from.slice(start, start + length) }
      const words = Array.from({ length: random(20) }, () =>
        Uint8Array.from(from.slice(random(from.length)).slice(0, random(8))),
      )
      return { kind: 'words', words }
    }
    case 12:
      return { kind: 'initials', letters: from.filter(() => random(3) > 0).slice(0, 1 + random(31)) }
    default:
      return { kind: 'contains', subject, text: from.slice(start, start + length) }
  }
}

/** The meaning of a condition, said as plainly as possible. */
export function holdsNaively(condition: NameCondition, key: Uint8Array, original: Uint8Array): boolean {
  const text = (subject: Subject) => Buffer.from(subject === 'key' ? key : original)
  switch (condition.kind) {
    case 'all':
      return condition.parts.every(part => holdsNaively(part, key, original))
    case 'any':
      return condition.parts.some(part => holdsNaively(part, key, original))
    case 'not':
      return !holdsNaively(condition.part, key, original)
    case 'constant':
      return condition.value
    case 'contains':
      return latin1(text(condition.subject)).includes(latin1(condition.text))
    case 'prefix':
      return text(condition.subject).subarray(0, condition.text.length).equals(condition.text)
    case 'suffix':
      return latin1(text(condition.subject)).endsWith(latin1(condition.text))
    case 'exact':
      return text(condition.subject).equals(condition.text)
    case 'glob':
      return globMatches([...condition.pattern], text(condition.subject), 0, 0, new Map())
    case 'extension':
      return condition.extensions.some(e => latin1(text(condition.subject)).endsWith(`.${latin1(e)}`))
    case 'length': {
      const count = characters(text(condition.subject)).length
      return count >= condition.min && count <= condition.max
    }
    case 'nonAscii':
      return text(condition.subject).some(byte => byte >= 0x80)
    case 'wordStart':
      return condition.text.length > 0 && hasWordStart(key, original, condition.text)
    case 'words':
      return hasWordOf(key, original, condition.words)
    case 'initials':
      return condition.letters.length > 0 && hasInitials(key, original, condition.letters)
  }
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

/** Splits into well-formed UTF-8 sequences and single bytes, by asking the decoder. */
export function characters(bytes: Uint8Array): Uint8Array[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const all: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    let length = 1
    for (let n = 2; n <= 4 && at + n <= bytes.length && bytes[at] >= 0x80; n++) {
      try {
        if ([...decoder.decode(bytes.subarray(at, at + n))].length === 1) length = n
      } catch {}
    }
    all.push(bytes.subarray(at, at + length))
    at += length
  }
  return all
}

/** The pattern without the last literal, which may have been cut within a character. */
function withoutTornEnd(pattern: readonly number[]): readonly number[] {
  let end = pattern.length
  if (end === 300) while (end > 0 && pattern[end - 1] < ANY_CHARACTER) end--
  return pattern.slice(0, end)
}

/** By recursion over (element, byte); wildcards take whole characters, counted from where they stand. */
function globMatches(
  pattern: readonly number[],
  text: Uint8Array,
  p: number,
  t: number,
  known: Map<number, boolean>,
): boolean {
  const state = p * 10000 + t
  const before = known.get(state)
  if (before !== undefined) return before
  const afterOne = () => t + characters(text.subarray(t, t + 4))[0].length
  let result: boolean
  if (p === pattern.length) result = t === text.length
  else if (pattern[p] === ANY_CHARACTERS) {
    result =
      globMatches(pattern, text, p + 1, t, known) ||
      (t < text.length && globMatches(pattern, text, p, afterOne(), known))
  } else if (t === text.length) result = false
  else if (pattern[p] === ANY_CHARACTER) result = globMatches(pattern, text, p + 1, afterOne(), known)
  else result = pattern[p] === text[t] && globMatches(pattern, text, p + 1, t + 1, known)
  known.set(state, result)
  return result
}
