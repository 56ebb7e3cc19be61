import { keyOf } from '@hotpath/index-format'
import type { Spelling } from './predicate.js'
import { type RegexPiece, regexPieces } from './regex-syntax.js'
import { spelledKeyOf } from './spelled-key.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export const CAPITAL = /[\p{Lu}\p{Lt}]/u

/** True if a pattern asks for separators: it has a `/`, or an escaped backslash. */
export function hasPatternSeparator(pattern: string): boolean {
  return regexPieces(pattern).some(
    ({ kind, text, character }) =>
      character === '/' || character === '\\' || (kind === 'class' && /\/|\\\\/.test(text) && !text.startsWith('[^')),
  )
}

/** The pattern with `/` where it has an escaped backslash: paths have one separator. */
export function withOneSeparator(pattern: string): string {
  return regexPieces(pattern)
    .map(({ kind, text, character }) => {
      if (character === '\\') return '/'
      return kind === 'class' ? text.replace(/\\([\s\S])/g, (whole, next) => (next === '\\' ? '/' : whole)) : text
    })
    .join('')
}

/** True if a pattern has capital letters that are not part of escapes. */
export function hasCapital(pattern: string): boolean {
  return regexPieces(pattern).some(({ kind, text }) => {
    if (kind === 'literal') return CAPITAL.test(text)
    return kind === 'class' && CAPITAL.test(text.replace(/\[:[^\]]*:\]|\\(?:[pPx]\{[^}]*\}|[pP]?[\s\S])/g, ''))
  })
}

/** Takes from the literals of a pattern what the spelling that it is compared with does not have. */
export function foldPattern(pattern: string, subject: Spelling | undefined): string {
  if (subject?.ascii) return subject.keepCase ? pattern : mapLiterals(pattern, lowerAscii)
  const text = mapText(pattern, part => {
    const composed = part.normalize('NFC')
    // Marks that belong to a letter go with it.
    return subject?.keepMarks ? composed : composed.replace(/([\p{L}\p{N}])[\u0300-\u036f]+/gu, '$1').normalize('NFC')
  })
  return mapLiterals(text, (character, single) => {
    if (character.codePointAt(0)! < 0x80) return character
    const raw = encoder.encode(character)
    const folded = decoder.decode(subject ? spelledKeyOf(raw, subject) : keyOf(raw))
    if ([...folded].length === 1) return folded
    // ß is ss, a mark by itself is nothing: a quantifier is for all of it. In brackets it has no single character to
    // stand for, and matches none.
    return single ? character : `(?:${folded})`
  })
}

function lowerAscii(character: string): string {
  return /^[A-Z]$/.test(character) ? character.toLowerCase() : character
}

/** What has a meaning of its own in a class. */
const CLASS_ESCAPE = /(\[:[^\]]*:\]|\\(?:[pPx]\{[^}]*\}|[pP]?[\s\S]))/u

/** Replaces runs of literal characters as a whole: a mark never joins the letter of an escape. */
function mapText(pattern: string, map: (text: string) => string): string {
  let mapped = ''
  let run = ''
  for (const { kind, text } of regexPieces(pattern)) {
    if (kind === 'literal' && !text.startsWith('\\')) {
      run += text
      continue
    }
    mapped += map(run)
    run = ''
    // Every other part of what is split is an escape.
    if (kind !== 'class') mapped += text
    else
      mapped += text
        .split(CLASS_ESCAPE)
        .map((part, i) => (i % 2 === 0 ? map(part) : part))
        .join('')
  }
  return mapped + map(run)
}

/** Replaces literal characters; `single` says that only one character can stand there. */
function mapLiterals(pattern: string, map: (character: string, single: boolean) => string): string {
  let quoting = false
  return regexPieces(pattern)
    .map((piece: RegexPiece) => {
      if (piece.text === '\\Q' || piece.text === '\\E') quoting = piece.text === '\\Q'
      if (piece.kind === 'literal') return piece.text.startsWith('\\') ? piece.text : map(piece.text, quoting)
      if (piece.kind !== 'class') return piece.text
      // What stands for itself in a class: escapes and named classes are passed over.
      return piece.text
        .split(CLASS_ESCAPE)
        .map((part, i) => (i % 2 === 0 ? [...part].map(character => map(character, true)).join('') : part))
        .join('')
    })
    .join('')
}
