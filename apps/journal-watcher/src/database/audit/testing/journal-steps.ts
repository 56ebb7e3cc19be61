import type { RowChange } from '@hotpath/model'
import { keyOf, textOf } from '../../testing/replica.js'
import type { StepGroup } from './journal-writer.js'

/** A change as the journal of the writer has it. */
export function stepOf({ table, operation, key, old, new: next }: RowChange): string {
  const row = (values: RowChange['new']): string => `${keyOf(key)}: ${textOf(values!)}`
  if (operation === 'insert') return `+${table} ${row(next)}`
  return operation === 'delete' ? `-${table} ${row(old)}` : `~${table} ${row(old)} → ${row(next)}`
}

/** The steps in the groups of the journal, in which they come in any order. */
export function grouped(steps: readonly string[], journal: readonly StepGroup[]): string[][] {
  let at = 0
  const groups = journal.map(({ length }) => {
    const group = steps.slice(at, at + length)
    at += length
    return group.sort()
  })
  return at < steps.length ? [...groups, steps.slice(at)] : groups
}
