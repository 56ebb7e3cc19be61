import { BLOCK_NAMES, type DictionaryReader, NamesBlockCursor } from '@hotpath/index-format'
import {
  compileNameProgram,
  type GlobStep,
  globPattern,
  type Kernels,
  type NameBlocks,
  type NameCondition,
  type Subject,
} from '@hotpath/kernels'
import type { FuzzyRun, FuzzyTest, GlobToken, NameTest, RequiredText } from '@hotpath/query'
import type { NameExpression } from './name-expression.js'
import { evaluateName, needsCheck } from './name-test.js'
import type { BlockDecider } from './name-verdicts.js'
import { tolerantCondition } from './tolerant-condition.js'

/** Where a program finds the names. */
export interface ProgramTarget {
  readonly kernels: Kernels
  readonly dictionary: DictionaryReader
  readonly blocks: NameBlocks
  /** Runs a kernel; turns what it says of damage into CorruptFileError. */
  run<T>(kernel: () => T): T
  readonly checkCancelled: () => void
  /** The words of the segment that a run of a tolerant term may stand for. */
  nearWords(run: FuzzyRun): readonly Uint8Array[]
  /** Those of some blocks that hold a name that is not pure ASCII. */
  nonAsciiBlocks(blocks: Uint32Array): Uint32Array
}

/** Sets the bits of the names of some blocks that are not pure ASCII. */
export function decideNonAscii(target: ProgramTarget, blocks: Uint32Array, words: Uint32Array): void {
  new ProgramDecider(target, () => ({ kind: 'nonAscii', subject: 'original' })).decideAll(blocks, words)
}

/**
 * The decider of an expression that runs in WebAssembly. Spellings (`case:`, `diacritics:`) are decided there for names
 * that are pure ASCII; the others are checked one by one, as is every name that holds what whole words or a regular
 * expression require.
 */
export function kernelDecider(target: ProgramTarget, expression: NameExpression): BlockDecider {
  const { dictionary } = target
  const program = (condition: NameCondition): BlockDecider => new ProgramDecider(target, () => condition)
  if (looksAtWords(expression)) return wordsDecider(target, expression)
  const deciderOf = (part: NameExpression): BlockDecider => {
    if (!needsCheck(part)) return program(conditionOf(part))
    // Above such a test the parts are combined as bits: a condition that lets too much through must not be negated.
    switch (part.kind) {
      case 'and':
        return new CombinedDecider(part.parts.map(deciderOf), (a, b) => a & b)
      case 'or':
        return new CombinedDecider(part.parts.map(deciderOf), (a, b) => a | b)
      case 'not':
        return new NegatedDecider(deciderOf(part.part), dictionary.nameCount)
      case 'name':
        return part.test.mode === 'fuzzy' ? program(conditionOf(part)) : checked(part, part.test)
      default:
        return program(conditionOf(part))
    }
  }
  const checked = (part: NameExpression, test: Exclude<NameTest, FuzzyTest>): BlockDecider => {
    const nonAscii: NameCondition = { kind: 'nonAscii', subject: 'original' }
    const key = testCondition(test)
    const spelled = { kind: 'any' as const, parts: [spelledCondition(test), nonAscii] }
    const possible = program({ kind: 'all', parts: [key, spelled] })
    const isDecided = test.mode === 'glob' || (test.mode !== 'regex' && !test.words)
    return new CheckedDecider(target, part, possible, isDecided && program({ kind: 'all', parts: [key, nonAscii] }))
  }
  return deciderOf(expression)
}

/**
 * The decider of an expression that looks at words, which kernels know of ASCII names only. Others that may pass are
 * evaluated one by one, and so is every name where there is a test that kernels cannot decide at all.
 */
function wordsDecider(target: ProgramTarget, expression: NameExpression): BlockDecider {
  const nonAscii: NameCondition = { kind: 'nonAscii', subject: 'original' }
  const possible = new ProgramDecider(target, () => {
    const ofAscii = boundOf(expression, target, true)
    const ofOthers: NameCondition = { kind: 'all', parts: [nonAscii, boundOf(expression, target, false)] }
    return { kind: 'any', parts: [ofAscii, ofOthers] }
  })
  const doubtful = !isUndecided(expression, true) && new ProgramDecider(target, () => nonAscii)
  return new CheckedDecider(target, expression, possible, doubtful)
}

/** True if some test of the expression looks at words. */
function looksAtWords(expression: NameExpression): boolean {
  switch (expression.kind) {
    case 'name':
      return expression.test.mode === 'fuzzy'
    case 'wordStart':
      return true
    case 'and':
    case 'or':
      return expression.parts.some(looksAtWords)
    case 'not':
      return looksAtWords(expression.part)
    default:
      return false
  }
}

