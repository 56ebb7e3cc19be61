import type { SegmentReader } from '@hotpath/index-format'
import { keyOf } from '@hotpath/index-format'
import { ENTRY_TYPES, typeOfKey } from './entry-types.js'
import type { SegmentState } from './segment-state.js'

/** Blocks of names whose types are found in one step, files that are added up in one, and dead ones that are taken off: about 1 ms each. */
const SLICE_BLOCKS = 256
const SLICE_FILES = 32_768
const SLICE_DEAD = 1_024
/** Files between two sums: more take less memory (8 bytes for each sum), and longer to add up what is between. */
const SUM_FILES = 64

/**
 * Sums over the files of a segment: how many of each type there are and what they take, and sums of sizes over any range. What was written is
 * gathered once, in steps (120 ns a name, 30 a file), then only what died since is taken off.
 */
export class SegmentSums {
  /** By type; of files that are no longer there nothing. */
  readonly counts = new Float64Array(ENTRY_TYPES.length)
  readonly sizes = new Float64Array(ENTRY_TYPES.length)
  /** Bytes of the files before each SUM_FILES. */
  private readonly before: Float64Array
  private readonly values = new Float64Array(SUM_FILES)
  private readonly steps: Generator<undefined, void>
  private isGathered = false
  private deadDone = 0

  constructor(private readonly segment: SegmentState) {
    this.before = new Float64Array(Math.floor(segment.reader.fileCount / SUM_FILES) + 1)
    this.steps = this.gather()
  }

  private get reader(): SegmentReader {
    return this.segment.reader
  }

  /** @returns true if everything is as it is now; false if the time came first (performance.now()); it takes one step at least */
  run(untilMs: number): boolean {
    while (!this.isDone()) {
      if (!this.isGathered) this.isGathered = this.steps.next().done === true
      else this.takeOff(this.segment.deadRows.f.rows().subarray(this.deadDone, this.deadDone + SLICE_DEAD))
      if (performance.now() > untilMs) return this.isDone()
    }
    return true
  }

  private isDone(): boolean {
    return this.isGathered && this.deadDone === this.segment.deadRows.f.length
  }

  /** Bytes of the files [from, to), dead ones too. Cost: at most 126 values. */
  sizeOf(from: number, to: number): number {
    return to <= from ? 0 : this.sizeBefore(to) - this.sizeBefore(from)
  }

  private sizeBefore(file: number): number {
    const { sizes } = this.reader
    const sum = Math.floor(file / SUM_FILES)
    const first = sum * SUM_FILES
    let size = this.before[sum]
    if (file === first || sizes === undefined) return size
    sizes.read(first, file, this.values)
    for (let i = 0; i < file - first; i++) size += known(this.values[i])
    return size
  }

  private *gather(): Generator<undefined, void> {
    const { reader, before, counts, sizes } = this
    const { files, fileCount } = reader
    const types = new Uint8Array(files.nameCount)
    let name = 0
    const add = (key: Uint8Array, start: number, end: number): void => {
      types[name++] = typeOfKey(key, start, end)
    }
    for (let from = 0; from < files.blockCount; from += SLICE_BLOCKS) {
      files.forEachKey(from, Math.min(files.blockCount, from + SLICE_BLOCKS), add)
      yield
    }
    const values = new Float64Array(SLICE_FILES)
    let sum = 0
    for (let from = 0; from < fileCount; from += SLICE_FILES) {
      const to = Math.min(fileCount, from + SLICE_FILES)
      reader.sizes?.read(from, to, values)
      for (let file = from; file < to; file++) {
        if (file % SUM_FILES === 0) before[file / SUM_FILES] = sum
        const size = known(values[file - from])
        sum += size
        const type = types[files.nameIdOf(file)]
        counts[type]++
        sizes[type] += size
      }
      yield
    }
    if (fileCount % SUM_FILES === 0) before[fileCount / SUM_FILES] = sum
  }

  private takeOff(dead: Uint32Array): void {
    const { reader, counts, sizes } = this
    for (const file of dead) {
      const key = keyOf(reader.nameOf(reader.dirCount + file))
      const type = typeOfKey(key, 0, key.length)
      counts[type]--
      sizes[type] -= known(reader.sizes?.at(file) ?? 0)
    }
    this.deadDone += dead.length
  }
}

function known(size: number): number {
  return Number.isNaN(size) ? 0 : size
}
