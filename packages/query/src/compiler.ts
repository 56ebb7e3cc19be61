import { keyOf } from '@hotpath/index-format'
import { classPredicate, readAttributes, readKinds } from './classes.js'
import { readDate } from './dates.js'
import { tolerantTest } from './fuzzy.js'
import { componentTokens, hasWildcard, pathTokens } from './glob.js'
import { type Interval, readCount, readInterval, readSize } from './intervals.js'
import { type Combination, normalForm } from './normal-form.js'
import type {
  ChildCountPredicate,
  GlobToken,
  NameTest,
  NeedleTest,
  PathPredicate,
  Predicate,
  RegexTest,
  Spelling,
  TimePredicate,
} from './predicate.js'
import { hasSeparator, splitQueryPath } from './query-path.js'
import { BadRegex, regexTest } from './regex.js'
import { CAPITAL, hasCapital, hasPatternSeparator, withOneSeparator } from './regex-pattern.js'
import { spelledKeyOf } from './spelled-key.js'
import { fail, type SyntaxNode, type TextNode } from './syntax.js'
import type { ConditionName, FunctionName, ModifierName } from './vocabulary.js'

export interface CompileOptions {
  /** Milliseconds since 1970: what words like `today` mean. */
  readonly now: number
  /** See `ParseOptions.caseMode`. */
  readonly caseMode: 'ignore' | 'smart' | 'match'
  readonly diacritics: boolean
  /** See `ParseOptions.match`. */
  readonly match: 'name' | 'path' | 'auto'
  /** As if `fuzzy:` stood before everything. */
  readonly fuzzy: boolean
  /** What is asked of: an entry, or a row of a followed database (`ParseOptions.rows`). */
  readonly subject: 'entry' | 'row'
}

/** What the modifiers around a term have set. */
interface Scope {
  /** `smart`: if the text has a capital letter. */
  readonly keepCase: boolean | 'smart'
  readonly keepMarks: boolean
  readonly ascii: boolean
  /** `plain`: the name, or the path if the term has a separator; `auto`: see `ParseOptions.match`. */
  readonly target: 'plain' | 'path' | 'name' | 'auto'
  readonly wholeName: boolean
  readonly words: boolean
  readonly wildcards: boolean
  readonly regex: boolean
  readonly fuzzy: boolean
  readonly negated: boolean
}

const encoder = new TextEncoder()

/** What a query asks for, in normal form. */
export interface Compiled {
  readonly predicate: Predicate
  /** Most hits that it wants; undefined: all. */
  readonly maxCount: number | undefined
  /** The same with tolerant tests where `fuzzy:` allows them: all that `predicate` matches, and more. */
  readonly tolerant?: Predicate
}

/** What the syntax tree asks of an entry. Throws `QueryFailure` for arguments that make no sense. */
export function compile(syntax: SyntaxNode, options: CompileOptions): Compiled {
  const compiler = new Compiler(options, false)
  const exact = compiler.compile(syntax)
  if (!compiler.hasTolerantTests) return exact
  return { ...exact, tolerant: new Compiler(options, true).compile(syntax).predicate }
}

class Compiler {
  /** With `match: 'auto'`: the tests of which the name itself must pass one. */
  private readonly nameTests: Combination[] = []
  /** Some test forgives something, or would if this compiled tolerantly. */
  hasTolerantTests = false

  private maxCount: number | undefined

  constructor(
    private readonly options: CompileOptions,
    private readonly tolerant: boolean,
  ) {}

  compile(syntax: SyntaxNode): Compiled {
    const { caseMode, diacritics, match, fuzzy } = this.options
    const target = match === 'name' ? 'plain' : match
    const predicate = this.visit(this.takeCounts(syntax), {
      keepCase: caseMode === 'smart' ? 'smart' : caseMode === 'match',
      keepMarks: diacritics,
      ascii: false,
      target,
      wholeName: false,
      words: false,
      wildcards: true,
      regex: false,
      fuzzy,
      negated: false,
    })
    const { nameTests, maxCount } = this
    const whole: Combination =
      nameTests.length === 0 ? predicate : { kind: 'and', parts: [predicate, { kind: 'or', parts: nameTests }] }
    return { predicate: normalForm(whole), maxCount }
  }

