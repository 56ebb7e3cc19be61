import { keyOf, partialKeyOf } from '@hotpath/index-format'
import { readDate } from './dates.js'
import { componentTokens, hasWildcard, pathTokens } from './glob.js'
import { type Interval, readCount, readInterval, readSize } from './intervals.js'
import { type Combination, normalForm } from './normal-form.js'
import type { NameTest, NeedleTest, PathPredicate, Predicate, Spelling, TimePredicate } from './predicate.js'
import { hasSeparator, splitQueryPath } from './query-path.js'
import { fail, type SyntaxNode, type TextNode } from './syntax.js'
import type { FunctionName, ModifierName } from './vocabulary.js'

export interface CompileOptions {
  /** Milliseconds since 1970: what words like `today` mean. */
  readonly now: number
  readonly caseSensitive: boolean
  readonly diacritics: boolean
  /** See `ParseOptions.match`. */
  readonly match: 'name' | 'path' | 'auto'
}

/** What the modifiers around a term have set. */
interface Scope {
  readonly keepCase: boolean
  readonly keepMarks: boolean
  /** `plain`: the name, or the path if the term has a separator; `auto`: see `ParseOptions.match`. */
  readonly target: 'plain' | 'path' | 'name' | 'auto'
  readonly wholeName: boolean
  readonly wildcards: boolean
  readonly negated: boolean
}

const encoder = new TextEncoder()

/** What the syntax tree asks of an entry, in normal form. Throws `QueryFailure` for arguments that make no sense. */
export function compile(syntax: SyntaxNode, options: CompileOptions): Predicate {
  return new Compiler(options).compile(syntax)
}

class Compiler {
  /** With `match: 'auto'`: the tests of which the name itself must pass one. */
  private readonly nameTests: Combination[] = []

  constructor(private readonly options: CompileOptions) {}

  compile(syntax: SyntaxNode): Predicate {
    const { caseSensitive, diacritics, match } = this.options
    const target = match === 'name' ? 'plain' : match
    const predicate = this.visit(syntax, {
      keepCase: caseSensitive,
      keepMarks: diacritics,
      target,
      wholeName: false,
      wildcards: true,
      negated: false,
    })
    if (this.nameTests.length === 0) return normalForm(predicate)
    return normalForm({ kind: 'and', parts: [predicate, { kind: 'or', parts: this.nameTests }] })
  }

  private visit(node: SyntaxNode, scope: Scope): Combination {
    switch (node.type) {
      case 'everything':
        return { kind: 'all' }
      case 'and':
      case 'or':
        return { kind: node.type, parts: node.parts.map(part => this.visit(part, scope)) }
      case 'not':
        return { kind: 'not', part: this.visit(node.part, { ...scope, negated: !scope.negated }) }
      case 'modifier':
        return this.visitModifier(node.name as ModifierName, node.part, scope)
      case 'function':
        return this.visitFunction(node.name as FunctionName, node.argument, scope)
      case 'term':
        return this.visitTerm(node.text, scope)
    }
  }

  private visitModifier(name: ModifierName, part: SyntaxNode | undefined, scope: Scope): Combination {
    if (name === 'file' || name === 'folder') {
      const type: Combination = { kind: 'type', directory: name === 'folder' }
      return part === undefined ? type : { kind: 'and', parts: [type, this.visit(part, scope)] }
    }
    return this.visit(part!, { ...scope, ...modified(name) })
  }

  private visitTerm(text: string, scope: Scope): Combination {
    if (scope.target === 'name') {
      // No name holds a `/`; a backslash is a character like any other here.
      return text.includes('/') ? { kind: 'none' } : { kind: 'name', test: wordTest(text, scope) }
    }
    if (hasSeparator(text)) return pathTerm(text, scope)
    const test = wordTest(text, scope)
    if (isTrivial(test)) return { kind: 'all' }
    if (scope.target === 'plain') return { kind: 'name', test }
    if (scope.target === 'auto' && !scope.negated) this.nameTests.push({ kind: 'name', test })
    return { kind: 'path', tests: [test], start: 'anywhere', end: 'anywhere' }
  }

