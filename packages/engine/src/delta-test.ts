import { compareRange } from '@hotpath/index-format'
import {
  attributesOf,
  isDecidedByKey,
  matchesPathRegex,
  type NameTest,
  type Predicate,
  passesKey,
  passesSpelling,
  passesTest,
} from '@hotpath/query'
import type { DeltaState } from './delta-state.js'
import { isOfVolume } from './name-expression.js'
import { countCharacters } from './name-test.js'
import { matchesPathGlob } from './path-glob.js'
import type { ViewScope } from './view-scope.js'
import type { ViewState } from './view-state.js'

/** Whether a row of the delta passes. */
export type RowTest = (row: number) => boolean

/**
 * A predicate over the rows of a view's delta, read in their columns. What is asked of the directories above a row is
 * decided once for each parent. Cost: 30–60 ns a row for a term, in the order of the parts' costs.
 */
export function deltaTest(scope: ViewScope, predicate: Predicate): RowTest {
  const { view } = scope
  const { delta } = view
  switch (predicate.kind) {
    case 'all':
      return () => true
    case 'none':
      return () => false
    case 'and': {
      const tests = cheapestFirst(predicate.parts).map(part => deltaTest(scope, part))
      return row => tests.every(test => test(row))
    }
    case 'or': {
      const tests = cheapestFirst(predicate.parts).map(part => deltaTest(scope, part))
      return row => tests.some(test => test(row))
    }
    case 'not': {
      const test = deltaTest(scope, predicate.part)
      return row => !test(row)
    }
    case 'type':
      return row => delta.isDirectory(row) === predicate.directory
    case 'name':
      return nameTest(delta, predicate.test)
    case 'extension':
      return row => !delta.isDirectory(row) && predicate.extensions.some(ext => endsInExtension(delta, row, ext))
    case 'length':
      return row => {
        const characters = countCharacters(delta.names.bytes, delta.nameStart(row), delta.nameEnds[row])
        return characters >= predicate.min && characters <= predicate.max
      }
    case 'size':
      return row => {
        const size = delta.isDirectory(row) ? 0 : delta.size[row]
        return size >= predicate.min && size <= predicate.max
      }
    case 'time':
      return row => {
        const seconds = delta.secondsOf(row, predicate.column)
        return seconds >= predicate.from && seconds < predicate.to
      }
    case 'unknown': {
      const { column } = predicate
      if (column === 'size') return row => !delta.isDirectory(row) && Number.isNaN(delta.size[row])
      return row => Number.isNaN(delta.secondsOf(row, column))
    }
    case 'kind':
      return row => !delta.isDirectory(row) && predicate.kinds.includes(delta.kindOf(row))
    case 'attributes':
      return row => (attributesOf(delta.kindOf(row), delta.attributesOf(row)) & predicate.bits) === predicate.bits
    case 'volume': {
      const isOf = isOfVolume(view.volume, predicate)
      return () => isOf
    }
    case 'root': {
      const isEntry = remembering((dirId: number) => view.isEntryDirectory(dirId))
      return row => !isEntry(delta.parent[row])
    }
    case 'child': {
      const holders = scope.directoriesHolding(predicate)
      return row => delta.isDirectory(row) && holders.has(delta.directory[row])
    }
    case 'childCount': {
      const countOf = scope.childCounter(predicate.of)
      return row => {
        const count = delta.isDirectory(row) ? countOf(delta.directory[row]) : -1
        return count >= predicate.min && count <= predicate.max
      }
    }
    case 'duplicate': {
      if (predicate.of === 'name') {
        const duplicates = scope.duplicateNames
        return row => duplicates.hasKey(delta.keys.bytes, delta.keyStart(row), delta.keyEnds[row])
      }
      const countOf = scope.sizeCounter
      return row => !delta.isDirectory(row) && countOf(delta.size[row]) > 1
    }
    case 'runs':
      return row => {
        const runs = scope.sight === undefined ? runsOf(view, row) : 0
        return runs >= predicate.min && runs <= predicate.max
      }
    case 'opened':
      return row => {
        const slot = scope.sight === undefined ? view.opened.slotOf(row) : 0
        const opened = slot === 0 ? Number.NaN : view.hot.openedAt(slot)
        return opened >= predicate.from && opened < predicate.to
      }
    case 'depth':
      return byParent(view, components => components.length >= predicate.min && components.length <= predicate.max)
    case 'under':
      return byParent(view, components => endsInside(predicate.tests, components, predicate.anchored))
    case 'parent':
      return byParent(view, components => endsAt(predicate.tests, components, components.length, predicate.anchored))
    case 'path': {
      const { tests, end } = predicate
      const first = predicate.start === 'first'
      const inside = byParent(view, components => endsInside(tests, components, first))
      if (end === 'inside') return inside
      const last = endingTest(view, tests, first)
      return end === 'last' ? last : row => last(row) || inside(row)
    }
    case 'pathGlob':
      return row => matchesPathGlob(predicate, [...view.componentsOf(delta.parent[row]), delta.nameOf(row)])
    case 'pathRegex':
      return row => matchesPathRegex(predicate.test, [...view.componentsOf(delta.parent[row]), delta.nameOf(row)])
  }
}

