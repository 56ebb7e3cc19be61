import type { TableRows } from './table-rows.js'

/** A row that can be on a page, and the two numbers that it is compared by as far as they are known. */
export interface Candidate {
  readonly row: number
  value: number
  minor: number
}

/** The first `limit` candidates in order, and those that are the same as the last of them. The list given is sorted. */
export function firstCandidates(candidates: Candidate[], limit: number): Candidate[] {
  candidates.sort(compareCandidates)
  let end = Math.min(limit, candidates.length)
  while (end > 0 && end < candidates.length && compareCandidates(candidates[end - 1], candidates[end]) === 0) end++
  return candidates.slice(0, end)
}

/** Asks for the names of those of sorted candidates that nothing else tells apart: others are not compared by name. */
export function expectNamesOfTied({ dictionary }: TableRows, candidates: readonly Candidate[]): void {
  for (let i = 1; i < candidates.length; i++) {
    if (compareCandidates(candidates[i - 1], candidates[i]) !== 0) continue
    dictionary.nameIdColumn.expect(candidates[i - 1].row, 1)
    dictionary.nameIdColumn.expect(candidates[i].row, 1)
  }
  dictionary.fetchExpected()
}

function compareCandidates(a: Candidate, b: Candidate): number {
  // Infinity is the same as Infinity, though their difference is no number.
  if (a.value !== b.value) return a.value < b.value ? -1 : 1
  return a.minor === b.minor ? 0 : a.minor < b.minor ? -1 : 1
}
