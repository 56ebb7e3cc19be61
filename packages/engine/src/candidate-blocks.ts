import {
  BIGRAM_BIT,
  BLOCK_NAMES,
  copyRange,
  type DictionaryReader,
  type GramInfo,
  gramsOfNeedle,
  intersectRoaring,
  KEY_BOUNDARY,
} from '@hotpath/index-format'
import type { FuzzyRun, FuzzyTest, GlobToken, NameTest, NeedleTest, RequiredText } from '@hotpath/query'
import { Bitset } from './bitset.js'
import type { NameExpression } from './name-expression.js'

/** Share of the blocks above which a list of blocks saves nothing. */
const MOST_BLOCKS = 0.66

/** Ascending block numbers that can hold a match; undefined: any block can. */
export type Candidates = Uint32Array | undefined

/** Combines posting lists (at least one, none of length 0). Results are ascending. */
export interface PostingSets {
  /** Blocks that are in all of them. */
  intersect(lists: readonly GramInfo[]): Uint32Array
  /** Blocks that are in any of them. */
  unite(lists: readonly GramInfo[]): Uint32Array
  /** The words of the segment that a run of a tolerant term may stand for. */
  nearWords(run: FuzzyRun): readonly Uint8Array[]
}

/** In plain TypeScript. */
export class PlainPostingSets implements PostingSets {
  constructor(
    private readonly dictionary: DictionaryReader,
    readonly nearWords: (run: FuzzyRun) => readonly Uint8Array[],
  ) {}

  intersect(lists: readonly GramInfo[]): Uint32Array {
    const { dictionary } = this
    const out = new Uint32Array(lists.reduce((least, list) => Math.min(least, list.blocks), dictionary.blockCount))
    const views = lists.map(list => dictionary.postingList(list))
    return out.subarray(0, intersectRoaring(views, out))
  }

  unite(lists: readonly GramInfo[]): Uint32Array {
    const bits = new Bitset(this.dictionary.blockCount)
    for (const list of lists) {
      this.dictionary.postingList(list).forEach(block => {
        bits.add(block)
      })
    }
    return listOf(bits)
  }
}

/**
 * Blocks that can hold a name for which the expression is true, by the grams that it implies. Cost: a few lookups in the
 * gram table and an intersection of posting lists.
 */
export function candidateBlocks(
  dictionary: DictionaryReader,
  expression: NameExpression,
  sets: PostingSets,
): Candidates {
  switch (expression.kind) {
    case 'name':
      return blocksOfTest(dictionary, expression.test, sets)
    case 'extension':
      return union(
        dictionary,
        expression.extensions.map(extension => blocksOfGrams(dictionary, suffixGrams(extension), sets)),
      )
    case 'wordStart':
      return blocksOfGrams(dictionary, gramsOfNeedle(expression.needle), sets)
    case 'length':
    case 'not':
      return undefined
    case 'and':
      return intersection(expression.parts.map(part => candidateBlocks(dictionary, part, sets)))
    case 'or':
      return union(
        dictionary,
        expression.parts.map(part => candidateBlocks(dictionary, part, sets)),
      )
  }
}

function suffixGrams(extension: Uint8Array): number[] {
  return gramsOfNeedle(padded(extension, [0x2e], [KEY_BOUNDARY]))
}

function blocksOfTest(dictionary: DictionaryReader, test: NameTest, sets: PostingSets): Candidates {
  if (test.mode === 'glob') return blocksOfGrams(dictionary, globGrams(test.tokens), sets)
  if (test.mode === 'regex') return test.required && blocksOfRequired(dictionary, test.required, sets)
  if (test.mode === 'fuzzy') return blocksOfTolerant(dictionary, test, sets)
  return blocksOfNeedle(dictionary, test.mode, test.needle, sets)
}

function blocksOfRequired(dictionary: DictionaryReader, required: RequiredText, sets: PostingSets): Candidates {
  if (required.kind === 'text') return blocksOfNeedle(dictionary, required.mode, required.needle, sets)
  const parts = required.parts.map(part => blocksOfRequired(dictionary, part, sets))
  return required.kind === 'and' ? intersection(parts) : union(dictionary, parts)
}

function blocksOfNeedle(
  dictionary: DictionaryReader,
  mode: NeedleTest['mode'],
  needle: Uint8Array,
  sets: PostingSets,
): Candidates {
  if (mode === 'prefix' || mode === 'exact') {
    return blocksOfPrefix(dictionary, needle)
  }
  return blocksOfGrams(dictionary, gramsOfNeedle(mode === 'suffix' ? padded(needle, [], [KEY_BOUNDARY]) : needle), sets)
}

