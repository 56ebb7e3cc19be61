import type { RootState } from './root-state.js'
import type { RootStatus, SegmentSizes } from './store-types.js'

/** How a root stands: for people, and for who asks sources for scans. */
export function rootStatus(root: RootState): RootStatus {
  const view = root.answering
  return {
    spec: root.spec,
    entries: view?.entryCount ?? 0,
    segments: view?.segments.length ?? 0,
    deltaRows: view?.delta.size ?? 0,
    partial: root.partial || root.scanVisible,
    scanReason: root.scanReason,
    scanEpoch: root.scan?.epoch ?? 0,
    scanEntries: root.scan?.entries ?? 0,
    lastScan: root.lastScan,
    followed: root.followed,
    trust: root.trust,
    wholeUntilMs: root.wholeUntilMs,
    journal: root.journal,
  }
}

/** Sizes of the segments of a root's active view. */
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