  /** What is left of the query without `count:`, which is no condition and stands outside of everything. */
  private takeCounts(syntax: SyntaxNode): SyntaxNode {
    if (syntax.type === 'function' && syntax.name === 'count') {
      const { argument, position, length } = syntax
      const text = argument.text.trim()
      if (!/^\d{1,9}$/.test(text)) fail('value', argument, 'a number such as 10', JSON.stringify(text))
      this.maxCount = Math.min(Number(text), this.maxCount ?? Number.POSITIVE_INFINITY)
      return { type: 'everything', position, length }
    }
    return syntax.type === 'and' ? { ...syntax, parts: syntax.parts.map(part => this.takeCounts(part)) } : syntax
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
        return this.visit(node.part, { ...scope, ...modified(node.name as ModifierName) })
      case 'condition': {
        const asked: Combination = this.asksRows ? { kind: 'none' } : condition(node.name as ConditionName)
        return node.part === undefined ? asked : { kind: 'and', parts: [asked, this.visit(node.part, scope)] }
      }
      case 'function':
        if (node.name === 'count')
          fail('value', node, 'count: to stand outside of !, | and modifiers', 'it inside of one')
        return this.asksRows
          ? this.visitFunctionOfRow(node.name as FunctionName, node.argument, scope)
          : this.visitFunction(node.name as FunctionName, node.argument, scope)
      case 'term':
        return scope.regex ? this.visitRegex(node, scope) : this.visitTerm(node.text, scope)
    }
  }

  private get asksRows(): boolean {
    return this.options.subject === 'row'
  }

  /** Of a row only the text, its database and its table can be asked for: it has no size, no times, no kind. */
  private visitFunctionOfRow(name: FunctionName, argument: TextNode, scope: Scope): Combination {
    switch (name) {
      case 'in':
      case 'table':
        return placeOfRow(name, argument, scope)
      case 'startwith':
      case 'endwith':
        if (scope.regex) return anchoredTerm(name, argument, { ...scope, target: 'name' })
        return {
          kind: 'name',
          test: partTest(name === 'startwith' ? 'prefix' : 'suffix', requireText(argument), scope),
        }
      default:
        // What is wrong with the argument is said all the same.
        this.visitFunction(name, argument, scope)
        return { kind: 'none' }
    }
  }

  private visitRegex(node: TextNode, scope: Scope): Combination {
    const { target, wholeName } = scope
    const place = { start: wholeName, end: wholeName }
    if (this.asksRows) return { kind: 'name', test: pattern(node, scope, place) }
    if (target === 'path' || (target !== 'name' && hasPatternSeparator(node.text))) {
      const text = withOneSeparator(node.text)
      return { kind: 'pathRegex', test: pattern({ ...node, text }, scope, place) }
    }
    const test = pattern(node, scope, place)
    return target === 'auto' ? this.anyComponent(test, scope) : { kind: 'name', test }
  }

  /** A test that some component passes; with `match: 'auto'` the name must pass one of those. */
  private anyComponent(test: NameTest, scope: Scope): Combination {
    if (scope.target === 'auto' && !scope.negated) this.nameTests.push({ kind: 'name', test })
    return { kind: 'path', tests: [test], start: 'anywhere', end: 'anywhere' }
  }

  private visitTerm(text: string, scope: Scope): Combination {
    if (this.asksRows) {
      const test = wordTestOfText(text, scope)
      return isTrivial(test) ? { kind: 'all' } : { kind: 'name', test }
    }
    if (scope.target === 'name') {
      // No name holds a `/`; a backslash is a character like any other here.
      return text.includes('/') ? { kind: 'none' } : { kind: 'name', test: this.relaxed(wordTest(text, scope), scope) }
    }
    if (hasSeparator(text)) return this.relaxedPath(pathTerm(text, scope), scope)
    const test = this.relaxed(wordTest(text, scope), scope)
    if (isTrivial(test)) return { kind: 'all' }
    return scope.target === 'plain' ? { kind: 'name', test } : this.anyComponent(test, scope)
  }

  /** The test with what `fuzzy:` forgives. What is negated, a whole name or a spelling is meant as it is written. */
  private relaxed(test: NameTest, scope: Scope): NameTest {
    if (!scope.fuzzy || scope.negated || scope.wholeName || scope.words) return test
    const relaxed = tolerantTest(test)
    if (relaxed !== test) this.hasTolerantTests = true
    return this.tolerant ? relaxed : test
  }

  private relaxedPath(term: Combination, scope: Scope): Combination {
    return term.kind === 'path' ? { ...term, tests: term.tests.map(test => this.relaxed(test, scope)) } : term
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
      case 'recentchange':
        return this.time('changed', argument)
      case 'daterun': {
        if (isUnknown(argument)) return { kind: 'runs', min: 0, max: 0 }
        const { from, to } = this.dates(argument)
        return from < to ? { kind: 'opened', from, to } : { kind: 'none' }
      }
      case 'runcount':
        return bounded('runs', readInterval(argument, readCount, 'a number such as 5, >10 or 1..3', true))
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
      case 'child':
        return child(argument, scope)
      case 'childcount':
        return childCount('entries', argument)
      case 'childfilecount':
        return childCount('files', argument)
      case 'childfoldercount':
        return childCount('directories', argument)
      case 'attributes':
        return { kind: 'attributes', bits: readAttributes(argument) }
      case 'type':
        return { kind: 'or', parts: readKinds(argument) }
      case 'volume':
        return { kind: 'volume', prefix: requireText(argument).replace(/[A-Z]/g, letter => letter.toLowerCase()) }
      case 'in':
      case 'table':
        requireText(argument)
        return { kind: 'none' }
      case 'count':
        throw new Error('count: is no condition')
    }
  }

  private time(column: TimePredicate['column'], argument: TextNode): Combination {
    if (isUnknown(argument)) return { kind: 'unknown', column }
    const { from, to } = this.dates(argument)
    return from < to ? { kind: 'time', column, from, to } : { kind: 'none' }
  }

  private dates(argument: TextNode): Interval {
    const read = (text: string) => readDate(text, this.options.now)
    const expected = 'a date such as 2024, 2024-05, 2024-05-01, "2024-05-01 10:20", today, last3days or 2024..2025'
    return readInterval(argument, read, expected)
  }
}

