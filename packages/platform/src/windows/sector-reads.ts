/** Reads whole sectors: `offset` and `into.length` are multiples of a sector. Returns the bytes that were read; fewer only at the end. */
export type ReadSectors = (offset: number, into: Uint8Array) => number

/** Of what does not begin or end with a sector: as much is read beside the caller's array. */
const SPARE_BYTES = 64 * 1024

/**
 * Reads of any place and length, made of reads of whole sectors: others are refused for a volume (Microsoft, "CreateFileW", physical disks and
 * volumes; ReadFile then fails with ERROR_INVALID_PARAMETER). What is aligned goes straight into the caller's array.
 */
export class SectorReads {
  readonly #spare: Uint8Array

  /** @param sectorBytes a power of two of at most 64 KiB */
  constructor(
    private readonly sectorBytes: number,
    private readonly readSectors: ReadSectors,
  ) {
    this.#spare = new Uint8Array(Math.max(SPARE_BYTES, sectorBytes))
  }

  /** Fills an array with what begins at `offset`. Returns the bytes that are filled: fewer only where the volume ends. */
  read(offset: number, into: Uint8Array): number {
    for (let at = 0; at < into.length; ) {
      const count = this.#step(offset + at, into.subarray(at))
      if (count === 0) return at
      at += count
    }
    return into.length
  }

  #step(offset: number, into: Uint8Array): number {
    const inSector = offset % this.sectorBytes
    const whole = into.length - (into.length % this.sectorBytes)
    if (inSector === 0 && whole > 0) return this.readSectors(offset, into.subarray(0, whole))
    const wanted = Math.ceil((inSector + into.length) / this.sectorBytes) * this.sectorBytes
    const spare = this.#spare.subarray(0, Math.min(wanted, this.#spare.length))
    const count = Math.max(0, this.readSectors(offset - inSector, spare) - inSector)
    const part = spare.subarray(inSector, inSector + Math.min(count, into.length))
    into.set(part)
    return part.length
  }
}