function runsOf(view: ViewState, row: number): number {
  const slot = view.opened.slotOf(row)
  return slot === 0 ? 0 : view.hot.runsAt(slot)
}

/** True of rows at whose name the tests end. */
function endingTest(view: ViewState, tests: readonly NameTest[], first: boolean): RowTest {
  const named = nameTest(view.delta, tests[tests.length - 1])
  const before = tests.slice(0, -1)
  const above = byParent(view, components =>
    before.length > 0 ? endsAt(before, components, components.length, first) : !first || components.length === 0,
  )
  return row => named(row) && above(row)
}

/** A test of what is above a row: the components of its parent. */
function byParent(view: ViewState, test: (components: readonly Uint8Array[]) => boolean): RowTest {
  const verdict = remembering((dirId: number) => test(view.componentsOf(dirId)))
  return row => verdict(view.delta.parent[row])
}

/** Asks once for each directory. */
function remembering(test: (dirId: number) => boolean): (dirId: number) => boolean {
  const verdicts = new Map<number, boolean>()
  return dirId => {
    let verdict = verdicts.get(dirId)
    if (verdict === undefined) {
      verdict = test(dirId)
      verdicts.set(dirId, verdict)
    }
    return verdict
  }
}

/** A test of the names of rows. */
export function nameTest(delta: DeltaState, test: NameTest): RowTest {
  const { keys, keyEnds } = delta
  const key: RowTest = row => passesKey(test, keys.bytes, delta.keyStart(row), keyEnds[row])
  if (isDecidedByKey(test)) return key
  return row =>
    key(row) && passesSpelling(test, delta.nameOf(row), keys.bytes.subarray(delta.keyStart(row), keyEnds[row]))
}

function endsInExtension(delta: DeltaState, row: number, extension: Uint8Array): boolean {
  const { bytes } = delta.keys
  const end = delta.keyEnds[row]
  const start = end - extension.length
  return start > delta.keyStart(row) && bytes[start - 1] === 0x2e && compareRange(bytes, start, end, extension) === 0
}

/** True if the tests end at a component. */
function endsInside(tests: readonly NameTest[], components: readonly Uint8Array[], first: boolean): boolean {
  for (let length = 1; length <= components.length; length++) if (endsAt(tests, components, length, first)) return true
  return false
}

/** True if the tests hold for the components that end at `length`. */
function endsAt(
  tests: readonly NameTest[],
  components: readonly Uint8Array[],
  length: number,
  first: boolean,
): boolean {
  const start = length - tests.length
  if (start < 0 || (first && start !== 0)) return false
  return tests.every((test, i) => passesTest(test, components[start + i]))
}

function cheapestFirst(parts: readonly Predicate[]): Predicate[] {
  return [...parts].sort((a, b) => rank(a) - rank(b))
}

/** Columns of numbers, then what is decided once a directory, then names, then whole paths. */
function rank(predicate: Predicate): number {
  switch (predicate.kind) {
    case 'not':
      return rank(predicate.part)
    case 'and':
    case 'or':
      return 3
    case 'name':
    case 'extension':
    case 'length':
    case 'duplicate':
      return 2
    case 'path':
      return predicate.end === 'inside' ? 1 : 2
    case 'under':
    case 'parent':
    case 'depth':
    case 'root':
    case 'child':
    case 'childCount':
      return 1
    case 'pathGlob':
    case 'pathRegex':
      return 4
    default:
      return 0
  }
}
