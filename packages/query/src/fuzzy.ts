import {
  asciiOnly,
  BYTE_CLASSES,
  DIGIT_CLASS,
  forEachWord,
  isBoundary,
  keyOf,
  SEPARATOR_CLASS,
  wordKey,
} from '@hotpath/index-format'
import { holdsAt } from './glob.js'
import type { FuzzyRun, FuzzyTest, NameTest } from './predicate.js'

/**
 * Tolerant tests: what may be wrong with a term (docs/query.md, Typos). Everything here works on keys; words and
 * boundaries are those of `words.ts` of index-format.
 */

/** Characters of a word of a term from which one edit is allowed, and two. */
export const ONE_EDIT_FROM = 4
export const TWO_EDITS_FROM = 8
/** Letters and digits of a term that can be initials: two are in too many names; with more than 31 nobody abbreviates. */
export const LEAST_INITIALS = 3
export const MOST_INITIALS = 31
/** Characters of a term that can have gaps; three are initials or nothing. */
export const LEAST_GAPPED = 4
/** A name that a term with gaps finds has at most so many times its characters: thinner hits are chance. */
export const GAPPED_LENGTHS = 3

/**
 * How near a name is to a tolerant term. Each value allows what those before it do and one thing more, so that the names up to
 * each can be found by a test of their own (`testUpTo`).
 */
export const Nearness = { held: 0, oneEdit: 1, twoEdits: 2, initials: 3, gaps: 4 } as const
export type Nearness = (typeof Nearness)[keyof typeof Nearness]

/** The tolerant test in place of an exact one; the same test if nothing about it can be wrong. */
export function tolerantTest(test: NameTest): NameTest {
  if (test.mode === 'glob' || test.mode === 'regex' || test.mode === 'fuzzy' || test.spelling || test.words) return test
  const { needle } = test
  const runs = runsOf(needle)
  const letters = needle.filter(byte => BYTE_CLASSES[byte] !== SEPARATOR_CLASS)
  const correctable = runs.some(run => run.edits > 0)
  if (!correctable && codePoints(letters).length < LEAST_INITIALS) return test
  return { mode: 'fuzzy', needle, runs: correctable ? runs : [], letters, gaps: true }
}

/** Runs of letters and of digits of a key, with the edits that each may be away from a word. */
function runsOf(key: Uint8Array): FuzzyRun[] {
  const runs: FuzzyRun[] = []
  let start = 0
  for (let at = 1; at <= key.length; at++) {
    if (at < key.length && BYTE_CLASSES[key[at]!] === BYTE_CLASSES[key[start]!]) continue
    const kind = BYTE_CLASSES[key[start]!]!
    if (kind !== SEPARATOR_CLASS) {
      const text = key.slice(start, at)
      const characters = codePoints(text).length
      const correctable = kind !== DIGIT_CLASS && characters >= ONE_EDIT_FROM
      runs.push({ text, edits: correctable ? (characters >= TWO_EDITS_FROM ? 2 : 1) : 0 })
    }
    start = at
  }
  return runs
}

/** How near the name is; undefined if the test does not pass. Cost: some microseconds. */
export function nearnessOf(test: FuzzyTest, name: Uint8Array, key: Uint8Array = keyOf(name)): Nearness | undefined {
  if (holdsBytes(key, test.needle)) return Nearness.held
  const edits = editsOf(test.runs, name)
  if (edits !== undefined) return edits > 1 ? Nearness.twoEdits : Nearness.oneEdit
  if (isInitials(test.letters, name)) return Nearness.initials
  return test.gaps && hasGapped(test.letters, key) ? Nearness.gaps : undefined
}

/**
 * A test that passes what is at least as near as `nearness`. With several runs it may pass more: an edit in each of two is
 * two edits, but no run has more than one.
 */
export function testUpTo(test: FuzzyTest, nearness: Nearness): FuzzyTest {
  if (nearness === Nearness.gaps) return test
  if (nearness === Nearness.initials) return { ...test, gaps: false }
  const most = nearness === Nearness.held ? 0 : nearness
  const runs = test.runs.map(run => ({ ...run, edits: Math.min(run.edits, most) as FuzzyRun['edits'] }))
  return { ...test, runs: nearness === Nearness.held ? [] : runs, letters: NO_LETTERS }
}

const NO_LETTERS = new Uint8Array(0)

/** True if the bytes hold the part. */
export function holdsBytes(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = 0; at + part.length <= bytes.length; at++) if (holdsAt(bytes, at, bytes.length, part)) return true
  return false
}

/**
 * The parts of a name that a tolerant test found where the needle itself is not in it, as ranges of original bytes: the
 * words that are near its runs, else, in ASCII names, its letters one by one.
 */
