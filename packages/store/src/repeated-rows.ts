import { NO_DIRECTORY } from '@hotpath/model'
import type { ScanFindings } from './scan-findings.js'
import type { SegmentState } from './segment-state.js'
import type { View } from './view.js'

/** A row whose (directory, name) may be in an earlier slice, too. */
export interface Suspect {
  readonly parent: number
  readonly name: Uint8Array
  /** 0 for files. */
  readonly directory: number
  readonly firstSlice: number
}

/**
 * Rows of one (directory, name) in more than one slice of a scan. Within a slice ScanRows sees them; over slices it only
 * suspects them, and here the segments are asked. After `settle` one entry of each name is live in the slices so far, or
 * a directory that must go with its contents is among the losers.
 */
export class RepeatedRows {
  /** Segments of the slices so far, in their order. */
  private readonly segments: SegmentState[] = []

  constructor(
    private readonly view: View,
    private readonly findings: ScanFindings,
  ) {}

  /** A slice was built; `segment` is not in the view yet. */
  settle(segment: SegmentState, suspects: readonly Suspect[]): void {
    for (const suspect of suspects) this.settleOne(segment, suspect)
    this.segments.push(segment)
  }

  /** A (directory, name) that earlier slices may have, too, counts once: the last row wins, a directory beats a file. */
  private settleOne(segment: SegmentState, { parent, name, directory, firstSlice }: Suspect): void {
    const isStub = directory !== NO_DIRECTORY && segment.isStub(segment.findDir(directory))
    if (isStub) return
    for (let i = firstSlice - 1; i < this.segments.length; i++) {
      const earlier = this.segments[i]
      const repeated = directory === NO_DIRECTORY ? -1 : earlier.findDir(directory)
      if (repeated >= 0 && earlier.isLive(repeated)) this.takeBack(earlier, repeated)
      const local = earlier.findDir(parent)
      const entry = local < 0 ? -1 : earlier.findChild(local, name)
      if (entry < 0 || !earlier.isLive(entry)) continue
      if (entry >= earlier.dirCount) this.takeBack(earlier, entry)
      else if (directory !== NO_DIRECTORY) this.findings.losers.add(earlier.dirIdOf(entry))
      else {
        const file = segment.findChild(segment.findDir(parent), name)
        if (file >= segment.dirCount) segment.kill(file, file + 1)
        this.findings.skippedRows++
        this.findings.entries--
        this.findings.relist.add(parent)
      }
    }
  }

  private takeBack(segment: SegmentState, entry: number): void {
    this.view.removeRow({ segment, entry })
    this.findings.skippedRows++
    this.findings.entries--
  }
}
