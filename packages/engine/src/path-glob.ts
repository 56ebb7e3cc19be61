import { keyOf } from '@hotpath/index-format'
import { type GlobToken, matchesGlob, type NamePredicate, type PathGlobPredicate, spelledKeyOf } from '@hotpath/query'
import { NamesFilter } from './names-filter.js'
import { PathTextFilter } from './path-text-filter.js'
import { AndFilter, type RowFilter } from './row-filter.js'
import type { TableRows } from './table-rows.js'

const SLASH = 0x2f

/** Rows whose whole path matches the tokens. What the glob ends in is looked up first. */
export function pathGlobFilter(table: TableRows, predicate: PathGlobPredicate): RowFilter {
  const paths = new PathTextFilter(table, row => {
    const components = table.componentsOf(row)
    // A virtual root has no path.
    return components.length > 0 && matchesPathGlob(predicate, components)
  })
  const ending = nameEnding(predicate.tokens)
  return ending === undefined
    ? paths
    : new AndFilter(table.rowCount, [new NamesFilter(table, ending), paths], table.work.checkCancelled)
}

/** Decides a path glob for one path. */
export function matchesPathGlob(predicate: PathGlobPredicate, components: readonly Uint8Array[]): boolean {
  if (!matchesGlob(predicate.tokens, joined(components, keyOf))) return false
  const { spelling } = predicate
  if (spelling === undefined) return true
  return matchesGlob(
    spelling.tokens,
    joined(components, part => spelledKeyOf(part, spelling)),
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
