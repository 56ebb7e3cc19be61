import { type EntryColumns, type EntryRow, Kind, TIME_COLUMNS } from '@hotpath/model'
import { entryColumns, Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { RowBuffer } from './row-buffer.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const ROUNDS = 200

describe('a row buffer over the memory of another', () => {
  it(`holds what one with memory of its own holds (seed ${SEED})`, () => {
    const random = new Random(SEED)
    let spare: EntryColumns | undefined
    for (let round = 0; round < ROUNDS; round++) {
      const [reused, fresh] = [new RowBuffer(0, spare), new RowBuffer()]
      // Each round has its own kinds of columns, so that some are left of an earlier one and not wanted now.
      const has = {
        times: TIME_COLUMNS.filter(() => random.below(2) === 0),
        ref: random.below(2) === 0,
        access: random.below(2) === 0,
      }
      for (let step = random.below(30); step >= 0; step--) {
        const rows = Array.from({ length: random.below(20) }, () => randomRow(random, has))
        for (const buffer of [reused, fresh]) {
          for (const row of rows.slice(0, 3)) buffer.add(1, 0, Kind.file, Buffer.from('one'), row)
          const batch = entryColumns(
            rows.map((row, i) => ({ parent: i, directory: 0, kind: Kind.file, name: `n${i}`, row })),
          )
          buffer.addRange(batch, Math.min(2, rows.length), rows.length)
          buffer.truncate(Math.max(0, buffer.count - (step % 3)))
        }
      }
      expect(reused.columns(), `round ${round}`).toEqual(fresh.columns())
      spare = reused.views()
    }
  })
})

function randomRow(
  random: Random,
  has: { times: readonly (typeof TIME_COLUMNS)[number][]; ref: boolean; access: boolean },
): EntryRow {
  const row: Record<string, unknown> = { kind: Kind.file, size: random.below(1000) }
  for (const column of has.times) {
    if (random.below(3) > 0) row[column] = { seconds: random.below(1e9), ticks: random.below(1e7) }
  }
  if (has.ref && random.below(3) > 0)
    row.ref = { low: 1 + random.below(99), high: random.below(9), birth: random.below(9) }
  if (has.access && random.below(3) > 0)
    row.access = { mode: 1 + random.below(0o777), user: random.below(9), group: random.below(9) }
  if (random.below(4) === 0) row.attributes = 1 + random.below(9)
  return row as unknown as EntryRow
}
