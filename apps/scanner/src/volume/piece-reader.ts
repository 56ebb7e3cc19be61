import { MftParser, type MftRows, type MftStats, type Stream, type TablePiece } from '@hotpath/ntfs'
import type { VolumeFile } from './volume-file.js'

/** Stays in the processor's cache from reading to parsing. */
const CHUNK_BYTES = 256 * 1024

/** Reads and parses pieces of a master file table, in the thread that calls. */
export class PieceReader {
  readonly #parser: MftParser
  readonly #chunk: Uint8Array

  /** @param recordBytes of a record of the table */
  constructor(
    private readonly file: VolumeFile,
    private readonly table: Stream,
    private readonly recordBytes: number,
  ) {
    this.#parser = new MftParser(recordBytes)
    this.#chunk = new Uint8Array(Math.max(recordBytes, CHUNK_BYTES))
  }

  /** Summed up over all pieces. */
  get stats(): MftStats {
    return this.#parser.stats
  }

  /** Fills `rows` with those of a piece. Throws what reading throws. */
  parse({ first, count }: TablePiece, rows: MftRows): void {
    const { recordBytes } = this
    const together = Math.floor(this.#chunk.length / recordBytes)
    rows.clear()
    for (let record = first; record < first + count; record += together) {
      const records = Math.min(together, first + count - record)
      const length = this.file.readStream(this.table, record * recordBytes, records * recordBytes, this.#chunk)
      this.#parser.parse(this.#chunk.subarray(0, length), record, rows)
    }
  }
}