  private visitFunction(name: FunctionName, argument: TextNode, scope: Scope): Combination {
    switch (name) {
      case 'ext':
        return extension(argument, scope)
      case 'size': {
        if (isUnknown(argument)) return { kind: 'unknown', column: 'size' }
        const expected = 'a size such as 10, 1.5mb, medium, >1gb or 1mb..2mb'
        return bounded('size', readInterval(argument, readSize, expected, true))
      }
      case 'datemodified':
        return this.time('modified', argument)
      case 'datecreated':
        return this.time('created', argument)
      case 'dateaccessed':
        return this.time('accessed', argument)
      case 'under':
      case 'parent':
        return directory(name, argument, scope)
      case 'startwith':
      case 'endwith':
        return anchoredTerm(name, argument, scope)
      case 'len':
        return bounded('length', readInterval(argument, readCount, 'a number such as 8, >100 or 3..5', true))
      case 'depth':
        return bounded('depth', readInterval(argument, readCount, 'a number such as 2, <4 or 1..3', true))
    }
  }

  private time(column: TimePredicate['column'], argument: TextNode): Combination {
    if (isUnknown(argument)) return { kind: 'unknown', column }
    const read = (text: string) => readDate(text, this.options.now)
    const expected = 'a date such as 2024, 2024-05, 2024-05-01, "2024-05-01 10:20", today, last3days or 2024..2025'
    const { from, to } = readInterval(argument, read, expected)
    return from < to ? { kind: 'time', column, from, to } : { kind: 'none' }
  }
}

function modified(name: Exclude<ModifierName, 'file' | 'folder'>): Partial<Scope> {
  switch (name) {
    case 'case':
      return { keepCase: true }
    case 'nocase':
      return { keepCase: false }
    case 'diacritics':
      return { keepMarks: true }
    case 'nodiacritics':
      return { keepMarks: false }
    case 'path':
      return { target: 'path' }
    case 'nopath':
      return { target: 'name' }
    case 'wholefilename':
      return { wholeName: true }
    case 'nowholefilename':
      return { wholeName: false }
    case 'wildcards':
      return { wildcards: true }
    case 'nowildcards':
      return { wildcards: false }
  }
}

function spellingOf(scope: Scope): Spelling | undefined {
  const { keepCase, keepMarks } = scope
  return keepCase || keepMarks ? { keepCase, keepMarks } : undefined
}

function needleTest(mode: NeedleTest['mode'], text: string, scope: Scope): NeedleTest {
  const raw = encoder.encode(text)
  const spelling = spellingOf(scope)
  if (!spelling) return { mode, needle: keyOf(raw) }
  const needle = partialKeyOf(raw, spelling.keepCase, spelling.keepMarks)
  return { mode, needle: keyOf(raw), spelling: { ...spelling, needle } }
}

function globTest(text: string, scope: Scope): NameTest {
  const spelling = spellingOf(scope)
  const test = { mode: 'glob' as const, tokens: componentTokens(text) }
  return spelling ? { ...test, spelling: { ...spelling, tokens: componentTokens(text, spelling) } } : test
}

/** The test that a part of a term makes: a glob of the whole if it has wildcards, which `mode` leaves open at its ends. */
function partTest(mode: NeedleTest['mode'], text: string, scope: Scope): NameTest {
  if (!scope.wildcards || !hasWildcard(text)) return needleTest(mode, text, scope)
  if (mode === 'prefix') return globTest(`${text}*`, scope)
  return globTest(mode === 'suffix' ? `*${text}` : text, scope)
}

/** The test of a term without separators. */
function wordTest(text: string, scope: Scope): NameTest {
  return partTest(scope.wholeName ? 'exact' : 'substring', text, scope)
}

/** True if every name passes: an empty needle, or nothing but stars. */
function isTrivial(test: NameTest): boolean {
  if (test.mode === 'glob') return test.tokens.length > 0 && test.tokens.every(token => token.kind === 'many')
  return test.mode !== 'exact' && test.needle.length === 0 && !test.spelling?.needle.length
}

/** A term with separators: a part of the path, or, with wildcards or `wholefilename:`, the path or its end. */
function pathTerm(text: string, scope: Scope): Combination {
  const path = splitQueryPath(text)
  const { components, leading, trailing } = path
  if (scope.wildcards && hasWildcard(text)) return pathGlob(text, scope)
  if (scope.wholeName) {
    const exact = leading ? ['', ...components] : components
    return {
      kind: 'path',
      tests: exact.map(component => needleTest('exact', component, scope)),
      start: path.anchored ? 'first' : 'anywhere',
      end: trailing && components.length > 0 ? 'inside' : 'last',
    }
  }
  if (components.length === 0) return { kind: 'all' }
  const tests = components.map((component, index) => {
    const open = { front: index === 0 && !leading, back: index === components.length - 1 && !trailing }
    const mode = open.front ? (open.back ? 'substring' : 'suffix') : open.back ? 'prefix' : 'exact'
    return needleTest(mode, component, scope)
  })
  return { kind: 'path', tests, start: 'anywhere', end: trailing ? 'inside' : 'anywhere' }
}

