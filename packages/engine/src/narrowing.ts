import type { NameTest, Predicate } from '@hotpath/query'
import { plainDataKey } from './predicate-key.js'

/** Predicates with more parts than this are not compared part by part: nobody types so many terms. */
const MOST_PARTS = 16

/**
 * True if whatever `longer` finds is known to be found by `shorter`, too, as with one that somebody goes on typing:
 * `repo` and `repor`, `usr/s` and `usr/sr`, `main` and `main ext:c`. False says nothing. Cost: some microseconds.
 */
export function isNarrower(longer: Predicate, shorter: Predicate): boolean {
  if (longer.kind === shorter.kind && plainDataKey(longer) === plainDataKey(shorter)) return true
  if (partsOf(longer).length > MOST_PARTS || partsOf(shorter).length > MOST_PARTS) return false
  if (longer.kind === 'or') return longer.parts.every(part => isNarrower(part, shorter))
  if (shorter.kind === 'and') return shorter.parts.every(part => isNarrower(longer, part))
  if (longer.kind === 'and' && longer.parts.some(part => isNarrower(part, shorter))) return true
  if (shorter.kind === 'or') return shorter.parts.some(part => isNarrower(longer, part))
  if (longer.kind === 'name' && shorter.kind === 'name') return isNarrowerTest(longer.test, shorter.test)
  if (longer.kind !== 'path' || shorter.kind !== 'path') return false
  const { tests, start, end } = shorter
  if (longer.start !== start || longer.end !== end || longer.tests.length !== tests.length) return false
  return longer.tests.every((test, i) => isNarrowerTest(test, tests[i]))
}

function partsOf(predicate: Predicate): readonly Predicate[] {
  return predicate.kind === 'and' || predicate.kind === 'or' ? predicate.parts : []
}

function isNarrowerTest(longer: NameTest, shorter: NameTest): boolean {
  if (plainDataKey(longer) === plainDataKey(shorter)) return true
  if (isTexts(longer) && isTexts(shorter) && !shorter.words && shorter.spelling === undefined) {
    return holds(longer.mode, longer.needle, shorter.mode, shorter.needle)
  }
  return false
}

type NeedleTest = Extract<NameTest, { needle: Uint8Array; mode: 'substring' | 'exact' | 'prefix' | 'suffix' }>

function isTexts(test: NameTest): test is NeedleTest {
  return test.mode === 'substring' || test.mode === 'exact' || test.mode === 'prefix' || test.mode === 'suffix'
}

/** True if every key that passes with `needle` passes with `piece`. */
function holds(
  mode: NeedleTest['mode'],
  needle: Uint8Array,
  pieceMode: NeedleTest['mode'],
  piece: Uint8Array,
): boolean {
  const at = Buffer.from(needle.buffer, needle.byteOffset, needle.byteLength).indexOf(piece)
  switch (pieceMode) {
    case 'substring':
      return at >= 0
    case 'prefix':
      return at === 0 && (mode === 'prefix' || mode === 'exact')
    case 'suffix': {
      if (mode !== 'suffix' && mode !== 'exact') return false
      const end = needle.subarray(Math.max(0, needle.length - piece.length))
      return end.length === piece.length && Buffer.compare(end, piece) === 0
    }
    case 'exact':
      return false
  }
}
