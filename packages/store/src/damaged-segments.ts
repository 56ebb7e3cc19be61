import { isDamage } from '@hotpath/model'
import type { DamagedFile } from './recovery.js'
import type { RootState } from './root-state.js'
import type { SegmentState } from './segment-state.js'
import type { StoreCore } from './store-core.js'
import { DAMAGED_SUFFIX, segmentName } from './store-files.js'
import type { View } from './view.js'

/**
 * Segments that turn out damaged while the store runs (those that opening finds are Recovery's). One is set aside at once:
 * it leaves its view and the manifest's view, its file is kept under another name, the root's answers are partial and the
 * root asks for a scan. The entries that it held are gone until that scan has ended. A store that only reads does this in
 * memory alone.
 */
export class DamagedSegments {
  constructor(
    private readonly core: Pick<StoreCore, 'options' | 'log' | 'writer' | 'roots' | 'ops' | 'queue' | 'manifest'>,
  ) {}

  /** Sets aside what reading the root's active view has found broken. Cost without damage: a look at each segment. */
  setBrokenAside(root: RootState): void {
    const { active } = root
    const broken = active?.brokenSegments() ?? []
    if (broken.length === 0 || !active) return
    for (const segment of broken) this.setAside(active, segment)
    this.core.writer.guardInBackground(this.core.manifest.write())
  }

  /** A damaged segment leaves its view; the caller writes the manifest. */
  setAside(view: View, segment: SegmentState): void {
    const { options, log, writer, roots, ops } = this.core
    const root = roots.get(view.root)
    log.warn('damaged segment set aside', { file: segment.file, reason: segment.broken?.message ?? 'verify' })
    view.dropSegment(segment)
    view.impliedDirectories = true
    root.partial = true
    if (root.durable) {
      root.durable = { ...root.durable, segments: root.durable.segments.filter(({ id }) => id !== segment.id) }
    }
    ops.emit([
      { op: 'dropSegment', view: view.id, segment: segment.id },
      { op: 'markPartial', root: view.root, partial: true },
    ])
    segment.close()
    if (!writer.failure) {
      writer.guardInBackground(options.fs.rename(segment.file, `${segment.file}${DAMAGED_SUFFIX}`))
    }
    roots.needScan(root, 'damaged segment')
  }

  /**
   * Reads every checksum of the segment of this number, or of all.
   * @returns the damaged ones, which were set aside
   * @throws the first error that says nothing about the file it came from: that segment stays where it is
   */
  async verify(id?: number): Promise<DamagedFile[]> {
    const { options, writer, roots, queue, manifest } = this.core
    const damaged: DamagedFile[] = []
    let unread: unknown
    for (const root of roots) {
      for (const segment of [...(root.active?.segments ?? [])]) {
        if (id !== undefined && segment.id !== id) continue
        try {
          await options.backend.verify(segment.file)
        } catch (error) {
          await queue.whole(() => {
            // A merge may have taken its place meanwhile.
            if (!root.active?.segments.includes(segment)) return
            if (isDamage(error)) {
              const reason = error instanceof Error ? error.message : String(error)
              damaged.push({ name: segmentName(segment.id), reason, pending: false })
              this.setAside(root.active, segment)
            } else unread ??= error
          })
        }
      }
    }
    if (damaged.length > 0 && !writer.failure) await writer.guard(manifest.write())
    if (unread !== undefined) throw unread
    return damaged
  }
}
