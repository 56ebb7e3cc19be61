import type { HitColumns } from '@hotpath/protocol'
import { expect, it } from 'vitest'
import type { Hit } from './hit.js'
import { LiveChange } from './live-change.js'

const fresh = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const

/** Rows with these letters as names and ids. */
function rows(letters: string): HitColumns {
  const count = letters.length
  return {
    count,
    ids: Buffer.concat([...letters].map(letter => Buffer.alloc(24, letter))),
    pathOffsets: Uint32Array.from({ length: count + 1 }, (_, i) => i),
    paths: Buffer.from(letters),
    nameStart: new Uint32Array(count),
    kind: new Uint8Array(count),
    size: new Float64Array(count),
  }
}

function change(removed: string, changed: [string, number[]], added: [string, number[]], total = 9): LiveChange {
  return new LiveChange(
    {
      live: 1,
      total,
      fuzzyTotal: Number.NaN,
      clock: 'c',
      fresh,
      partial: false,
      removed: rows(removed).ids,
      changed: rows(changed[0]),
      changedAt: Uint32Array.from(changed[1]),
      added: rows(added[0]),
      addedAt: Uint32Array.from(added[1]),
    },
    0,
  )
}

const pageOf = (letters: string): Hit[] => change('', ['', []], [letters, [...letters].map((_, i) => i)]).apply([])
const lettersOf = (hits: readonly Hit[]) => hits.map(hit => hit.name).join('')

it.each([
  ['abc', change('', ['', []], ['', []]), 'abc'],
  ['abc', change('abc', ['', []], ['', []]), ''],
  ['', change('', ['', []], ['xy', [0, 1]]), 'xy'],
  ['abc', change('b', ['', []], ['xy', [0, 3]]), 'xacy'],
  ['abc', change('', ['c', [0]], ['', []]), 'cab'],
  ['abcd', change('a', ['d', [1]], ['xyz', [0, 2, 4]]), 'xdybzc'],
  // More places than rows: nothing is made up.
  ['a', change('', ['', []], ['x', [7]]), 'ax'],
])('%s changes to the page that was meant', (before, change, after) => {
  const page = pageOf(before)
  expect(lettersOf(change.apply(page))).toBe(after)
  expect(lettersOf(page)).toBe(before)
})

it('tells fuzzy hits by their place', () => {
  const { added, fuzzyTotal } = change('', ['', []], ['xy', [1, 2]], 2)
  expect(added.map(({ hit }) => hit.fuzzy)).toEqual([false, true])
  expect(fuzzyTotal).toBeUndefined()
})
