import { BLOCK_NAMES, type NumberColumnView, type SegmentReader, type Table } from '@hotpath/index-format'
import {
  compileNameProgram,
  type GlobStep,
  globPattern,
  type IdList,
  type Kernels,
  type NameBlocks,
  type NameCondition,
  type Subject,
} from '@hotpath/kernels'
import type { GlobToken, NameTest } from '@hotpath/query'
import { Bitset } from './bitset.js'
import { candidateBlocks } from './candidate-blocks.js'
import type { NameExpression } from './name-expression.js'
import { evaluateName, type MatchCounters, type NameMatcher, needsSpelling } from './name-matcher.js'

/** Rows whose names are unpacked in one call: a quarter of a second-level cache; a multiple of 32. */
const UNPACK_ROWS = 65_536
/** Blocks verified before the first names are handed out; doubled with each step, so that long pages cost few calls. */
const FIRST_BLOCKS = 32

/**
 * Decides name expressions with the WebAssembly kernels, reading the segment where it is mapped in their memory.
 * Spellings (`case:`, `diacritics:`) are decided by the kernels for names that are pure ASCII; the others are checked one
 * by one.
 */
export class KernelNameMatcher implements NameMatcher {
  constructor(
    private readonly kernels: Kernels,
    private readonly reader: SegmentReader,
    private readonly table: Table,
  ) {}

  matchBits(expression: NameExpression, counters: MatchCounters): Bitset {
    if (!needsSpelling(expression)) return this.run(expression, conditionOf(expression), counters)
    // Above a spelling the parts are combined as sets: a condition that lets too much through must not be negated.
    switch (expression.kind) {
      case 'and':
        return this.combine(expression.parts, counters, (bits, other) => bits.and(other))
      case 'or':
        return this.combine(expression.parts, counters, (bits, other) => bits.or(other))
      case 'not':
        return this.matchBits(expression.part, counters).complement()
      case 'name':
        return this.matchSpelled(expression, counters)
      default:
        return this.run(expression, conditionOf(expression), counters)
    }
  }

  forEachMatch(expression: NameExpression, counters: MatchCounters, visit: (nameId: number) => boolean): void {
    if (needsSpelling(expression)) {
      const bits = this.matchBits(expression, counters)
      for (let id = bits.next(0); id >= 0; id = bits.next(id + 1)) if (!visit(id)) return
      return
    }
    const blocks = candidateBlocks(this.reader.frame, this.dictionary, expression)
    const total = blocks?.length ?? this.dictionary.blockCount
    const program = compileNameProgram(conditionOf(expression))
    for (let from = 0, step = FIRST_BLOCKS; from < total; step *= 2) {
      const to = Math.min(total, from + step)
      const ids = this.verifySome(program, blocks?.subarray(from, to) ?? { from, to }, counters)
      for (const id of ids) if (!visit(id)) return
      from = to
    }
  }

  /** Ids in a few blocks, as a copy: visitors may use the kernels. */
  private verifySome(
    program: Uint8Array,
    blocks: Uint32Array | { from: number; to: number },
    counters: MatchCounters,
  ): Uint32Array {
    const { kernels } = this
    kernels.scratch.reset()
    const count = 'from' in blocks ? blocks.to - blocks.from : blocks.length
    this.touchBlocks(blocks)
    const out = kernels.takeIds(count * BLOCK_NAMES)
    const result = kernels.verifyBlocks({
      program: kernels.place(program),
      dictionary: this.place(),
      blocks: 'from' in blocks ? blocks : kernels.placeIds(blocks),
      out,
    })
    counters.blocksVerified += count
    counters.namesMatched += result.matches
    return kernels.ids({ at: out.at, count: result.matches }).slice()
  }

  rowsOfNames(names: Bitset): Bitset {
    const { kernels, dictionary } = this
    const { section, width } = dictionary.nameIdColumn
    const rows = new Bitset(dictionary.rowCount)
    this.reader.frame.touch(section.offset, section.length)
    const packed = { at: this.base + section.offset, length: section.length }
    for (let from = 0; from < rows.size; from += UNPACK_ROWS) {
      kernels.scratch.reset()
      const ids = kernels.ids(kernels.unpack(packed, width, from, Math.min(UNPACK_ROWS, rows.size - from)))
      const { words } = names
      for (let i = 0; i < ids.length; i += 32) {
        const end = Math.min(32, ids.length - i)
        let bits = 0
        for (let j = 0; j < end; j++) bits |= ((words[ids[i + j] >>> 5] >>> (ids[i + j] & 31)) & 1) << j
        rows.words[(from + i) >>> 5] = bits
      }
    }
    return rows
  }