/** True if `boundOf` may hold for names that the expression does not hold for. */
function isUndecided(expression: NameExpression, ascii: boolean): boolean {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.parts.some(part => isUndecided(part, ascii))
    case 'not':
      return isUndecided(expression.part, ascii)
    case 'name': {
      const { test } = expression
      if (test.mode === 'regex') return true
      if (test.mode === 'glob' || test.mode === 'fuzzy') return !ascii && needsCheck(expression)
      return test.words === true || (!ascii && needsCheck(expression))
    }
    default:
      return !ascii && needsCheck(expression)
  }
}

/** A condition that holds at least for the names that the expression holds for: of all, or of those that are ASCII. */
function boundOf(expression: NameExpression, target: ProgramTarget, ascii: boolean): NameCondition {
  switch (expression.kind) {
    case 'name': {
      const { test } = expression
      if (test.mode === 'fuzzy') {
        return ascii ? tolerantCondition(test, target.nearWords) : { kind: 'constant', value: true }
      }
      const key = testCondition(test)
      return ascii ? { kind: 'all', parts: [key, spelledCondition(test)] } : key
    }
    case 'wordStart':
      return ascii
        ? { kind: 'wordStart', text: expression.needle }
        : { kind: 'contains', subject: 'key', text: expression.needle }
    case 'and':
      return { kind: 'all', parts: expression.parts.map(part => boundOf(part, target, ascii)) }
    case 'or':
      return { kind: 'any', parts: expression.parts.map(part => boundOf(part, target, ascii)) }
    case 'not':
      return isUndecided(expression.part, ascii)
        ? { kind: 'constant', value: true }
        : { kind: 'not', part: boundOf(expression.part, target, ascii) }
    default:
      return conditionOf(expression)
  }
}

/**
 * Runs a name program over blocks, after their pages were checked. The program is made for the first of them: in most segments
 * of an index no block comes in question.
 */
class ProgramDecider implements BlockDecider {
  private made: Uint8Array | undefined

  constructor(
    private readonly target: ProgramTarget,
    private readonly condition: () => NameCondition,
  ) {}

  private get program(): Uint8Array {
    this.made ??= compileNameProgram(this.condition())
    return this.made
  }

  decide(block: number): number {
    const { kernels, dictionary, blocks } = this.target
    dictionary.blockRange(block)
    const made = this.program
    kernels.scratch.reset()
    const program = kernels.place(made)
    const out = kernels.takeIds(BLOCK_NAMES)
    const request = { program, dictionary: blocks, blocks: { from: block, to: block + 1 }, out }
    const { matches } = this.target.run(() => kernels.verifyBlocks(request))
    if (matches === 0) return 0
    const ids = kernels.ids({ at: out.at, count: matches })
    let word = 0
    for (let i = 0; i < matches; i++) word |= 1 << (ids[i] & 31)
    return word
  }

  decideAll(blocks: Uint32Array, words: Uint32Array): void {
    const { kernels, dictionary } = this.target
    if (blocks.length === 0) return
    if (dictionary.isCold) dictionary.expectBlocks(blocks)
    for (let i = 0; i < blocks.length; i++) dictionary.blockRange(blocks[i])
    const made = this.program
    kernels.scratch.reset()
    const program = kernels.place(made)
    const out = kernels.takeIds(blocks.length * BLOCK_NAMES)
    const request = { program, dictionary: this.target.blocks, blocks: kernels.placeIds(blocks), out }
    const { matches } = this.target.run(() => kernels.verifyBlocks(request))
    const ids = kernels.ids({ at: out.at, count: matches })
    for (let i = 0; i < matches; i++) words[ids[i] >>> 5] |= 1 << (ids[i] & 31)
  }
}

/** Combines the verdicts of its parts bit by bit. */
class CombinedDecider implements BlockDecider {
  constructor(
    private readonly parts: readonly BlockDecider[],
    private readonly combine: (a: number, b: number) => number,
  ) {}

  decide(block: number): number {
    return this.parts.map(part => part.decide(block)).reduce(this.combine)
  }

  decideAll(blocks: Uint32Array, words: Uint32Array): void {
    const results = this.parts.map(part => decidedWords(part, blocks, words.length))
    for (const block of blocks) words[block] = results.map(result => result[block]).reduce(this.combine)
  }
}

class NegatedDecider implements BlockDecider {
  constructor(
    private readonly part: BlockDecider,
    private readonly nameCount: number,
  ) {}

  decide(block: number): number {
    return this.negate(block, this.part.decide(block))
  }

  decideAll(blocks: Uint32Array, words: Uint32Array): void {
    const result = decidedWords(this.part, blocks, words.length)
    for (const block of blocks) words[block] = this.negate(block, result[block])
  }

  private negate(block: number, word: number): number {
    const names = Math.min(BLOCK_NAMES, this.nameCount - block * BLOCK_NAMES)
    return ~word & (0xffffffff >>> (BLOCK_NAMES - names))
  }
}