/** Names with a common prefix of the key stand together. */
function blocksOfPrefix(dictionary: DictionaryReader, prefix: Uint8Array): Uint32Array {
  const { from, to } = prefixRange(dictionary, prefix)
  if (from >= to) return new Uint32Array(0)
  const first = Math.floor(from / BLOCK_NAMES)
  const last = Math.floor((to - 1) / BLOCK_NAMES)
  return Uint32Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** Where the needle, words near all of its runs, or its first letter at the start can be. */
function blocksOfTolerant(dictionary: DictionaryReader, test: FuzzyTest, sets: PostingSets): Candidates {
  const parts: Candidates[] = [blocksOfGrams(dictionary, gramsOfNeedle(test.needle), sets)]
  if (test.runs.length > 0) {
    const ofWord = (word: Uint8Array): Candidates => blocksOfGrams(dictionary, gramsOfNeedle(word), sets)
    const runs = test.runs.map(run =>
      run.edits === 0 ? ofWord(run.text) : union(dictionary, sets.nearWords(run).map(ofWord)),
    )
    parts.push(intersection(runs))
  }
  // The first letter or byte of one, after a dot at most.
  const first = test.letters.subarray(0, 1)
  if (first.length > 0) {
    parts.push(blocksOfPrefix(dictionary, first), blocksOfPrefix(dictionary, padded(first, [0x2e], [])))
  }
  return union(dictionary, parts)
}

/** Name ids [from, to) whose keys start with `prefix`. */
export function prefixRange(dictionary: DictionaryReader, prefix: Uint8Array): { from: number; to: number } {
  if (prefix.length === 0) return { from: 0, to: dictionary.nameCount }
  const from = dictionary.lowerBound(prefix)
  const after = copyRange(prefix)
  let last = after.length - 1
  while (last >= 0 && after[last] === 0xff) last--
  if (last < 0) return { from, to: dictionary.nameCount }
  after[last]++
  return { from, to: dictionary.lowerBound(after.subarray(0, last + 1)) }
}

function globGrams(tokens: readonly GlobToken[]): number[] {
  const grams = new Set<number>()
  tokens.forEach((token, i) => {
    if (token.kind !== 'literal') return
    const text = padded(token.bytes, i === 0 ? [KEY_BOUNDARY] : [], i === tokens.length - 1 ? [KEY_BOUNDARY] : [])
    for (const gram of gramsOfNeedle(text)) grams.add(gram)
  })
  return [...grams]
}

function padded(bytes: Uint8Array, before: readonly number[], after: readonly number[]): Uint8Array {
  return Uint8Array.from([...before, ...bytes, ...after])
}

function blocksOfGrams(dictionary: DictionaryReader, grams: readonly number[], sets: PostingSets): Candidates {
  const lists: GramInfo[] = []
  for (const gram of grams) {
    const info = dictionary.gram(gram)
    if (info === undefined) return new Uint32Array(0)
    if (info.length > 0) lists.push(info)
    else if (grams.length === 1) return blocksOfPair(dictionary, gram, info, sets)
  }
  return lists.length === 0 ? undefined : sets.intersect(lists)
}

/** Blocks of a pair of bytes that has no list of its own, through the grams of three bytes that begin with it. */
function blocksOfPair(dictionary: DictionaryReader, gram: number, info: GramInfo, sets: PostingSets): Candidates {
  const [first, second] = [(gram >>> 8) & 0xff, gram & 0xff]
  const isPair = (gram & BIGRAM_BIT) !== 0
  // Nothing follows the boundary at the end; and where most blocks have it, looking at all is as quick.
  if (!isPair || second === KEY_BOUNDARY || info.blocks > dictionary.blockCount * MOST_BLOCKS) return undefined
  return sets.unite(dictionary.gramsStarting(first, second))
}

function intersection(parts: readonly Candidates[]): Candidates {
  let result: Candidates
  for (const part of parts) {
    if (part === undefined) continue
    result = result === undefined ? part : intersectSorted(result, part)
  }
  return result
}

function union(dictionary: DictionaryReader, parts: readonly Candidates[]): Candidates {
  const known: Uint32Array[] = []
  for (const part of parts) {
    if (part === undefined) return undefined
    if (part.length > 0) known.push(part)
  }
  if (known.length === 0) return new Uint32Array(0)
  if (known.length === 1) return known[0]
  const bits = new Bitset(dictionary.blockCount)
  for (const part of known) for (let i = 0; i < part.length; i++) bits.add(part[i])
  return listOf(bits)
}

function listOf(bits: Bitset): Uint32Array {
  const list = new Uint32Array(bits.count())
  let count = 0
  bits.forEach(block => {
    list[count++] = block
  })
  return list
}

function intersectSorted(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(Math.min(a.length, b.length))
  let count = 0
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] < b[j]) i++
    else if (a[i] > b[j]) j++
    else {
      out[count++] = a[i++]
      j++
    }
  }
  return out.subarray(0, count)
}