function pathGlob(text: string, scope: Scope): Combination {
  const { components, leading, trailing, anchored } = splitQueryPath(text)
  const isDeep = (component: string) => /^\*\*+$/.test(component)
  const first = components.findIndex(component => !isDeep(component))
  // Only `**`: every path, or every absolute one.
  if (first < 0) return leading ? absolutePath(scope) : { kind: 'all' }
  const last = components.findLastIndex(component => !isDeep(component))
  const inner = components.slice(first, last + 1)
  const below = trailing || last < components.length - 1
  if (inner.some(component => component.includes('**')) || (anchored && first > 0)) {
    const anchoredComponents = leading ? ['', ...components] : components
    const tokens = (spelling?: Spelling) =>
      pathTokens(anchoredComponents.slice(0, leading ? last + 2 : last + 1), anchored, below, spelling)
    const spelling = spellingOf(scope)
    const glob = { kind: 'pathGlob' as const, tokens: tokens() }
    return spelling ? { ...glob, spelling: { ...spelling, tokens: tokens(spelling) } } : glob
  }
  const tests = (leading ? ['', ...inner] : inner).map(component => partTest('exact', component, scope))
  return { kind: 'path', tests, start: anchored ? 'first' : 'anywhere', end: below ? 'inside' : 'last' }
}

function absolutePath(scope: Scope): PathPredicate {
  return { kind: 'path', tests: [needleTest('exact', '', scope)], start: 'first', end: 'anywhere' }
}

/** `startwith:` and `endwith:`: of the name, or of the path if there is a separator or `path:` stands before them. */
function anchoredTerm(name: 'startwith' | 'endwith', argument: TextNode, scope: Scope): Combination {
  const text = requireText(argument)
  const ofPath = scope.target !== 'name' && (scope.target === 'path' || hasSeparator(text))
  if (!ofPath) {
    if (text.includes('/')) return { kind: 'none' }
    return { kind: 'name', test: partTest(name === 'startwith' ? 'prefix' : 'suffix', text, scope) }
  }
  const { components, leading, trailing } = splitQueryPath(text)
  const all = leading ? ['', ...components] : components
  if (name === 'startwith') {
    const closed = trailing || components.length === 0
    const tests = all.map((component, index) =>
      partTest(index < all.length - 1 || closed ? 'exact' : 'prefix', component, scope),
    )
    return { kind: 'path', tests, start: 'first', end: trailing && components.length > 0 ? 'inside' : 'anywhere' }
  }
  // A path never ends in a separator.
  if (trailing) return { kind: 'none' }
  const tests = components.map((component, index) =>
    partTest(index > 0 || leading ? 'exact' : 'suffix', component, scope),
  )
  return { kind: 'path', tests, start: 'anywhere', end: 'last' }
}

function directory(kind: 'under' | 'parent', argument: TextNode, scope: Scope): Combination {
  const { components, leading, anchored } = splitQueryPath(requireText(argument))
  const all = leading ? ['', ...components] : components
  return { kind, tests: all.map(component => needleTest('exact', component, scope)), anchored }
}

function extension(argument: TextNode, scope: Scope): Combination {
  const extensions = argument.text.split(';').map(part => part.trim().replace(/^\./, ''))
  for (const part of extensions) {
    if (part === '' || /[\\/*?]/.test(part)) {
      fail('value', argument, 'extensions such as jpg;png', JSON.stringify(argument.text))
    }
  }
  if (!spellingOf(scope)) {
    const keys = extensions.map(part => keyOf(encoder.encode(part))).filter(key => key.length > 0)
    return keys.length > 0 ? { kind: 'extension', extensions: keys } : { kind: 'none' }
  }
  const names = extensions.map((part): Combination => ({ kind: 'name', test: needleTest('suffix', `.${part}`, scope) }))
  return {
    kind: 'and',
    parts: [
      { kind: 'type', directory: false },
      { kind: 'or', parts: names },
    ],
  }
}

/** A predicate of whole numbers that includes both ends, from a half-open interval. */
function bounded(kind: 'size' | 'length' | 'depth', interval: Interval): Combination {
  const min = Math.max(0, interval.from)
  const max = interval.to - 1
  return min <= max ? { kind, min, max } : { kind: 'none' }
}

function isUnknown(argument: TextNode): boolean {
  return argument.text.trim().toLowerCase() === 'unknown'
}

function requireText(argument: TextNode): string {
  if (argument.text === '') fail('value', argument, 'some text', 'nothing')
  return argument.text
}