function modified(name: ModifierName): Partial<Scope> {
  switch (name) {
    case 'case':
      return { keepCase: true }
    case 'nocase':
      return { keepCase: false }
    case 'diacritics':
      return { keepMarks: true }
    case 'nodiacritics':
      return { keepMarks: false }
    case 'ascii':
      return { ascii: true }
    case 'utf8':
      return { ascii: false }
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
    case 'wholeword':
      return { words: true }
    case 'nowholeword':
      return { words: false }
    case 'regex':
      return { regex: true }
    case 'noregex':
      return { regex: false }
    case 'fuzzy':
      return { fuzzy: true }
    case 'nofuzzy':
      return { fuzzy: false }
  }
}

function condition(name: ConditionName): Combination {
  switch (name) {
    case 'file':
    case 'folder':
      return { kind: 'type', directory: name === 'folder' }
    case 'empty':
      return {
        kind: 'or',
        parts: [
          { kind: 'childCount', of: 'entries', min: 0, max: 0 },
          {
            kind: 'and',
            parts: [
              { kind: 'type', directory: false },
              { kind: 'size', min: 0, max: 0 },
            ],
          },
        ],
      }
    case 'root':
      return { kind: 'root' }
    case 'dupe':
      return { kind: 'duplicate', of: 'name' }
    case 'sizedupe':
      return { kind: 'duplicate', of: 'size' }
    default:
      return classPredicate(name)
  }
}

/** Which spelling of names counts for a text. */
function spellingOf(scope: Scope, text: string): Spelling | undefined {
  const { keepMarks, ascii } = scope
  const keepCase = scope.keepCase === 'smart' ? (scope.regex ? hasCapital(text) : CAPITAL.test(text)) : scope.keepCase
  if (ascii) return { keepCase, keepMarks, ascii }
  return keepCase || keepMarks ? { keepCase, keepMarks } : undefined
}

