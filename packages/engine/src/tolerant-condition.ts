import { type GlobStep, globPattern, type NameCondition, rarestBytes } from '@hotpath/kernels'
import { type FuzzyRun, type FuzzyTest, GAPPED_LENGTHS, LEAST_GAPPED, LEAST_INITIALS } from '@hotpath/query'

/** Bytes that a name must have before it is looked at closely: each test takes 2 ns, what it saves 100. */
const SIEVE_BYTES = 4

/** A tolerant test as a condition on ASCII names; `fuzzy.ts` of the query package defines what it says. */
export function tolerantCondition(
  { needle, runs, letters, gaps }: FuzzyTest,
  nearWords: (run: FuzzyRun) => readonly Uint8Array[],
): NameCondition {
  const parts: NameCondition[] = [{ kind: 'contains', subject: 'key', text: needle }]
  // Letters beyond ASCII are in no ASCII name, so counting bytes does no harm.
  if (letters.length >= LEAST_INITIALS) {
    const found: NameCondition[] = [{ kind: 'initials', letters }]
    if (gaps && letters.length >= LEAST_GAPPED) {
      const length: NameCondition = { kind: 'length', subject: 'key', min: 0, max: letters.length * GAPPED_LENGTHS }
      found.push({
        kind: 'all',
        parts: [length, { kind: 'any', parts: [gapped([], letters), gapped([DOT], letters)] }],
      })
    }
    const start = letters.slice(0, 1)
    const starts = [start, Uint8Array.of(0x2e, start[0])].map(
      (text): NameCondition => ({ kind: 'prefix', subject: 'key', text }),
    )
    parts.push(all([{ kind: 'any', parts: starts }, ...sieve(rarestBytes(letters)), { kind: 'any', parts: found }]))
  }
  if (runs.length > 0) {
    const near = runs.flatMap((run): NameCondition[] => {
      const words = run.edits === 0 ? [run.text] : nearWords(run)
      return [...sieve(sharedBytes(words)), { kind: 'words', words }]
    })
    parts.push(all(near))
  }
  return { kind: 'any', parts }
}

const DOT: GlobStep = { kind: 'literal', bytes: Uint8Array.of(0x2e) }

/** The key begins with the first letter (after what stands before it) and holds the others in order. */
function gapped(before: readonly GlobStep[], letters: Uint8Array): NameCondition {
  const many: GlobStep = { kind: 'many' }
  const steps = [...letters].flatMap((byte): GlobStep[] => [{ kind: 'literal', bytes: Uint8Array.of(byte) }, many])
  return { kind: 'glob', subject: 'key', pattern: globPattern([...before, ...steps]) }
}

function all(parts: readonly NameCondition[]): NameCondition {
  return { kind: 'all', parts }
}

/** The bytes are in the key: a cheap test that most names do not pass. */
function sieve(bytes: readonly number[]): NameCondition[] {
  return bytes.slice(0, SIEVE_BYTES).map(byte => ({ kind: 'contains', subject: 'key', text: Uint8Array.of(byte) }))
}

/** Bytes that all words have, rarest first. */
function sharedBytes(words: readonly Uint8Array[]): number[] {
  const [first, ...others] = words
  return first === undefined ? [] : rarestBytes(first).filter(byte => others.every(word => word.includes(byte)))
}
