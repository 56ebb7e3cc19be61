import type { Predicate } from '@hotpath/query'
import { sizeFilter, timeFilter, unknownFilter } from './column-filters.js'
import { DepthFilter, directoryFilter, pathFilter } from './directory-filters.js'
import {
  attributesFilter,
  childCountFilter,
  childFilter,
  duplicateNameFilter,
  duplicateSizeFilter,
  kindFilter,
  rootFilter,
} from './entry-filters.js'
import { isNameExpression, isOfVolume, type NameExpression } from './name-expression.js'
import { NamesFilter } from './names-filter.js'
import { pathGlobFilter } from './path-glob.js'
import { pathRegexFilter } from './path-regex.js'
import { AndFilter, ConstantFilter, NotFilter, OrFilter, type RowFilter } from './row-filter.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'
import { openedFilter, runsFilter } from './use-page.js'

/** The filter of a predicate that was specialised for the table. Directories in paths are found at once, rows are not. */
export function filterOf(table: TableRows, tree: TreeMatcher, predicate: Predicate): RowFilter {
  table.work.checkCancelled()
  if (isNameExpression(predicate)) return new NamesFilter(table, predicate)
  switch (predicate.kind) {
    case 'all':
    case 'none':
      return new ConstantFilter(table.rowCount, predicate.kind === 'all')
    case 'and':
    case 'or': {
      const { kind, parts } = predicate
      // Names are decided together, in one pass over the dictionary.
      const names = parts.filter(isNameExpression)
      const filters = parts.filter(part => !isNameExpression(part)).map(part => filterOf(table, tree, part))
      if (names.length > 0) filters.unshift(new NamesFilter(table, joinedNames(kind, names)))
      if (filters.length === 1) return filters[0]
      return kind === 'and'
        ? new AndFilter(table.rowCount, filters, table.work.checkCancelled)
        : new OrFilter(table.rowCount, filters)
    }
    case 'not':
      return new NotFilter(table.rowCount, filterOf(table, tree, predicate.part))
    case 'size':
      return sizeFilter(table, predicate)
    case 'time':
      return timeFilter(table, predicate)
    case 'unknown':
      return unknownFilter(table, predicate)
    case 'runs':
      return runsFilter(table, predicate)
    case 'opened':
      return openedFilter(table, predicate)
    case 'path':
      return pathFilter(table, tree, predicate)
    case 'pathGlob':
      return pathGlobFilter(table, predicate)
    case 'under':
    case 'parent':
      return directoryFilter(table, tree, predicate)
    case 'pathRegex':
      return pathRegexFilter(table, tree, predicate)
    case 'depth':
      return new DepthFilter(table, tree, predicate)
    case 'kind':
      return kindFilter(table, predicate)
    case 'attributes':
      return attributesFilter(table, predicate)
    case 'volume':
      return new ConstantFilter(table.rowCount, isOfVolume(table.view.volume, predicate))
    case 'root':
      return rootFilter(table)
    case 'child':
      return childFilter(table, predicate)
    case 'childCount':
      return childCountFilter(table, predicate)
    case 'duplicate':
      return predicate.of === 'name' ? duplicateNameFilter(table) : duplicateSizeFilter(table)
    case 'type':
      return new ConstantFilter(table.rowCount, predicate.directory === (table.table === 'd'))
    default:
      return new NamesFilter(table, predicate)
  }
}

function joinedNames(kind: 'and' | 'or', names: readonly NameExpression[]): NameExpression {
  return names.length === 1 ? names[0] : { kind, parts: names }
}
