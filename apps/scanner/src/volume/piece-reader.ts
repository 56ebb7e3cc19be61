import { MftParser, type MftRows, type Stream, type TablePiece } from '@hotpath/ntfs'
import type { PieceCounts } from './piece-queue.js'
import type { VolumeFile } from './volume-file.js'

/** Stays in the processor's cache from reading to parsing. */
const CHUNK_BYTES = 256 * 1024

/** Reads and parses pieces of a master file table, in the thread that calls. */
export class PieceReader {
  readonly #chunk: Uint8Array

  /** @param recordBytes of a record of the table */
  constructor(
    private readonly file: VolumeFile,
    private readonly table: Stream,
    private readonly recordBytes: number,
  ) {
    this.#chunk = new Uint8Array(Math.max(recordBytes, CHUNK_BYTES))
  }

  /** Fills `rows` with those of a piece. Throws what reading throws. */
  parse({ first, count }: TablePiece, rows: MftRows): PieceCounts {
    const { recordBytes } = this
    const parser = new MftParser(recordBytes)
    const together = Math.floor(this.#chunk.length / recordBytes)
    rows.clear()
    for (let record = first; record < first + count; record += together) {
      const records = Math.min(together, first + count - record)
      const length = this.file.readStream(this.table, record * recordBytes, records * recordBytes, this.#chunk)
      parser.parse(this.#chunk.subarray(0, length), record, rows)
    }
    const { stats } = parser
    return { rows: rows.count, scattered: rows.scatteredCount, streams: rows.streams?.count ?? 0, stats }
  }
}
