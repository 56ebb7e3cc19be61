import { Kind } from '@hotpath/model'
import { Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { Delta, type DeltaRow, LONG_AGO } from './delta.js'
import { refKey } from './entry-row.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const STEPS = process.env.SOAK ? 200_000 : 4_000

describe('the rows of a delta', () => {
  it(`are found as in a plain set, while they are frozen, dropped and thawed (seed ${SEED})`, () => {
    const random = new Random(SEED)
    const delta = new Delta()
    let rows = new Set<DeltaRow>()
    const gone: DeltaRow[] = []
    let slot = 1
    const sorted = (found: Iterable<DeltaRow>): number[] => [...found].map(row => row.slot).sort((a, b) => a - b)
    const where = (isWanted: (row: DeltaRow) => boolean): number[] => sorted([...rows].filter(isWanted))
    for (let step = 0; step < STEPS; step++) {
      const roll = random.below(100)
      const [parent, key, low] = [random.below(4), `n${random.below(6)}`, 1 + random.below(5)]
      const ref = { low, high: 0, birth: 0 }
      const here = [...rows].find(row => row.parent === parent && row.key === key)
      if (roll < 55 && !here) {
        const directory = random.chance(0.3) ? 100 + slot : 0
        const row: DeltaRow = {
          slot: slot++,
          parent,
          directory,
          name: Buffer.from(key),
          key,
          row: { kind: directory ? Kind.directory : Kind.file, size: 1, ref },
          observed: LONG_AGO,
          frozen: false,
        }
        delta.add(row)
        rows.add(row)
      } else if (roll < 85 && here) {
        expect(delta.delete(here)).toBe(true)
        rows.delete(here)
        gone.push(here)
      } else if (roll < 90 && where(row => row.frozen).length === 0) {
        expect(sorted(delta.freeze())).toEqual(where(() => true))
        expect(where(row => !row.frozen)).toEqual([])
      } else if (roll < 93) {
        expect(sorted(delta.dropFrozen())).toEqual(where(row => row.frozen))
        gone.push(...[...rows].filter(row => row.frozen))
        rows = new Set([...rows].filter(row => !row.frozen))
      } else if (roll < 96) {
        delta.thaw()
        expect(where(row => row.frozen)).toEqual([])
      }
      expect(delta.size).toBe(rows.size)
      expect(delta.unflushed).toBe(where(row => !row.frozen).length)
      expect(delta.find(parent, key)?.slot).toBe([...rows].find(row => row.parent === parent && row.key === key)?.slot)
      expect(sorted(delta.values())).toEqual(where(() => true))
      expect(sorted(delta.childrenOf(parent))).toEqual(where(row => row.parent === parent))
      expect([...delta.parents()].sort()).toEqual([...new Set([...rows].map(row => row.parent))].sort())
      expect(sorted(delta.entriesOf(refKey(ref)))).toEqual(where(row => row.row.ref?.low === low))
      const directory = [...rows].find(row => row.directory !== 0)
      if (directory) expect(delta.directoryRow(directory.directory)).toBe(directory)
      const left = gone.at(-1)
      if (left) expect([delta.has(left), delta.delete(left)]).toEqual([false, false])
    }
  })
})
