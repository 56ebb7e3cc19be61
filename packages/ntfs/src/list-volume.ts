import { CorruptFileError } from '@hotpath/model'
import { isExtensionOf, sequenceOf } from './attribute.js'
import { damage } from './damage.js'
import { ROOT_RECORD } from './layout.js'
import { MftParser } from './mft-parser.js'
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

/** Records of one node: what all names that NTFS allows it (1,024) take, some six times. */
const MAX_NODE_BYTES = 4 * 1024 * 1024
/** Records that a list names and that are not the node's: it may change between two reads, but not so much. */
const MAX_FOREIGN_RECORDS = 16

/**
 * The rows of a record whose attributes may lie in others; undefined if it cannot be used. Costs a read for each record and
 * 16 MiB at most. Since a record continues only one other, all of a volume take no more reads than it has records, and some for each list.
 */
export function* rowsOfRecord(volume: Volume, number: number, parser: MftParser): Reading<MftRows | undefined> {
  const { recordBytes } = volume.geometry
  const read = (record: number) => readStream(volume.table, record * recordBytes, recordBytes)
  const found: [number: number, bytes: Uint8Array][] = []
  try {
    const base = yield* volume.record(number)
    const [, ...others] = yield* volume.recordsOf(base, number)
    found.push([number, yield* read(number)])
    let foreign = 0
    for (const other of others) {
      const bytes = yield* read(other)
      if (isExtensionOf(bytes, number, sequenceOf(base.bytes))) found.push([other, bytes])
      else foreign++
      if (foreign <= MAX_FOREIGN_RECORDS && found.length * recordBytes <= MAX_NODE_BYTES) continue
      parser.stats.damaged++
      break
    }
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    parser.stats.damaged++
    return undefined
  }
  const numbers = found.map(([number]) => number)
  const records = new Uint8Array(found.length * recordBytes)
  for (const [i, [, bytes]] of found.entries()) records.set(bytes, i * recordBytes)
  const rows = MftRows.forPiece(records.length, recordBytes)
  return parser.parseScattered(records, numbers, rows) ? rows : undefined
}

/** Lists a volume, piece after piece, by one thread. */
export function* listVolume(volume: Volume, parser: MftParser, listing: TableListing): Reading<void> {
  const { recordBytes } = volume.geometry
  yield* listRoot(volume, parser, listing)
  const pieces = yield* tablePieces(volume)
  const largest = pieces.reduce((most, { count }) => Math.max(most, count), 0)
  const rows = MftRows.forPiece(largest * recordBytes, recordBytes)
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
  // What was wrong is counted already.
  const again = new MftParser(recordBytes)
  for (const { first, count } of pieces) {
    if (!listing.hasDeferred(first, count)) continue
    rows.clear()
    again.parse(yield* readStream(volume.table, first * recordBytes, count * recordBytes), first, rows)
    listing.take(rows)
  }
  for (const number of scattered) {
    if (!listing.isDeferred(number)) continue
    const found = yield* rowsOfRecord(volume, number, again)
    if (found !== undefined) listing.take(found)
  }
}
