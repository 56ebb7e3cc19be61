import type { NameTest, Predicate, RequiredText } from '@hotpath/query'
import { gramsOf } from './gram-postings.js'
import type { RowSegment } from './row-segment.js'

/** Ascending block numbers that can hold a match; undefined: any block can. */
export type Candidates = Uint32Array | undefined

/**
 * The blocks of a segment that can hold a row which the predicate matches, by the grams that it implies.
 * Cost: a lookup for each gram, and an intersection of posting lists.
 */
export function candidateBlocks(segment: RowSegment, predicate: Predicate): Candidates {
  switch (predicate.kind) {
    case 'none':
      return new Uint32Array(0)
    case 'and':
      return intersection(predicate.parts.map(part => candidateBlocks(segment, part)))
    case 'or':
      return union(predicate.parts.map(part => candidateBlocks(segment, part)))
    case 'name':
      return blocksOfTest(segment, predicate.test)
    default:
      return undefined
  }
}

function blocksOfTest(segment: RowSegment, test: NameTest): Candidates {
  switch (test.mode) {
    case 'glob':
      return segment.blocksWith(test.tokens.flatMap(token => (token.kind === 'literal' ? gramsOf(token.bytes) : [])))
    case 'regex':
      return test.required && blocksOfText(segment, test.required)
    case 'fuzzy':
      return undefined
    default:
      return segment.blocksWith(gramsOf(test.needle))
  }
}

function blocksOfText(segment: RowSegment, text: RequiredText): Candidates {
  if (text.kind === 'text') return segment.blocksWith(gramsOf(text.needle))
  const parts = text.parts.map(part => blocksOfText(segment, part))
  return text.kind === 'and' ? intersection(parts) : union(parts)
}

function intersection(lists: readonly Candidates[]): Candidates {
  const known = lists.filter(list => list !== undefined).sort((a, b) => a.length - b.length)
  return known.reduce<Candidates>((left, right) => (left === undefined ? right : common(left, right)), undefined)
}

function common(left: Uint32Array, right: Uint32Array): Uint32Array {
  const out = new Uint32Array(left.length)
  let count = 0
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (left[i] === right[j]) {
      out[count++] = left[i]!
      i++
      j++
    } else if (left[i]! < right[j]!) i++
    else j++
  }
  return out.subarray(0, count)
}

function union(lists: readonly Candidates[]): Candidates {
  const all = new Set<number>()
  for (const list of lists) {
    if (list === undefined) return undefined
    for (const block of list) all.add(block)
  }
  return Uint32Array.from(all).sort()
}
