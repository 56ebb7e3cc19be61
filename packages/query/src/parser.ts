import { fail, type Located, QueryFailure, type SyntaxNode, type TextNode } from './syntax.js'
import { fullName, isFunction, isModifier, KNOWN_NAMES, takesComparator } from './vocabulary.js'

/** Bytes of UTF-8 in a query: far more than anyone types; bounds everything that follows. */
export const MAX_QUERY_BYTES = 4096
/** Terms and functions in a query: each costs the engine a pass. */
export const MAX_TERMS = 64
/** Groups, `!` and modifiers inside each other: bounds the recursion here and in whoever walks the tree. */
export const MAX_NESTING = 32

const WORD_END = /[ \t\r\n|<>]/

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
    if (character === '(') return this.parseGroup(')')
    const name = /^[a-z][a-z-]+:(?!:)/i.exec(this.text.slice(this.at, this.at + 64))?.[0]
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
      const argument = this.parseArgument(written, takesComparator(name))
      this.countTerm(position)
      return { type: 'function', name, argument, position, length: this.at - position }
    }
    if (!isModifier(name)) throw new Error(`${name} is neither a modifier nor a function`)
    const standsAlone = this.atEnd() || /[ \t\r\n|]/.test(this.text[this.at]!)
    if (standsAlone) {
      if (name !== 'file' && name !== 'folder') fail('syntax', this.here(1), `a term after ${written}`, this.found())
      this.countTerm(position)
      return { type: 'modifier', name, part: undefined, position, length: written.length }
    }
    const part = this.nested(position, () => this.parseNot())
    return { type: 'modifier', name, part, position, length: this.at - position }
  }

  /** The text up to the end of the word, with a comparator at its start if the function knows them. */
  private parseArgument(written: string, comparing: boolean): TextNode {
    const position = this.at
    const comparator = comparing ? (/^[<>]=?/.exec(this.text.slice(position, position + 2))?.[0] ?? '') : ''
    this.at += comparator.length
    const text = comparator + this.readWord()
    const argument: TextNode = { type: 'term', text, position, length: this.at - position }
    if (this.at === position) fail('syntax', this.here(1), `a value after ${written}`, this.found())
    return argument
  }

  private parseTerm(): SyntaxNode {
    const position = this.at
    const text = this.readWord()
    if (this.at === position) fail('syntax', this.here(1), 'a term', this.found())
    this.countTerm(position)
    return { type: 'term', text, position, length: this.at - position }
  }

  /** Reads to the end of the word. Quotes keep everything together and vanish; `""` inside them is one quote. */
  private readWord(): string {
    let word = ''
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
