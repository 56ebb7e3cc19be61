import { CorruptFileError } from '@hotpath/model'
import { damage } from './damage.js'
import { ROOT_RECORD } from './layout.js'
import type { MftParser } from './mft-parser.js'
import { MftRows } from './mft-rows.js'
import { type Reading, readStream } from './stream.js'
import type { TableListing } from './table-listing.js'
import { tablePieces } from './table-pieces.js'
import type { Volume } from './volume.js'

/** Lists the root: before anything else, because all paths begin with it. Throws CorruptFileError if it cannot be read. */
export function* listRoot(volume: Volume, parser: MftParser, listing: TableListing): Reading<void> {
  const rows = yield* rowsOfRecord(volume, ROOT_RECORD, parser)
  if (rows === undefined || rows.count === 0)
    throw damage(
      { file: volume.file, bytes: new Uint8Array(0), offset: volume.offsetOf(ROOT_RECORD) },
      0,
      'the root directory',
      'none',
    )
  listing.take(rows)
}

/**
 * The rows of a record whose attributes may lie in others; undefined if it cannot be used. Costs a read for each record.
 */
export function* rowsOfRecord(volume: Volume, number: number, parser: MftParser): Reading<MftRows | undefined> {
  const { recordBytes } = volume.geometry
  let numbers: number[]
  try {
    numbers = yield* volume.recordsOf(yield* volume.record(number), number)
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    parser.stats.damaged++
    return undefined
  }
  const records = new Uint8Array(numbers.length * recordBytes)
  for (const [i, record] of numbers.entries())
    records.set(yield* readStream(volume.table, record * recordBytes, recordBytes), i * recordBytes)
  const rows = MftRows.forPiece(records.length, recordBytes)
  return parser.parseScattered(records, numbers, rows) ? rows : undefined
}

/** Lists a volume, piece after piece, by one thread. */
export function* listVolume(volume: Volume, parser: MftParser, listing: TableListing): Reading<void> {
  const { recordBytes } = volume.geometry
  yield* listRoot(volume, parser, listing)
  const pieces = yield* tablePieces(volume)
  const rows = MftRows.forPiece(Math.max(0, ...pieces.map(({ count }) => count)) * recordBytes, recordBytes)
  const scattered: number[] = []
  for (const { first, count } of pieces) {
    rows.clear()
    parser.parse(yield* readStream(volume.table, first * recordBytes, count * recordBytes), first, rows)
    listing.take(rows)
    scattered.push(...rows.scattered.subarray(0, rows.scatteredCount))
  }
  for (const number of scattered) {
    const found = yield* rowsOfRecord(volume, number, parser)
    if (found !== undefined) listing.take(found)
  }
  listing.settle()
  for (const { first, count } of pieces) {
    if (!listing.hasDeferred(first, count)) continue
    rows.clear()
    parser.parse(yield* readStream(volume.table, first * recordBytes, count * recordBytes), first, rows)
    listing.take(rows)
  }
  for (const number of scattered) {
    if (!listing.isDeferred(number)) continue
    const found = yield* rowsOfRecord(volume, number, parser)
    if (found !== undefined) listing.take(found)
  }
}
