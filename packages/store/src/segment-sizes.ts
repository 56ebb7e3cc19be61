import type { RootState } from './root-state.js'
import type { SegmentSizes } from './store-types.js'

/** Sizes of the segments that answer queries of a root. */
export function segmentSizes({ spec, active }: RootState): SegmentSizes[] {
  return (active?.segments ?? []).map(segment => ({
    root: spec.id,
    segment: segment.id,
    file: segment.file,
    origin: segment.origin,
    sizeBytes: segment.sizeBytes,
    directories: segment.dirCount,
    files: segment.fileCount,
    stubs: segment.stubCount,
    dead: segment.deadSize,
    sections: segment.sections(),
  }))
}
