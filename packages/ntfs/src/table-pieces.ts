import { CorruptFileError } from '@hotpath/model'
import { AttributeType, MFT_RECORD } from './layout.js'
import { type Reading, readStream, type Stream } from './stream.js'
import type { Volume } from './volume.js'

/** Records of the table that are read together. */
export interface TablePiece {
  readonly first: number
  readonly count: number
}

/** Of a disk that turns, larger pieces gain nothing; from memory, 2 MiB and 512 KiB took a tenth longer: pages that are touched, and turns. */
const PIECE_BYTES = 1024 * 1024
/** Of the bitmap: 64 KiB say which of half a million records are in use. */
const BITMAP_BYTES = 64 * 1024

/**
 * The pieces of a master file table in which records are in use, by its bitmap, in order. Where the bitmap cannot be
 * read, or says that not even the table's own record is, the whole table.
 */
export function* tablePieces(volume: Volume): Reading<TablePiece[]> {
  const perPiece = PIECE_BYTES / volume.geometry.recordBytes
  const bitmap = yield* bitmapOf(volume)
  const pieces: TablePiece[] = []
  let bits: Uint8Array = new Uint8Array(0)
  let bitsFrom = 0
  // What the bitmap does not reach may be in use.
  const isUsed = (record: number) => ((bits[(record - bitsFrom) >> 3] ?? 0xff) & (1 << (record & 7))) !== 0
  for (let start = 0; start < volume.records; start += perPiece) {
    if (start >= bitsFrom + bits.length * 8) {
      bitsFrom = start
      bits = yield* readBits(bitmap, start / 8)
    }
    let first = start
    let end = Math.min(start + perPiece, volume.records)
    while (first < end && !isUsed(first)) first++
    while (end > first && !isUsed(end - 1)) end--
    if (end > first) pieces.push({ first, count: end - first })
  }
  return pieces
}

/** Records of the largest piece; 0: there is none. */
export function largestOf(pieces: readonly TablePiece[]): number {
  return pieces.reduce((most, { count }) => Math.max(most, count), 0)
}

/** Some of the bitmap; nothing where there is none to be trusted. */
function* readBits(bitmap: Stream | Uint8Array | undefined, from: number): Reading<Uint8Array> {
  if (bitmap === undefined) return new Uint8Array(0)
  if (bitmap instanceof Uint8Array) return bitmap.subarray(from)
  return yield* readStream(bitmap, from, BITMAP_BYTES)
}

function* bitmapOf(volume: Volume): Reading<Stream | Uint8Array | undefined> {
  try {
    const bitmap = yield* volume.stream(MFT_RECORD, AttributeType.bitmap, '')
    const [first = 0] = yield* readBits(bitmap, 0)
    return (first & 1) === 0 ? undefined : bitmap
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    return undefined
  }
}
