import { CHECK_MASK } from './search-work.js'
import type { SegmentState } from './segment-state.js'
import type { ViewState } from './view-state.js'

/** Files and directories directly in each directory of a view, counted in its segments; those of the delta are not. */
export class ChildCounts {
  /** By directory id. */
  private files = new Uint32Array(0)
  private directories = new Uint32Array(0)
  /** How many dead rows of each segment have been taken off. */
  private readonly counted = new Map<SegmentState, { d: number; f: number }>()

  constructor(private readonly view: ViewState) {}

  /** Files in a directory; valid after `update`. */
  filesIn(dirId: number): number {
    return this.files[dirId] ?? 0
  }

  directoriesIn(dirId: number): number {
    return this.directories[dirId] ?? 0
  }

  /** Catches up. Cost: a pass over the directories of segments that are new (50 ns each), then what was tombstoned. */
  update(checkCancelled: () => void): void {
    const { segments } = this.view
    for (const segment of this.counted.keys()) if (!segments.includes(segment)) this.forget()
    try {
      for (const segment of segments) {
        if (!this.counted.has(segment)) this.add(segment, checkCancelled)
        this.takeOff(segment, checkCancelled)
      }
    } catch (error) {
      // Half a segment must not count.
      this.forget()
      throw error
    }
  }

  private forget(): void {
    this.files = new Uint32Array(0)
    this.directories = new Uint32Array(0)
    this.counted.clear()
  }

  private add(segment: SegmentState, checkCancelled: () => void): void {
    const { reader } = segment
    this.reserve(reader.lastDirId + 1)
    let first = reader.firstFile(0)
    for (let local = 0; local < reader.dirCount; local++) {
      if ((local & CHECK_MASK) === 0) checkCancelled()
      const end = reader.firstFile(local + 1)
      this.files[reader.dirIdOf(local)] += end - first
      first = end
      if (local > 0 && !reader.isStub(local)) this.directories[reader.dirIdOf(reader.parentOf(local))]++
    }
    this.counted.set(segment, { d: 0, f: 0 })
  }

  private takeOff(segment: SegmentState, checkCancelled: () => void): void {
    const { reader, deadRows } = segment
    const done = this.counted.get(segment)
    if (done === undefined) return
    let steps = 0
    for (const row of deadRows.f.rows().subarray(done.f)) {
      if ((++steps & CHECK_MASK) === 0) checkCancelled()
      this.files[reader.dirIdOf(reader.directoryOfFile(row))]--
    }
    for (const row of deadRows.d.rows().subarray(done.d)) {
      if (row > 0) this.directories[reader.dirIdOf(reader.parentOf(row))]--
    }
    this.counted.set(segment, { d: deadRows.d.length, f: deadRows.f.length })
  }

  private reserve(length: number): void {
    if (length <= this.files.length) return
    const grow = (old: Uint32Array): Uint32Array<ArrayBuffer> => {
      const larger = new Uint32Array(length)
      larger.set(old)
      return larger
    }
    this.files = grow(this.files)
    this.directories = grow(this.directories)
  }
}
