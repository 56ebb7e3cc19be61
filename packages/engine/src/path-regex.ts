import {
  matchesPathRegex,
  type PathPredicate,
  type PathRegexPredicate,
  pathRegexBelow,
  type RegexTest,
  type RequiredText,
} from '@hotpath/query'
import { pathFilter } from './directory-filters.js'
import { PathTextFilter } from './path-text-filter.js'
import { AndFilter, OrFilter, type RowFilter } from './row-filter.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'

const SLASH = 0x2f

/** Rows in whose whole path a regular expression is found. What it requires of components is looked up first. */
export function pathRegexFilter(table: TableRows, tree: TreeMatcher, { test }: PathRegexPredicate): RowFilter {
  const paths = table.table === 'd' ? directoryPaths(table, test) : filePaths(table, test)
  const first = test.required && requiredFilter(table, tree, test.required)
  return first === undefined ? paths : new AndFilter(table.rowCount, [first, paths], table.work.checkCancelled)
}

function directoryPaths(table: TableRows, test: RegexTest): PathTextFilter {
  return new PathTextFilter(table, row => {
    const components = table.componentsOf(row)
    // A virtual root has no path.
    return components.length > 0 && matchesPathRegex(test, components)
  })
}

/** Files are mostly asked about in ascending order: one directory after the other. */
function filePaths(table: TableRows, test: RegexTest): PathTextFilter {
  const { reader, view } = table
  let from = 0
  let to = 0
  let matches: (name: Uint8Array) => boolean = () => false
  return new PathTextFilter(table, row => {
    if (row < from || row >= to) {
      const local = reader.directoryOfFile(row)
      from = reader.firstFile(local)
      to = reader.firstFile(local + 1)
      matches = pathRegexBelow(test, view.componentsOf(reader.dirIdOf(local)))
    }
    return matches(reader.nameOf(reader.dirCount + row))
  })
}

/** Undefined if nothing of it can be looked up. */
function requiredFilter(table: TableRows, tree: TreeMatcher, required: RequiredText): RowFilter | undefined {
  if (required.kind === 'text') {
    const path = pathHolding(required.needle)
    return path && pathFilter(table, tree, path)
  }
  const parts = required.parts.map(part => requiredFilter(table, tree, part))
  const known = parts.filter(part => part !== undefined)
  if (known.length === 0 || (required.kind === 'or' && known.length < parts.length)) return undefined
  if (known.length === 1) return known[0]
  return required.kind === 'and'
    ? new AndFilter(table.rowCount, known, table.work.checkCancelled)
    : new OrFilter(table.rowCount, known)
}

/** What the components of every path fulfil that contains a text. */
function pathHolding(text: Uint8Array): PathPredicate | undefined {
  const pieces = piecesOf(text)
  const whole = pieces.filter(piece => piece.length > 0)
  if (whole.length === 0) return undefined
  const isPlain = pieces.every((piece, i) => piece.length > 0 || i === pieces.length - 1)
  // A separator in front of the first piece may be one of the two of a server: it need not begin its component.
  if (!isPlain || whole.length === 1) {
    const needle = whole.reduce((longest, piece) => (piece.length > longest.length ? piece : longest))
    return { kind: 'path', tests: [{ mode: 'substring', needle }], start: 'anywhere', end: 'anywhere' }
  }
  const isClosed = pieces.length > whole.length
  const tests = whole.map((needle, i) => {
    const isLast = i === whole.length - 1
    return {
      mode: i === 0 ? ('suffix' as const) : isLast && !isClosed ? ('prefix' as const) : ('exact' as const),
      needle,
    }
  })
  return { kind: 'path', tests, start: 'anywhere', end: 'anywhere' }
}

function piecesOf(text: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && text[at] !== SLASH) continue
    pieces.push(text.subarray(start, at))
    start = at + 1
  }
  return pieces
}
