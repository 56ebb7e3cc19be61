import { keyOf } from '@hotpath/index-format'
import type { RequiredText } from './predicate.js'
import { type RegexPiece, regexPieces } from './regex-syntax.js'

/** Texts of a pattern beyond which none are looked for: each costs the engine a lookup. */
const MAX_TEXTS = 32

const encoder = new TextEncoder()

/**
 * What the key of every name contains in which a regular expression is found; undefined if nothing is known.
 *
 * @param source compiles; outside of brackets its letters are folded as keys are, but for A–Z
 * @param ofKey it is matched with the key itself, not with another spelling. In other spellings only ASCII is sure to be
 * in the key as well, in one piece
 */
export function requiredText(source: string, ofKey: boolean): RequiredText | undefined {
  const pieces = regexPieces(source)
  // What a quantifier after `\\E` repeats is not worth finding out.
  if (pieces.some(({ text }) => text === '\\Q')) return undefined
  // `(?m)` lets `^` and `$` stand for the ends of lines.
  const lines = pieces.some(piece => piece.kind === 'open' && piece.optional)
  const required = new Reader(pieces, ofKey, !lines).alternatives()
  return required && countTexts(required) <= MAX_TEXTS ? required : undefined
}

class Reader {
  private at = 0

  constructor(
    private readonly pieces: readonly RegexPiece[],
    private readonly ofKey: boolean,
    private readonly anchors: boolean,
  ) {}

  /** Reads up to the end of the group. Every alternative must require something, or together they require nothing. */
  alternatives(): RequiredText | undefined {
    const parts: (RequiredText | undefined)[] = []
    for (;;) {
      parts.push(this.sequence())
      if (this.pieces[this.at]?.kind !== 'or') break
      this.at++
    }
    const known = parts.filter(part => part !== undefined)
    if (known.length < parts.length) return undefined
    return known.length === 1 ? known[0] : { kind: 'or', parts: known }
  }

  private sequence(): RequiredText | undefined {
    const parts: RequiredText[] = []
    let run: string[] = []
    let runStarts = false
    const flush = (ends: boolean) => {
      if (run.length > 0) {
        const mode = runStarts ? (ends ? 'exact' : 'prefix') : ends ? 'suffix' : 'substring'
        parts.push({ kind: 'text', mode, needle: keyOf(encoder.encode(run.join(''))) })
      }
      run = []
      runStarts = false
    }
    for (; this.at < this.pieces.length; this.at++) {
      const piece = this.pieces[this.at]!
      if (piece.kind === 'or' || piece.kind === 'close') break
      const quantifier = this.pieces[this.at + 1]?.kind === 'quantifier' ? this.pieces[this.at + 1]! : undefined
      switch (piece.kind) {
        case 'literal': {
          const known = isSameInKeys(piece.character!, this.ofKey)
          if (known && !quantifier?.optional) run.push(piece.character!)
          // What follows a repeated character stands beside its last repetition only.
          if (!known || quantifier) flush(false)
          break
        }
        case 'start':
          flush(false)
          runStarts = this.anchors && quantifier === undefined
          break
        case 'end':
          flush(this.anchors && quantifier === undefined)
          break
        case 'open': {
          flush(false)
          this.at++
          const inner = this.alternatives()
          const after = this.pieces[this.at + 1]
          if (inner && !(after?.kind === 'quantifier' && after.optional)) parts.push(inner)
          break
        }
        default:
          flush(false)
      }
    }
    flush(false)
    if (parts.length === 0) return undefined
    return parts.length === 1 ? parts[0] : { kind: 'and', parts }
  }
}

function countTexts(required: RequiredText): number {
  return required.kind === 'text' ? 1 : required.parts.reduce((sum, part) => sum + countTexts(part), 0)
}

/**
 * True if the character of a pattern can only match itself (or, if it is a letter of ASCII, its other case), so that it
 * is in the key as it is. Where letters have cases, a newer Unicode version may give one a new other case, and the engine
 * of regular expressions has its own tables; so those of the oldest alphabets only.
 */
function isSameInKeys(character: string, ofKey: boolean): boolean {
  const code = character.codePointAt(0)!
  if (code < 0x80) return true
  if (!ofKey) return false
  if (/^[\p{Lo}\p{Nd}]$/u.test(character) && character.toUpperCase() === character.toLowerCase()) return true
  // Greek and Cyrillic.
  return code >= 0x3b1 && code <= 0x52f && character === character.toLowerCase()
}