export function tolerantSpans(test: FuzzyTest, name: Uint8Array): { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = []
  if (editsOf(test.runs, name) !== undefined) {
    for (const run of test.runs) {
      const wanted = codePoints(run.text)
      forEachWord(name, 0, name.length, (start, end) => {
        const near = editDistance(wanted, codePoints(keyOf(name, start, end))) <= run.edits
        if (near) spans.push({ from: start, to: end })
      })
    }
    return spans
  }
  const key = keyOf(name)
  let found = 0
  for (let at = 0; asciiOnly(name) && at < key.length && found < test.letters.length; at++) {
    if (key[at] !== test.letters[found]) continue
    spans.push({ from: at, to: at + 1 })
    found++
  }
  return found === test.letters.length ? spans : []
}

/** Fewest edits that make every run a word (or a run of digits) of the name; undefined if a run is too far from all. */
function editsOf(runs: readonly FuzzyRun[], name: Uint8Array): number | undefined {
  if (runs.length === 0) return undefined
  let sum = 0
  for (const run of runs) {
    const edits = leastEdits(run, name)
    if (edits === undefined) return undefined
    sum += edits
  }
  return sum
}

function leastEdits(run: FuzzyRun, name: Uint8Array): number | undefined {
  if (run.edits === 0) return hasPart(name, run.text) ? 0 : undefined
  const wanted = codePoints(run.text)
  const [shortest, longest] = [run.text.length - run.edits * 4, (wanted.length + run.edits) * 4]
  let least: number | undefined
  forEachWord(name, 0, name.length, (start, end) => {
    // An edit changes a character, at most four bytes, and folding makes no more than three times as many.
    if (end - start > longest || (end - start) * 3 < shortest) return
    const word = wordKey(name, start, end)
    if (word === undefined) {
      // No list holds it, so it is not corrected; it can still be right.
      if (equalBytes(keyOf(name, start, end), run.text)) least = 0
      return
    }
    const edits = editDistance(wanted, codePoints(word))
    if (edits <= run.edits && edits < (least ?? Number.POSITIVE_INFINITY)) least = edits
  })
  return least
}

/** True if a word of the name, or one of its runs of digits, is the text. */
function hasPart(name: Uint8Array, text: Uint8Array): boolean {
  let found = false
  forEachWord(name, 0, name.length, (start, end) => {
    found ||= equalBytes(keyOf(name, start, end), text)
  })
  for (const { start, end } of found ? [] : partsOf(name)) {
    if (BYTE_CLASSES[name[start]!] === DIGIT_CLASS && equalBytes(name.subarray(start, end), text)) return true
  }
  return found
}

/** The pieces of a name between two boundaries that are no separators. */
function partsOf(name: Uint8Array): { start: number; end: number }[] {
  const parts: { start: number; end: number }[] = []
  let start = 0
  for (let at = 1; at <= name.length; at++) {
    if (!isBoundary(name, at)) continue
    if (BYTE_CLASSES[name[start]!] !== SEPARATOR_CLASS) parts.push({ start, end: at })
    start = at
  }
  return parts
}

/** True if the letters are starts of parts of the name, in order, the first of them the first part (after a dot at most). */
function isInitials(letters: Uint8Array, name: Uint8Array): boolean {
  if (letters.length > MOST_INITIALS || codePoints(letters).length < LEAST_INITIALS) return false
  const parts = partsOf(name)
  if (parts.length === 0 || parts[0]!.start !== leadingDot(name)) return false
  // reached[i]: the first i bytes of the letters are starts of parts so far.
  let reached = new Set<number>([0])
  for (const [index, { start, end }] of parts.entries()) {
    const part = keyOf(name, start, end)
    const next = new Set(index === 0 ? [] : reached)
    for (const from of reached) {
      for (let i = 0; i < part.length && part[i] === letters[from + i]; i++) next.add(from + i + 1)
    }
    reached = next
  }
  return reached.has(letters.length)
}

function leadingDot(name: Uint8Array): number {
  return name[0] === 0x2e ? 1 : 0
}

/** True if the key begins with the first letter (after a dot at most), holds the others in order, and is not much longer. */
function hasGapped(letters: Uint8Array, key: Uint8Array): boolean {
  const wanted = codePoints(letters)
  if (wanted.length < LEAST_GAPPED) return false
  const characters = codePoints(key)
  if (characters.length > wanted.length * GAPPED_LENGTHS) return false
  let found = 0
  const first = leadingDot(key)
  for (let at = first; at < characters.length && found < wanted.length; at++) {
    if (characters[at] === wanted[found]) found++
    else if (at === first) return false
  }
  return found === wanted.length
}

/**
 * Edits between two words (optimal string alignment): inserting, deleting or replacing a character, or swapping two
 * neighbours, none of which is touched again.
 */
export function editDistance(a: readonly number[], b: readonly number[]): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Characters of a key; where it is no valid text, its bytes as numbers that no character has. */
export function codePoints(text: Uint8Array): number[] {
  if (text.every(byte => byte < 0x80)) return [...text]
  try {
    return Array.from(decoder.decode(text), character => character.codePointAt(0)!)
  } catch {
    return Array.from(text, byte => (byte < 0x80 ? byte : -byte))
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
