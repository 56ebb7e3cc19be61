import { fail, type Located, QueryFailure, type SyntaxNode, type TextNode } from './syntax.js'
import {
  CHARACTER_NAMES,
  type FunctionName,
  fullName,
  isCondition,
  isFunction,
  KNOWN_NAMES,
  takesComparator,
  takesPattern,
} from './vocabulary.js'

/** Bytes of UTF-8 in a query: far more than anyone types; bounds everything that follows. */
export const MAX_QUERY_BYTES = 4096
/** Terms and functions in a query: each costs the engine a pass. */
export const MAX_TERMS = 64
/** Groups, `!` and modifiers inside each other: bounds the recursion here and in whoever walks the tree. */
export const MAX_NESTING = 32

const WORD_END = /[ \t\r\n|<>]/
const SPACE = /[ \t\r\n]/
/** A character by its name or number. */
const NAMED_CHARACTER = /^(?:(quot|apos|amp|lt|gt)|#(\d{1,7})|#x([0-9a-f]{1,6})):(?!:)/i
/** Longest of them and what follows, in characters. */
const NAMED_CHARACTER_LENGTH = 10

/** Parses the text by the grammar of docs/query.md. Throws `QueryFailure`. */
export function parseSyntax(text: string): SyntaxNode {
  if (text.length > MAX_QUERY_BYTES || new TextEncoder().encode(text).length > MAX_QUERY_BYTES) {
    fail('limit', { position: 0, length: text.length }, `at most ${MAX_QUERY_BYTES} bytes`, 'a longer query')
  }
  return new Parser(text).parse()
}

class Parser {
  private at = 0
  private terms = 0
  private nesting = 0
  private openParentheses = 0
  /** Terms are patterns: what surrounds them said `regex:`. */
  private patterns = false

  constructor(private readonly text: string) {}

  parse(): SyntaxNode {
    this.skipSpace()
    if (this.at === this.text.length) return { type: 'everything', position: 0, length: this.text.length }
    const node = this.parseAnd()
    if (this.at < this.text.length) fail('syntax', this.here(1), 'a term', quote(this.text[this.at]!))
    return node
  }

  private parseAnd(): SyntaxNode {
    const parts = [this.parseOr()]
    for (;;) {
      this.skipSpace()
      if (this.atEnd()) return joined('and', parts)
      parts.push(this.parseOr())
    }
  }

  private parseOr(): SyntaxNode {
    const parts = [this.parseNot()]
    for (;;) {
      const before = this.at
      this.skipSpace()
      if (this.text[this.at] !== '|') {
        this.at = before
        return joined('or', parts)
      }
      this.at++
      this.skipSpace()
      parts.push(this.parseNot())
    }
  }

  private parseNot(): SyntaxNode {
    if (this.text[this.at] !== '!') return this.parsePrimary()
    const position = this.at
    this.at++
    this.skipSpace()
    const part = this.nested(position, () => this.parseNot())
    return { type: 'not', part, position, length: this.at - position }
  }

  private parsePrimary(): SyntaxNode {
    const character = this.text[this.at]
    if (character === '<') return this.parseGroup('>')
    if (character === '(' && !this.patterns) return this.parseGroup(')')
    if (this.namedCharacter() !== undefined) return this.parseTerm()
    const name = /^(?:[a-z][a-z-]+|utf8):(?!:)/i.exec(this.text.slice(this.at, this.at + 64))?.[0]
    return name === undefined ? this.parseTerm() : this.parseNamed(name)
  }

  private parseGroup(close: '>' | ')'): SyntaxNode {
    const position = this.at
    this.at++
    const outerParentheses = this.openParentheses
    this.openParentheses = close === ')' ? 1 : 0
    this.skipSpace()
    const node = this.nested(position, () => this.parseAnd())
    this.openParentheses = outerParentheses
    if (this.text[this.at] !== close) {
      fail('syntax', this.here(1), `${quote(close)} for the group opened at ${position + 1}`, this.found())
    }
    this.at++
    return node
  }

  private parseNamed(written: string): SyntaxNode {
    const position = this.at
    const name = fullName(written.slice(0, -1))
    if (name === undefined) {
      const length = written.length
      const message = `at ${position + 1}: unknown function ${written} (quote the term to search for it as text)`
      const expected = 'a known function or modifier'
      const known = KNOWN_NAMES
      throw new QueryFailure({ kind: 'error', code: 'unknown-function', position, length, expected, message, known })
    }
    this.at += written.length
    if (isFunction(name)) {
      const argument = this.parseArgument(written, name)
      this.countTerm(position)
      return { type: 'function', name, argument, position, length: this.at - position }
    }
    const type = isCondition(name) ? 'condition' : 'modifier'
    const standsAlone = this.atEnd() || /[ \t\r\n|]/.test(this.text[this.at]!)
    if (type === 'condition') this.countTerm(position)
    if (standsAlone) {
      if (type === 'modifier') fail('syntax', this.here(1), `a term after ${written}`, this.found())
      return { type: 'condition', name, part: undefined, position, length: written.length }
    }
    const outer = this.patterns
    if (name === 'regex' || name === 'noregex') this.patterns = name === 'regex'
    const part = this.nested(position, () => this.parseNot())
    this.patterns = outer
    return { type, name, part, position, length: this.at - position }
  }

  /** The text up to the end of the word, with a comparator at its start if the function knows them. */
  private parseArgument(written: string, name: FunctionName): TextNode {
    const position = this.at
    const start = this.text.slice(position, position + 2)
    const comparator = takesComparator(name) ? (/^[<>]=?/.exec(start)?.[0] ?? '') : ''
    this.at += comparator.length
    const text = comparator + (this.patterns && takesPattern(name) ? this.readPattern() : this.readWord())
    const argument: TextNode = { type: 'term', text, position, length: this.at - position }
    if (this.at === position) fail('syntax', this.here(1), `a value after ${written}`, this.found())
    return argument
  }

  private parseTerm(): SyntaxNode {
    const position = this.at
    const text = this.patterns ? this.readPattern() : this.readWord()
    if (this.at === position) fail('syntax', this.here(1), 'a term', this.found())
    this.countTerm(position)
    return { type: 'term', text, position, length: this.at - position }
  }

  /** Reads to the end of the word. Quotes keep everything together and vanish; `""` inside them is one quote. */
  private readWord(): string {
    let word = this.readNamedCharacters()
    let parentheses = 0
    while (this.at < this.text.length) {
      const character = this.text[this.at]!
      if (WORD_END.test(character)) break
      if (character === '"') {
        word += this.readQuoted()
        continue
      }
      if (character === '(') parentheses++
      if (character === ')') {
        // A parenthesis opened inside the word belongs to it, as in `copy(1).txt`.
        if (parentheses > 0) parentheses--
        else if (this.openParentheses > 0) break
      }
      word += character
      this.at++
    }
    return word
  }

  /**
   * Reads a regular expression to the end of the word. In its parentheses and brackets `|`, `<` and `>` belong to it, as
   * does any character after a backslash; quotes keep everything together as elsewhere.
   */
  private readPattern(): string {
    let pattern = this.readNamedCharacters()
    let parentheses = 0
    let inBrackets = false
    while (this.at < this.text.length) {
      const character = this.text[this.at]!
      if (SPACE.test(character)) break
      if (character === '"') {
        pattern += this.readQuoted()
        continue
      }
      if (character === '\\' && this.at + 1 < this.text.length) {
        pattern += this.text.slice(this.at, this.at + 2)
        this.at += 2
        continue
      }
      if (inBrackets) inBrackets = character !== ']'
      else if (character === '[') {
        // A bracket that comes first is a member of the class.
        const opening = /^\[\^?\]?/.exec(this.text.slice(this.at, this.at + 3))![0]
        pattern += opening
        this.at += opening.length
        inBrackets = true
        continue
      } else if (character === '(') parentheses++
      else if (character === ')') {
        if (parentheses > 0) parentheses--
        else if (this.openParentheses > 0) break
      } else if (parentheses === 0 && WORD_END.test(character)) break
      pattern += character
      this.at++
    }
    return pattern
  }

  /** Characters at the start of a word that are written by name or number. */
  private readNamedCharacters(): string {
    let characters = ''
    for (let next = this.namedCharacter(); next !== undefined; next = this.namedCharacter()) {
      if (next.character === undefined) {
        fail('value', { position: this.at, length: next.length }, 'the number of a character', quote(next.written))
      }
      characters += next.character
      this.at += next.length
    }
    return characters
  }

  /** `quot:` or `#65:` here; `character` is undefined if there is none of that number. */
  private namedCharacter(): { written: string; length: number; character: string | undefined } | undefined {
    const ahead = this.text.slice(this.at, this.at + NAMED_CHARACTER_LENGTH)
    const [written, name, decimal, hexadecimal] = NAMED_CHARACTER.exec(ahead) ?? []
    if (written === undefined) return undefined
    const length = written.length
    if (name !== undefined) {
      const character = CHARACTER_NAMES[name.toLowerCase() as keyof typeof CHARACTER_NAMES]
      return { written, length, character }
    }
    const number = decimal === undefined ? Number.parseInt(hexadecimal!, 16) : Number(decimal)
    const exists = number > 0 && number <= 0x10ffff && !(number >= 0xd800 && number <= 0xdfff)
    return { written, length, character: exists ? String.fromCodePoint(number) : undefined }
  }

  private readQuoted(): string {
    const position = this.at
    let phrase = ''
    this.at++
    for (;;) {
      const end = this.text.indexOf('"', this.at)
      if (end < 0) {
        this.at = this.text.length
        fail('syntax', this.here(0), `'"' for the phrase opened at ${position + 1}`, 'the end of the query')
      }
      phrase += this.text.slice(this.at, end)
      this.at = end + 1
      if (this.text[this.at] !== '"') return phrase
      phrase += '"'
      this.at++
    }
  }

  private nested<T>(position: number, parse: () => T): T {
    if (++this.nesting > MAX_NESTING) {
      fail('limit', { position, length: 1 }, `at most ${MAX_NESTING} levels of nesting`, 'one more')
    }
    const result = parse()
    this.nesting--
    return result
  }

  private countTerm(position: number): void {
    if (++this.terms > MAX_TERMS) {
      fail('limit', { position, length: this.at - position }, `at most ${MAX_TERMS} terms`, 'one more')
    }
  }

  /** True where nothing more can join the current group. */
  private atEnd(): boolean {
    const character = this.text[this.at]
    return character === undefined || character === '>' || (character === ')' && this.openParentheses > 0)
  }

  private skipSpace(): void {
    while (/[ \t\r\n]/.test(this.text[this.at] ?? '')) this.at++
  }

  private here(length: number): Located {
    return { position: this.at, length: Math.min(length, this.text.length - this.at) }
  }

  private found(): string {
    return this.at < this.text.length ? quote(this.text[this.at]!) : 'the end of the query'
  }
}

function quote(character: string): string {
  return `'${character}'`
}

function joined(type: 'and' | 'or', parts: readonly SyntaxNode[]): SyntaxNode {
  if (parts.length === 1) return parts[0]!
  const first = parts[0]!
  const last = parts.at(-1)!
  return { type, parts, position: first.position, length: last.position + last.length - first.position }
}
