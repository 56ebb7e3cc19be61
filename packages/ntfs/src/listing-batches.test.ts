import { Random } from '@hotpath/index-format/testing'
import { describe, expect, it } from 'vitest'
import { type ListingBatch, ListingBatches } from './listing-batches.js'
import { MftRows } from './mft-rows.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const ROWS = 12_000
const MAX_BATCH_ROWS = 4_096
const MAX_BATCH_NAME_BYTES = 256 * 1024
const LONGEST = 765

/** Rows whose names have up to `longest` bytes. */
function rowsOf(random: Random, longest: number): MftRows {
  const rows = new MftRows(ROWS, ROWS * longest, 0)
  rows.count = ROWS
  for (let row = 0; row < ROWS; row++) {
    rows.record[row] = 30 + row
    rows.sequence[row] = random.below(65_536)
    rows.size[row] = random.below(2 ** 31)
    rows.modified.seconds[row] = random.below(2 ** 31)
    rows.nameOffsets[row + 1] = rows.nameOffsets[row]! + 1 + random.below(longest)
  }
  for (let i = 0; i < rows.nameOffsets[ROWS]!; i++) rows.names[i] = 97 + random.below(26)
  return rows
}

function linesOf(batches: readonly ListingBatch[]): string[] {
  return batches.flatMap(({ entries, directories }) =>
    Array.from({ length: entries.count }, (_, row) =>
      [
        Buffer.from(entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!)).toString(),
        ...[entries.parent[row], entries.directory[row], entries.size[row], entries.modified!.seconds[row]],
        ...[entries.ref!.low[row], entries.ref!.birth[row], directories.includes(entries.directory[row]!)],
      ].join(),
    ),
  )
}

describe('batches of a listing', () => {
  it.each([20, LONGEST])(
    `hold files that come together as they hold them one by one, names to %i bytes (SEED=${SEED})`,
    longest => {
      const random = new Random(SEED)
      const rows = rowsOf(random, longest)
      const [together, single] = [new ListingBatches(Buffer.from('r')), new ListingBatches(Buffer.from('r'))]
      for (const batches of [together, single]) batches.root(rows, 0)
      for (let row = 1, directory = 2; row < ROWS; ) {
        const isLarge = random.chance(0.1)
        // No large ones: what is left would be a single batch, once in a hundred runs.
        const isSkipped = !isLarge && random.chance(0.1)
        const end = Math.min(ROWS, row + 1 + random.below(isLarge ? 6_000 : 20))
        if (!isSkipped) {
          for (const batches of [together, single]) batches.entry(rows, row, 1, directory)
          together.files(rows, row + 1, end, directory)
          for (let file = row + 1; file < end; file++) single.entry(rows, file, directory, 0)
          directory++
        }
        row = end
      }
      for (const batches of [together, single]) batches.end()
      const taken = together.take()
      expect(linesOf(taken)).toEqual(linesOf(single.take()))
      expect([together.entries, together.directories]).toEqual([single.entries, single.directories])
      expect(taken.length).toBeGreaterThan(1)
      for (const { entries } of taken) {
        expect(entries.count).toBeLessThanOrEqual(MAX_BATCH_ROWS)
        expect(entries.names.length).toBeLessThanOrEqual(MAX_BATCH_NAME_BYTES)
      }
    },
  )
})