/** Names checked between two looks at whether the search was cancelled: some 2 ms; a mask. */
const CHECKED_NAMES = 0x7ff

/** A test that is checked name by name: `possible` lets too many through, of which those are wrong that are `doubtful`. */
class CheckedDecider implements BlockDecider {
  private cursor: NamesBlockCursor | undefined
  private checks = 0

  /** @param doubtful some of those that are not pure ASCII; false: all are */
  constructor(
    private readonly target: ProgramTarget,
    private readonly expression: NameExpression,
    private readonly possible: BlockDecider,
    private readonly doubtful: BlockDecider | false,
  ) {}

  decide(block: number): number {
    const possible = this.possible.decide(block)
    if (possible === 0) return 0
    return this.check(block, possible, this.doubtful ? this.doubtful.decide(block) : possible)
  }

  decideAll(blocks: Uint32Array, words: Uint32Array): void {
    this.possible.decideAll(blocks, words)
    const found = blocks.filter(block => words[block] !== 0)
    if (found.length === 0) return
    const checked = this.doubtful ? this.target.nonAsciiBlocks(found) : found
    if (checked.length === 0) return
    const doubtful = this.doubtful ? decidedWords(this.doubtful, checked, words.length) : words
    for (const block of checked) words[block] = this.check(block, words[block], doubtful[block])
  }

  private check(block: number, possible: number, doubtful: number): number {
    let word = possible
    this.cursor ??= new NamesBlockCursor()
    const { cursor } = this
    const { dictionary, checkCancelled } = this.target
    let next = block * BLOCK_NAMES
    for (let bits = doubtful & possible; bits !== 0; bits &= bits - 1) {
      if ((++this.checks & CHECKED_NAMES) === 0) checkCancelled()
      const low = bits & -bits
      const id = block * BLOCK_NAMES + 31 - Math.clz32(low)
      while (next <= id) dictionary.advance(cursor, next++)
      const key = cursor.key.subarray(cursor.keyStart, cursor.keyStart + cursor.keyLength)
      if (!evaluateName(this.expression, cursor.name.subarray(0, cursor.nameLength), key)) word &= ~low
    }
    return word
  }
}

function decidedWords(decider: BlockDecider, blocks: Uint32Array, length: number): Uint32Array {
  const words = new Uint32Array(length)
  decider.decideAll(blocks, words)
  return words
}

/** The expression as the kernels read it. What `needsCheck` says is left out. */
function conditionOf(expression: NameExpression): NameCondition {
  switch (expression.kind) {
    case 'name':
      return expression.test.mode === 'fuzzy' ? { kind: 'constant', value: true } : testCondition(expression.test)
    case 'wordStart':
      return { kind: 'contains', subject: 'key', text: expression.needle }
    case 'extension':
      return { kind: 'extension', subject: 'key', extensions: expression.extensions }
    case 'length':
      return { kind: 'length', subject: 'original', min: expression.min, max: expression.max }
    case 'and':
      return { kind: 'all', parts: expression.parts.map(conditionOf) }
    case 'or':
      return { kind: 'any', parts: expression.parts.map(conditionOf) }
    case 'not':
      return { kind: 'not', part: conditionOf(expression.part) }
  }
}

const MODES = { substring: 'contains', prefix: 'prefix', suffix: 'suffix', exact: 'exact' } as const

/** What a test asks of the key. */
function testCondition(test: Exclude<NameTest, FuzzyTest>): NameCondition {
  switch (test.mode) {
    case 'glob':
      return { kind: 'glob', subject: 'key', pattern: globPattern(stepsOf(test.tokens)) }
    case 'regex':
      return test.required ? requiredCondition(test.required) : { kind: 'constant', value: true }
    default:
      return { kind: MODES[test.mode], subject: 'key', text: test.needle }
  }
}

function requiredCondition(required: RequiredText): NameCondition {
  if (required.kind === 'text') return { kind: MODES[required.mode], subject: 'key', text: required.needle }
  return { kind: required.kind === 'and' ? 'all' : 'any', parts: required.parts.map(requiredCondition) }
}

/** What the spelling asks of a name that is pure ASCII: its partial key is then the original or the key. */
function spelledCondition(test: Exclude<NameTest, FuzzyTest>): NameCondition {
  if (test.mode === 'regex' || test.spelling === undefined) return { kind: 'constant', value: true }
  const { spelling } = test
  const subject: Subject = spelling.keepCase ? 'original' : 'key'
  if (test.mode === 'glob') return { kind: 'glob', subject, pattern: globPattern(stepsOf(test.spelling?.tokens ?? [])) }
  return { kind: MODES[test.mode], subject, text: test.spelling?.needle ?? new Uint8Array(0) }
}

function stepsOf(tokens: readonly GlobToken[]): GlobStep[] {
  return tokens.map(token => (token.kind === 'literal' ? token : { kind: token.kind === 'one' ? 'one' : 'many' }))
}