/** @param whole the text that decides about case, if `text` is a part of it */
function needleTest(mode: NeedleTest['mode'], text: string, scope: Scope, whole = text): NeedleTest {
  const raw = encoder.encode(text)
  const spelling = spellingOf(scope, whole)
  const test = { mode, needle: keyOf(raw), ...(scope.words && mode !== 'exact' && { words: true as const }) }
  return spelling ? { ...test, spelling: { ...spelling, needle: spelledKeyOf(raw, spelling) } } : test
}

/** The test of a regular expression. */
function pattern(node: TextNode, scope: Scope, place: { start: boolean; end: boolean }): RegexTest {
  const test = regexTest(node.text, spellingOf(scope, node.text), { ...place, words: scope.words })
  if (test instanceof BadRegex) {
    fail('value', node, 'a regular expression (RE2 syntax)', `${JSON.stringify(node.text)}: ${test.why}`)
  }
  return test
}

function globTest(text: string, scope: Scope, whole: string): NameTest {
  const spelling = spellingOf(scope, whole)
  const test = { mode: 'glob' as const, tokens: componentTokens(text) }
  return spelling ? { ...test, spelling: { ...spelling, tokens: componentTokens(text, spelling) } } : test
}

/** The test that a part of a term makes: a glob of the whole if it has wildcards, which `mode` leaves open at its ends. */
function partTest(mode: NeedleTest['mode'], text: string, scope: Scope, whole = text): NameTest {
  if (!scope.wildcards || !hasWildcard(text)) return needleTest(mode, text, scope, whole)
  if (mode === 'prefix') return globTest(`${text}*`, scope, whole)
  return globTest(mode === 'suffix' ? `*${text}` : text, scope, whole)
}

/** The test of a term without separators. */
function wordTest(text: string, scope: Scope): NameTest {
  return partTest(scope.wholeName ? 'exact' : 'substring', text, scope)
}

/** The test of a term on the text of a row: separators are characters like others, and wildcards stand for any of them. */
function wordTestOfText(text: string, scope: Scope): NameTest {
  if (scope.wholeName || !scope.wildcards || !hasWildcard(text)) {
    return needleTest(scope.wholeName ? 'exact' : 'substring', text, scope)
  }
  const anything = { kind: 'deep' as const }
  const tokens = (spelling?: Spelling): GlobToken[] => [
    anything,
    ...componentTokens(text, spelling).map(token => (token.kind === 'many' ? anything : token)),
    anything,
  ]
  const spelling = spellingOf(scope, text)
  const test = { mode: 'glob' as const, tokens: tokens() }
  return spelling ? { ...test, spelling: { ...spelling, tokens: tokens(spelling) } } : test
}

/** `in:` and `table:`: a row is asked for its database and table as an entry is for the first components of its path. */
function placeOfRow(name: 'in' | 'table', argument: TextNode, scope: Scope): Combination {
  const test = partTest('exact', requireText(argument), scope)
  const any: NameTest = { mode: 'glob', tokens: [{ kind: 'many' }] }
  return { kind: 'path', tests: name === 'in' ? [test] : [any, test], start: 'first', end: 'inside' }
}

/** True if every name passes: an empty needle, or nothing but stars. */
function isTrivial(test: NameTest): boolean {
  if (test.mode === 'glob') return test.tokens.length > 0 && test.tokens.every(token => token.kind === 'many')
  if (test.mode === 'regex') return false
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
      tests: exact.map(component => needleTest('exact', component, scope, text)),
      start: path.anchored ? 'first' : 'anywhere',
      end: trailing && components.length > 0 ? 'inside' : 'last',
    }
  }
  if (components.length === 0) return { kind: 'all' }
  const tests = components.map((component, index) => {
    const open = { front: index === 0 && !leading, back: index === components.length - 1 && !trailing }
    const mode = open.front ? (open.back ? 'substring' : 'suffix') : open.back ? 'prefix' : 'exact'
    return needleTest(mode, component, scope, text)
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
    const spelling = spellingOf(scope, text)
    const glob = { kind: 'pathGlob' as const, tokens: tokens() }
    return spelling ? { ...glob, spelling: { ...spelling, tokens: tokens(spelling) } } : glob
  }
  const tests = (leading ? ['', ...inner] : inner).map(component => partTest('exact', component, scope, text))
  return { kind: 'path', tests, start: anchored ? 'first' : 'anywhere', end: below ? 'inside' : 'last' }
}

