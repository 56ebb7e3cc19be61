import { keyOf, partialKeyOf } from '@hotpath/index-format'
import type { GlobToken, NamePredicate, PathGlobPredicate } from '@hotpath/query'
import { Bitset } from './bitset.js'

const SLASH = 0x2f

/** What evaluating a path glob needs of a table. */
export interface PathGlobRows {
  readonly rowCount: number
  /** Rows whose name passes a test. */
  candidates(ending: NamePredicate): Bitset
  /** Components before the name, and the name. */
  components(row: number): { components: readonly Uint8Array[]; name: Uint8Array }
  matches(tokens: readonly GlobToken[], path: Uint8Array): boolean
}

/** Rows whose whole path matches the tokens. What the glob ends in is looked up first; the paths of what is left are made and matched. */
export function evaluatePathGlob(predicate: PathGlobPredicate, rows: PathGlobRows): Bitset {
  const ending = nameEnding(predicate.tokens)
  const bits = ending === undefined ? Bitset.full(rows.rowCount) : rows.candidates(ending)
  return bits.filter(row => {
    const { components, name } = rows.components(row)
    return matchesPathGlob(predicate, components, name, rows.matches)
  })
}

/** Decides a path glob for one path. */
export function matchesPathGlob(
  predicate: PathGlobPredicate,
  components: readonly Uint8Array[],
  name: Uint8Array,
  matches: (tokens: readonly GlobToken[], path: Uint8Array) => boolean,
): boolean {
  const all = [...components, name]
  if (!matches(predicate.tokens, joined(all, keyOf))) return false
  const { spelling } = predicate
  if (spelling === undefined) return true
  return matches(
    spelling.tokens,
    joined(all, part => partialKeyOf(part, spelling.keepCase, spelling.keepMarks)),
  )
}

/** A test that every matching name passes: the literal at the end, after its last separator. */
function nameEnding(tokens: readonly GlobToken[]): NamePredicate | undefined {
  const last = tokens[tokens.length - 1]
  if (last?.kind !== 'literal') return undefined
  const slash = last.bytes.lastIndexOf(SLASH)
  const needle = last.bytes.subarray(slash + 1)
  if (needle.length === 0) return undefined
  return { kind: 'name', test: { mode: slash < 0 ? 'suffix' : 'exact', needle } }
}

function joined(components: readonly Uint8Array[], key: (part: Uint8Array) => Uint8Array): Uint8Array {
  const keys = components.map(component => key(component))
  const bytes = new Uint8Array(keys.reduce((sum, part) => sum + part.length + 1, -1))
  let at = 0
  keys.forEach((part, i) => {
    if (i > 0) bytes[at++] = SLASH
    bytes.set(part, at)
    at += part.length
  })
  return bytes
}
