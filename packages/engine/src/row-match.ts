import type { EntryRow } from '@hotpath/model'
import { Kind } from '@hotpath/model'
import type { NameTest, Predicate } from '@hotpath/query'
import { evaluateName, passesTest } from './name-test.js'
import { matchesPathGlob } from './path-glob.js'

/** One entry, with the components of its path looked up only when a predicate asks for them. */
export interface RowFacts {
  readonly name: Uint8Array
  readonly key: Uint8Array
  readonly row: EntryRow
  /** Components before the name. */
  parentComponents(): readonly Uint8Array[]
}

/** Decides a predicate for one entry: how rows of the delta are searched. */
export function matchesRow(predicate: Predicate, facts: RowFacts): boolean {
  switch (predicate.kind) {
    case 'all':
      return true
    case 'none':
      return false
    case 'and':
      return predicate.parts.every(part => matchesRow(part, facts))
    case 'or':
      return predicate.parts.some(part => matchesRow(part, facts))
    case 'not':
      return !matchesRow(predicate.part, facts)
    case 'type':
      return (facts.row.kind === Kind.directory) === predicate.directory
    case 'extension':
      return facts.row.kind !== Kind.directory && evaluateName(predicate, facts.name, facts.key)
    case 'name':
    case 'length':
      return evaluateName(predicate, facts.name, facts.key)
    case 'size': {
      const size = facts.row.kind === Kind.directory ? 0 : facts.row.size
      return size >= predicate.min && size <= predicate.max
    }
    case 'time': {
      const seconds = facts.row[predicate.column]?.seconds ?? Number.NaN
      return seconds >= predicate.from && seconds < predicate.to
    }
    case 'unknown':
      if (predicate.column === 'size') return facts.row.kind !== Kind.directory && Number.isNaN(facts.row.size)
      return Number.isNaN(facts.row[predicate.column]?.seconds ?? Number.NaN)
    case 'depth': {
      const depth = facts.parentComponents().length
      return depth >= predicate.min && depth <= predicate.max
    }
    case 'path': {
      const components = [...facts.parentComponents(), facts.name]
      const first = predicate.start === 'first'
      if (predicate.end === 'last') return endsAt(predicate.tests, components, components.length, first)
      const lengths = predicate.end === 'inside' ? components.length - 1 : components.length
      for (let length = 1; length <= lengths; length++)
        if (endsAt(predicate.tests, components, length, first)) return true
      return false
    }
    case 'pathGlob':
      return matchesPathGlob(predicate, [...facts.parentComponents(), facts.name])
    case 'under': {
      const components = facts.parentComponents()
      for (let length = 1; length <= components.length; length++) {
        if (endsAt(predicate.tests, components, length, predicate.anchored)) return true
      }
      return false
    }
    case 'parent': {
      const components = facts.parentComponents()
      return endsAt(predicate.tests, components, components.length, predicate.anchored)
    }
  }
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
