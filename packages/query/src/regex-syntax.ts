/**
 * A piece of a regular expression (RE2 syntax): what a literal character, an escape or a character class is written as.
 * Only as much is understood as is needed to change literals and to find those that every match must hold.
 */
export interface RegexPiece {
  readonly kind: 'literal' | 'escape' | 'class' | 'open' | 'close' | 'or' | 'start' | 'end' | 'any' | 'quantifier'
  /** As written. */
  readonly text: string
  /** Of a literal: the character that it stands for. */
  readonly character?: string
  /** Of a quantifier: none is enough. Of a group: its flags change what `^` and `$` mean. */
  readonly optional?: boolean
}

const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})\??/
const ESCAPE = /^\\(?:[pP]\{[^}]*\}|[pP][\s\S]|x\{[^}]*\}|x[0-9a-fA-F]{2}|[0-7]{1,3}|[\s\S])/u
const CLASS = /^\[\^?\]?(?:\[:[^\]]*:\]|\\[pPx]\{[^}]*\}|\\[\s\S]|[^\]\\])*\]/u
const GROUP = /^\((?:\?(?:P?<[^>]*>|[a-zA-Z-]*:?))?/

/** Takes a regular expression that compiles apart. Cost: its length. */
export function regexPieces(source: string): RegexPiece[] {
  const pieces: RegexPiece[] = []
  let quoting = false
  for (let at = 0; at < source.length; ) {
    const rest = source.slice(at)
    const piece = quoting ? quotedPiece(rest) : pieceAt(rest)
    if (piece.text === '\\Q') quoting = true
    if (piece.text === '\\E') quoting = false
    pieces.push(piece)
    at += piece.text.length
  }
  return pieces
}

function quotedPiece(rest: string): RegexPiece {
  return rest.startsWith('\\E') ? { kind: 'escape', text: '\\E' } : literal(rest)
}

function literal(rest: string): RegexPiece {
  const character = String.fromCodePoint(rest.codePointAt(0)!)
  return { kind: 'literal', text: character, character }
}

function pieceAt(rest: string): RegexPiece {
  switch (rest[0]) {
    case '\\': {
      const text = ESCAPE.exec(rest)?.[0] ?? rest[0]
      // A backslash before anything but a letter or digit takes its meaning away.
      return /^\\[\x20-\x7e]$/.test(text) && /[^A-Za-z0-9]$/.test(text)
        ? { kind: 'literal', text, character: text[1]! }
        : { kind: 'escape', text }
    }
    case '[':
      return { kind: 'class', text: CLASS.exec(rest)?.[0] ?? rest }
    case '(': {
      const text = GROUP.exec(rest)![0]
      return { kind: 'open', text, optional: /^\(\?[a-zA-Z-]*m/.test(text) }
    }
    case ')':
      return { kind: 'close', text: ')' }
    case '|':
      return { kind: 'or', text: '|' }
    case '^':
      return { kind: 'start', text: '^' }
    case '$':
      return { kind: 'end', text: '$' }
    case '.':
      return { kind: 'any', text: '.' }
    default: {
      const text = QUANTIFIER.exec(rest)?.[0]
      if (text === undefined) return literal(rest)
      return { kind: 'quantifier', text, optional: /^(?:[*?]|\{0*[,}]|\{,)/.test(text) }
    }
  }
}
