import {
  BLOCK_NAMES,
  copyRange,
  type DictionaryReader,
  gramsOfNeedle,
  intersectRoaring,
  KEY_BOUNDARY,
  RoaringView,
  type SegmentFile,
} from '@hotpath/index-format'
import type { GlobToken, NameTest } from '@hotpath/query'
import type { NameExpression } from './name-expression.js'

/** Ascending block numbers that can hold a match; undefined: any block can. */
export type Candidates = Uint32Array | undefined

/**
 * Blocks that can hold a name for which the expression is true, by the grams that it implies. Cost: a few lookups in the
 * gram table and an intersection of posting lists, the shortest first.
 */
export function candidateBlocks(
  file: SegmentFile,
  dictionary: DictionaryReader,
  expression: NameExpression,
): Candidates {
  switch (expression.kind) {
    case 'name':
      return blocksOfTest(file, dictionary, expression.test)
    case 'extension':
      return union(expression.extensions.map(extension => blocksOfGrams(file, dictionary, suffixGrams(extension))))
    case 'length':
    case 'not':
      return undefined
    case 'and':
      return intersection(expression.parts.map(part => candidateBlocks(file, dictionary, part)))
    case 'or':
      return union(expression.parts.map(part => candidateBlocks(file, dictionary, part)))
  }
}

function suffixGrams(extension: Uint8Array): number[] {
  return gramsOfNeedle(padded(extension, [0x2e], [KEY_BOUNDARY]))
}

function blocksOfTest(file: SegmentFile, dictionary: DictionaryReader, test: NameTest): Candidates {
  if (test.mode === 'glob') return blocksOfGrams(file, dictionary, globGrams(test.tokens))
  if (test.mode === 'prefix' || test.mode === 'exact') {
    // Names with a common prefix of the key stand together.
    const { from, to } = prefixRange(dictionary, test.needle)
    if (from >= to) return new Uint32Array(0)
    const first = Math.floor(from / BLOCK_NAMES)
    const last = Math.floor((to - 1) / BLOCK_NAMES)
    return Uint32Array.from({ length: last - first + 1 }, (_, i) => first + i)
  }
  return blocksOfGrams(
    file,
    dictionary,
    gramsOfNeedle(test.mode === 'suffix' ? padded(test.needle, [], [KEY_BOUNDARY]) : test.needle),
  )
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

function blocksOfGrams(file: SegmentFile, dictionary: DictionaryReader, grams: readonly number[]): Candidates {
  const lists: { offset: number; length: number; blocks: number }[] = []
  for (const gram of grams) {
    const info = dictionary.gram(gram)
    if (info === undefined) return new Uint32Array(0)
    if (info.length > 0) lists.push(info)
  }
  if (lists.length === 0) return undefined
  lists.sort((a, b) => a.blocks - b.blocks)
  const out = new Uint32Array(lists[0].blocks)
  const views = lists.map(({ offset, length }) => {
    file.touch(offset, length)
    return new RoaringView(file.bytes, offset, offset + length)
  })
  return out.subarray(0, intersectRoaring(views, out))
}

function intersection(parts: readonly Candidates[]): Candidates {
  let result: Candidates
  for (const part of parts) {
    if (part === undefined) continue
    result = result === undefined ? part : intersectSorted(result, part)
  }
  return result
}

function union(parts: readonly Candidates[]): Candidates {
  if (parts.some(part => part === undefined)) return undefined
  const all = parts.filter(part => part !== undefined)
  if (all.length === 1) return all[0]
  const merged = new Uint32Array(all.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of all) {
    merged.set(part, at)
    at += part.length
  }
  merged.sort()
  let kept = 0
  for (let i = 0; i < merged.length; i++) if (i === 0 || merged[i] !== merged[i - 1]) merged[kept++] = merged[i]
  return merged.subarray(0, kept)
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
