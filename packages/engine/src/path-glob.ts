import { keyOf, partialKeyOf } from '@hotpath/index-format'
import { type GlobToken, matchesGlob, type NamePredicate, type PathGlobPredicate } from '@hotpath/query'
import { NamesFilter } from './names-filter.js'
import { AndFilter, AnywhereFilter, type RowFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'

const SLASH = 0x2f
/** ns to make and match the path of an entry. */
const PATH_NS = 2500

/** Rows whose whole path matches the tokens. What the glob ends in is looked up first. */
export function pathGlobFilter(table: TableRows, predicate: PathGlobPredicate): RowFilter {
  const paths = new PathGlobFilter(table, predicate)
  const ending = nameEnding(predicate.tokens)
  return ending === undefined
    ? paths
    : new AndFilter(table.rowCount, [new NamesFilter(table, ending), paths], table.work.checkCancelled)
}

class PathGlobFilter extends AnywhereFilter {
  readonly estimate: number
  readonly testNs = PATH_NS
  readonly allNs: number
  private tests = 0

  constructor(
    private readonly table: TableRows,
    private readonly predicate: PathGlobPredicate,
  ) {
    super()
    this.estimate = table.rowCount
    this.allNs = table.rowCount * PATH_NS
  }

  test(row: number): boolean {
    const { table } = this
    if ((++this.tests & (CHECK_MASK >>> 5)) === 0) table.work.checkCancelled()
    const components = table.componentsOf(row)
    // A virtual root has no path.
    return components.length > 0 && matchesPathGlob(this.predicate, components)
  }

  all(): RowSet {
    return RowSet.full(this.table.rowCount).filter(row => this.test(row))
  }
}

/** Decides a path glob for one path. */
export function matchesPathGlob(predicate: PathGlobPredicate, components: readonly Uint8Array[]): boolean {
  if (!matchesGlob(predicate.tokens, joined(components, keyOf))) return false
  const { spelling } = predicate
  if (spelling === undefined) return true
  const { keepCase, keepMarks } = spelling
  return matchesGlob(
    spelling.tokens,
    joined(components, part => partialKeyOf(part, keepCase, keepMarks)),
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
