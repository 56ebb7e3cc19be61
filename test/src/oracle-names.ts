import { keyOf } from '@hotpath/index-format'
import {
  type GlobToken,
  matchesRegex,
  type NameTest,
  type NeedleTest,
  nearnessOf,
  type Spelling,
  spelledKeyOf,
} from '@hotpath/query'

/** Bytes as a string of one character a byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

export function bytesOfLatin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}

/** The distinct names and directory names of a source, each with the spellings that tests look at (all as latin1). */
export class NameTable {
  /** The original bytes. */
  readonly raw: string[] = []
  readonly key: string[] = []
  private readonly numbers = new Map<string, number>()
  private readonly partialKeys = new Map<string, string[]>()

  /** Number of a name, which is added if it is new. */
  numberOf(raw: string): number {
    const known = this.numbers.get(raw)
    if (known !== undefined) return known
    const number = this.raw.length
    this.numbers.set(raw, number)
    this.raw.push(raw)
    this.key.push(latin1(keyOf(bytesOfLatin1(raw))))
    return number
  }

  find(raw: string): number | undefined {
    return this.numbers.get(raw)
  }

  /** For each name 1 if it passes the test, else 0. */
  passing(test: NameTest): Uint8Array {
    if (test.mode === 'regex') return Uint8Array.from(this.raw, raw => Number(matchesRegex(test, bytesOfLatin1(raw))))
    if (test.mode === 'fuzzy') {
      return Uint8Array.from(this.raw, raw => Number(nearnessOf(test, bytesOfLatin1(raw)) !== undefined))
    }
    const words = test.mode !== 'glob' && test.words === true
    const holds = holdsOf(test.mode === 'glob' ? test.tokens : test.needle, test.mode, words)
    const passed = Uint8Array.from(this.key, key => Number(holds(key)))
    const { spelling } = test
    if (spelling === undefined) return passed
    const spellingHolds = holdsOf('tokens' in spelling ? spelling.tokens : spelling.needle, test.mode, words)
    const spelled = this.spelled(spelling)
    return passed.map((value, number) => value & Number(spellingHolds(spelled[number]!)))
  }

  /** All names in a spelling. */
  spelled(spelling: Spelling): readonly string[] {
    const { keepCase, keepMarks, ascii } = spelling
    const kind = `${keepCase} ${keepMarks} ${ascii}`
    const known = this.partialKeys.get(kind)
    if (known?.length === this.raw.length) return known
    const made = this.raw.map(raw => latin1(spelledKeyOf(bytesOfLatin1(raw), spelling)))
    this.partialKeys.set(kind, made)
    return made
  }
}

function holdsOf(
  wanted: Uint8Array | readonly GlobToken[],
  mode: NameTest['mode'],
  words: boolean,
): (hay: string) => boolean {
  if (!(wanted instanceof Uint8Array)) {
    const expression = expressionOf(wanted)
    return hay => expression.test(characters(hay))
  }
  const needle = latin1(wanted)
  if (words) {
    const expression = wordsExpression(needle, mode as NeedleTest['mode'])
    return hay => expression.test(characters(hay))
  }
  switch (mode) {
    case 'exact':
      return hay => hay === needle
    case 'prefix':
      return hay => hay.startsWith(needle)
    case 'suffix':
      return hay => hay.endsWith(needle)
    default:
      return hay => hay.includes(needle)
  }
}

/** A needle that must not begin or end within a word, as a regular expression over `characters`. */
function wordsExpression(needle: string, mode: NeedleTest['mode']): RegExp {
  const word = '[\\p{L}\\p{N}\\p{M}]'
  const text = characters(needle)
  const isOpen = { front: mode === 'substring' || mode === 'suffix', back: mode === 'substring' || mode === 'prefix' }
  const front = isOpen.front ? (new RegExp(`^${word}`, 'u').test(text) ? `(?<!${word})` : '') : '^'
  const back = isOpen.back ? (new RegExp(`${word}$`, 'u').test(text) ? `(?!${word})` : '') : '$'
  return new RegExp(`${front}${escaped(text)}${back}`, 'u')
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

/** The tokens as a regular expression over `characters`. */
export function expressionOf(tokens: readonly GlobToken[]): RegExp {
  return new RegExp(`^${tokens.map(patternOf).join('')}$`, 'u')
}

function patternOf(token: GlobToken): string {
  switch (token.kind) {
    case 'literal':
      return escaped(characters(latin1(token.bytes)))
    case 'one':
      return '[^/]'
    case 'many':
      return '[^/]*'
    case 'deep':
      return '[^]*'
    case 'directories':
      return '(?:[^]*/)?'
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** A byte that belongs to no character becomes a lone low surrogate, which no valid text holds. */
const ESCAPED_BYTE = 0xdc00

/** Latin1 bytes as text in which each character of the name (or byte that belongs to none) is one code point. */
export function characters(bytes: string): string {
  if (/^[\0-\x7f]*$/.test(bytes)) return bytes
  const buffer = bytesOfLatin1(bytes)
  try {
    return decoder.decode(buffer)
  } catch {
    let text = ''
    for (let at = 0; at < buffer.length; ) {
      const length = [1, 2, 3, 4].find(count => at + count <= buffer.length && isValid(buffer.subarray(at, at + count)))
      text += length
        ? decoder.decode(buffer.subarray(at, at + length))
        : String.fromCharCode(ESCAPED_BYTE + buffer[at]!)
      at += length ?? 1
    }
    return text
  }
}

function isValid(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}