  rowsInRange(column: NumberColumnView, low: number, high: number): Bitset {
    const { kernels } = this
    const { offset, length } = column.section
    this.reader.frame.touch(offset, length)
    const rows = new Bitset(column.length)
    kernels.scratch.reset()
    const bits = kernels.takeBits(rows.words.length * 32)
    kernels.filterU32Range({ at: this.base + offset, length }, low, high, bits)
    rows.words.set(new Uint32Array(kernels.buffer, bits.at, rows.words.length))
    return rows
  }

  private get base(): number {
    return this.reader.frame.bytes.byteOffset
  }

  private combine(
    parts: readonly NameExpression[],
    counters: MatchCounters,
    operation: (bits: Bitset, other: Bitset) => Bitset,
  ): Bitset {
    return parts.map(part => this.matchBits(part, counters)).reduce(operation)
  }

  private matchSpelled(expression: NameExpression & { kind: 'name' }, counters: MatchCounters): Bitset {
    const { test } = expression
    const nonAscii: NameCondition = { kind: 'nonAscii', subject: 'original' }
    const key = testCondition(test, 'key')
    const bits = this.run(
      expression,
      { kind: 'all', parts: [key, { kind: 'any', parts: [spelledCondition(test), nonAscii] }] },
      counters,
    )
    const doubtful = this.run(expression, { kind: 'all', parts: [key, nonAscii] }, counters)
    doubtful.forEach(id => {
      const cursor = this.dictionary.seek(id)
      const keyBytes = cursor.key.subarray(cursor.keyStart, cursor.keyStart + cursor.keyLength)
      if (!evaluateName(expression, cursor.name.subarray(0, cursor.nameLength), keyBytes)) bits.delete(id)
    })
    return bits
  }

  private run(expression: NameExpression, condition: NameCondition, counters: MatchCounters): Bitset {
    const { kernels, dictionary } = this
    const bits = new Bitset(dictionary.nameCount)
    if (dictionary.nameCount === 0) return bits
    const blocks = candidateBlocks(this.reader.frame, dictionary, expression)
    if (blocks?.length === 0) return bits
    this.touchBlocks(blocks ?? { from: 0, to: dictionary.blockCount })
    kernels.scratch.reset()
    const out = kernels.takeBits(bits.words.length * 32)
    const list: IdList | { from: number; to: number } =
      blocks === undefined ? { from: 0, to: dictionary.blockCount } : kernels.placeIds(blocks)
    const result = kernels.verifyBlocks({
      program: kernels.place(compileNameProgram(condition)),
      dictionary: this.place(),
      blocks: list,
      bits: out,
    })
    counters.blocksVerified += blocks?.length ?? dictionary.blockCount
    counters.namesMatched += result.matches
    bits.words.set(new Uint32Array(kernels.buffer, out.at, bits.words.length))
    return bits
  }

  /** Checks the pages under the blocks: kernels read nothing that was not checked. */
  private touchBlocks(blocks: Uint32Array | { from: number; to: number }): void {
    const { dictionary } = this
    const { frame } = this.reader
    frame.touch(dictionary.blockOffsets.section.offset, dictionary.blockOffsets.section.length)
    if ('from' in blocks) {
      if (blocks.to <= blocks.from) return
      const start = dictionary.blockRange(blocks.from).start
      frame.touch(start, dictionary.blockRange(blocks.to - 1).end - start)
    } else for (const block of blocks) dictionary.blockRange(block)
  }

  private place(): NameBlocks {
    const { base } = this
    const { names, blockOffsets, nameCount } = this.dictionary
    return {
      names: { at: base + names.offset, length: names.length },
      offsets: { at: base + blockOffsets.section.offset, length: blockOffsets.section.length },
      nameCount,
    }
  }

  private get dictionary() {
    return this.table === 'd' ? this.reader.dirs : this.reader.files
  }
}

/** The expression as the kernels read it. Spellings are left out. */
function conditionOf(expression: NameExpression): NameCondition {
  switch (expression.kind) {
    case 'name':
      return testCondition(expression.test, 'key')
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

function testCondition(test: NameTest, subject: Subject): NameCondition {
  if (test.mode === 'glob') return { kind: 'glob', subject, pattern: globPattern(stepsOf(test.tokens)) }
  return { kind: MODES[test.mode], subject, text: test.needle }
}

/** What the spelling asks of a name that is pure ASCII: its partial key is then the original or the key. */
function spelledCondition(test: NameTest): NameCondition {
  const { spelling } = test
  if (spelling === undefined) return { kind: 'constant', value: true }
  const subject = spelling.keepCase ? 'original' : 'key'
  if (test.mode === 'glob') return { kind: 'glob', subject, pattern: globPattern(stepsOf(test.spelling?.tokens ?? [])) }
  return { kind: MODES[test.mode], subject, text: test.spelling?.needle ?? new Uint8Array(0) }
}

function stepsOf(tokens: readonly GlobToken[]): GlobStep[] {
  return tokens.map(token => (token.kind === 'literal' ? token : { kind: token.kind === 'one' ? 'one' : 'many' }))
}