function absolutePath(scope: Scope): PathPredicate {
  return { kind: 'path', tests: [needleTest('exact', '', scope)], start: 'first', end: 'anywhere' }
}

/** `startwith:` and `endwith:`: of the name, or of the path if there is a separator or `path:` stands before them. */
function anchoredTerm(name: 'startwith' | 'endwith', argument: TextNode, scope: Scope): Combination {
  const text = requireText(argument)
  if (scope.regex) return anchoredRegex(name, argument, scope)
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
      partTest(index < all.length - 1 || closed ? 'exact' : 'prefix', component, scope, text),
    )
    return { kind: 'path', tests, start: 'first', end: trailing && components.length > 0 ? 'inside' : 'anywhere' }
  }
  // A path never ends in a separator.
  if (trailing) return { kind: 'none' }
  const tests = components.map((component, index) =>
    partTest(index > 0 || leading ? 'exact' : 'suffix', component, scope, text),
  )
  return { kind: 'path', tests, start: 'anywhere', end: 'last' }
}

function anchoredRegex(name: 'startwith' | 'endwith', argument: TextNode, scope: Scope): Combination {
  const place = { start: name === 'startwith', end: name === 'endwith' }
  const ofPath = scope.target !== 'name' && (scope.target === 'path' || hasPatternSeparator(argument.text))
  if (!ofPath) return { kind: 'name', test: pattern(argument, scope, place) }
  const text = withOneSeparator(argument.text)
  return { kind: 'pathRegex', test: pattern({ ...argument, text }, scope, place) }
}

function directory(kind: 'under' | 'parent', argument: TextNode, scope: Scope): Combination {
  const text = requireText(argument)
  const { components, leading, anchored } = splitQueryPath(text)
  const all = leading ? ['', ...components] : components
  return { kind, tests: all.map(component => needleTest('exact', component, scope, text)), anchored }
}

/** `child:`: the argument is a term that matches a name. */
function child(argument: TextNode, scope: Scope): Combination {
  const text = requireText(argument)
  if (scope.regex) {
    return { kind: 'child', test: pattern(argument, scope, { start: scope.wholeName, end: scope.wholeName }) }
  }
  if (text.includes('/')) fail('value', argument, 'the name of a file or folder, or a part of it', JSON.stringify(text))
  return { kind: 'child', test: wordTest(text, scope) }
}

function childCount(of: ChildCountPredicate['of'], argument: TextNode): Combination {
  const interval = readInterval(argument, readCount, 'a number such as 0, >100 or 1..5', true)
  const min = Math.max(0, interval.from)
  const max = interval.to - 1
  return min <= max ? { kind: 'childCount', of, min, max } : { kind: 'none' }
}

function extension(argument: TextNode, scope: Scope): Combination {
  const extensions = argument.text.split(';').map(part => part.trim().replace(/^\./, ''))
  for (const part of extensions) {
    if (part === '' || /[\\/*?]/.test(part)) {
      fail('value', argument, 'extensions such as jpg;png', JSON.stringify(argument.text))
    }
  }
  if (!spellingOf(scope, argument.text)) {
    const keys = extensions.map(part => keyOf(encoder.encode(part))).filter(key => key.length > 0)
    return keys.length > 0 ? { kind: 'extension', extensions: keys } : { kind: 'none' }
  }
  const names = extensions.map(
    (part): Combination => ({ kind: 'name', test: needleTest('suffix', `.${part}`, scope, argument.text) }),
  )
  return {
    kind: 'and',
    parts: [
      { kind: 'type', directory: false },
      { kind: 'or', parts: names },
    ],
  }
}

/** A predicate of whole numbers that includes both ends, from a half-open interval. */
function bounded(kind: 'size' | 'length' | 'depth' | 'runs', interval: Interval): Combination {
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
