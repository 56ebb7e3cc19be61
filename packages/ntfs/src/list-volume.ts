import { CorruptFileError, Kind } from '@hotpath/model'
import { isExtensionOf, sequenceOf } from './attribute.js'
import { damage } from './damage.js'
import { AttributeType, ROOT_RECORD } from './layout.js'
import { isSymlink, MftParser } from './mft-parser.js'
import { MftRows } from './mft-rows.js'
import { type Reading, type ReadRequest, readStream, Stream } from './stream.js'
import type { TableListing } from './table-listing.js'
import { largestOf, type TablePiece, tablePieces } from './table-pieces.js'
import type { Volume } from './volume.js'

export interface ListOptions {
  /** Alternate streams are entries, too. */
  readonly streams?: boolean
}

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
const TAG_BYTES = 4
/** Read at once by one thread: stays in the processor's cache from reading to parsing. */
const CHUNK_BYTES = 256 * 1024
/** Of the bytes that a parser takes. */
const ALIGNMENT = 8

/**
 * The rows of a record whose attributes may lie in others; undefined if it cannot be used. Costs a read for each record and
 * 16 MiB at most. Since a record continues only one other, all of a volume take no more reads than it has records, and some for each list.
 */
export function* rowsOfRecord(
  volume: Volume,
  number: number,
  parser: MftParser,
  { streams = false }: ListOptions = {},
): Reading<MftRows | undefined> {
  const { recordBytes } = volume.geometry
  const found: [number: number, bytes: Uint8Array][] = []
  try {
    const base = yield* volume.record(number)
    const [, ...others] = yield* volume.recordsOf(base, number, streams)
    found.push([number, yield* volume.storedRecord(number)])
    let foreign = 0
    for (const other of others) {
      const bytes = yield* volume.storedRecord(other)
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
  const rows = MftRows.forPiece(records.length, recordBytes, { streams })
  if (!parser.parseScattered(records, numbers, rows)) return undefined
  if (parser.isTagElsewhere && rows.kind[0] === Kind.file && isSymlink(yield* reparseTag(volume, number, parser)))
    rows.kind.fill(Kind.symlink, 0, rows.count)
  return rows
}

/** Tag of a reparse point whose value lies in clusters of its own; 0 if it cannot be read. */
function* reparseTag(volume: Volume, number: number, parser: MftParser): Reading<number> {
  try {
    const value = yield* volume.stream(number, AttributeType.reparsePoint, '')
    const head = value instanceof Stream ? yield* readStream(value, 0, TAG_BYTES) : value
    if (head?.length === TAG_BYTES) return new DataView(head.buffer, head.byteOffset).getUint32(0, true)
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
  }
  parser.stats.damaged++
  return 0
}

/** Pieces of which all rows are wanted, in order. */
export interface TablePass {
  readonly pieces: readonly TablePiece[]
  /** They are read again: what is wrong in them was counted. */
  readonly isAgain: boolean
  take(rows: MftRows): void
}

/**
 * How a pass is made. What it yields besides requests is for whoever drives the listing: a thread yields the pass itself
 * where others parse.
 */
export type MakePass<Step> = (pass: TablePass) => Generator<ReadRequest | Step, void, Uint8Array>

/** Lists a volume: the root, a pass over the table, nodes in several records, directories that waited, and what waited for those. */
export function* listVolumeBy<Step>(
  makePass: MakePass<Step>,
  volume: Volume,
  parser: MftParser,
  listing: TableListing,
  options: ListOptions = {},
): Generator<ReadRequest | Step, void, Uint8Array> {
  yield* listRoot(volume, parser, listing)
  const pieces = yield* tablePieces(volume)
  const scattered: number[] = []
  const take = (rows: MftRows): void => {
    listing.take(rows)
    for (let i = 0; i < rows.scatteredCount; i++) scattered.push(rows.scattered[i]!)
  }
  yield* makePass({ pieces, isAgain: false, take })
  for (const number of scattered) yield* listScattered(volume, number, parser, listing, options)
  // A pass over nothing: whoever drives this sends what is ready.
  for (const _ of listing.settling()) yield* makePass({ pieces: [], isAgain: true, take })
  const again = pieces.filter(({ first, count }) => listing.hasDeferred(first, count))
  yield* makePass({ pieces: again, isAgain: true, take: rows => listing.take(rows) })
  const uncounted = new MftParser(volume.geometry.recordBytes)
  for (const number of scattered)
    if (listing.isDeferred(number)) yield* listScattered(volume, number, uncounted, listing, options)
}

function* listScattered(
  volume: Volume,
  number: number,
  parser: MftParser,
  listing: TableListing,
  options: ListOptions,
): Reading<void> {
  const rows = yield* rowsOfRecord(volume, number, parser, options)
  if (rows !== undefined) listing.take(rows)
}

/** A part of `$MFT`, as it was read if it lies in one piece. */
function* readAligned(table: Stream, from: number, length: number): Reading<Uint8Array> {
  const [range, ...others] = table.ranges(from, length)
  if (range === undefined || others.length > 0) return yield* readStream(table, from, length)
  const bytes = yield range
  return bytes.byteOffset % ALIGNMENT === 0 ? bytes : bytes.slice()
}

/** Lists a volume by one thread, piece after piece. */
export function listVolume(
  volume: Volume,
  parser: MftParser,
  listing: TableListing,
  options: ListOptions = {},
): Reading<void> {
  const { recordBytes } = volume.geometry
  const together = Math.max(1, Math.floor(CHUNK_BYTES / recordBytes))
  const passByOne = function* ({ pieces, isAgain, take }: TablePass): Reading<void> {
    const used = isAgain ? new MftParser(recordBytes) : parser
    const rows = MftRows.forPiece(largestOf(pieces) * recordBytes, recordBytes, options)
    for (const { first, count } of pieces) {
      rows.clear()
      for (let record = first; record < first + count; record += together) {
        const records = Math.min(together, first + count - record)
        used.parse(yield* readAligned(volume.table, record * recordBytes, records * recordBytes), record, rows)
      }
      take(rows)
    }
  }
  return listVolumeBy(passByOne, volume, parser, listing, options)
}
