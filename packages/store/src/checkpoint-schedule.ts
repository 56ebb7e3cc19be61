import type { Checkpointer } from './checkpointer.js'
import { DEFAULT_COMPACTION_LIMITS } from './compaction-policy.js'
import type { DamagedSegments } from './damaged-segments.js'
import { freezeView } from './flush.js'
import type { RootState } from './root-state.js'
import type { StoreCore } from './store-core.js'

const DEFAULT_FLUSH_ROWS = 32_768
const DEFAULT_MAX_WAL_BYTES = 64 * 1024 * 1024

/**
 * When active views are made durable, and in which steps: flush, manifest, then what is useless goes, then merges.
 *
 * The steps of one root run one after the other (RootState.enqueue), never two at once. Files are removed only when a
 * manifest that does not name them is on disk, log files only when every root's checkpoint is behind them. A step that
 * fails has failed the store.
 */
export class CheckpointSchedule {
  private readonly flushRows: number
  private readonly maxLogBytes: number
  private bytes = 0

  constructor(
    private readonly core: Pick<StoreCore, 'options' | 'writer' | 'roots' | 'logs' | 'manifest' | 'queue'>,
    private readonly checkpointer: Pick<Checkpointer, 'write' | 'compact'>,
    private readonly damaged: Pick<DamagedSegments, 'setBrokenAside'>,
  ) {
    this.flushRows = core.options.flushRows ?? DEFAULT_FLUSH_ROWS
    this.maxLogBytes = core.options.maxWalBytes ?? DEFAULT_MAX_WAL_BYTES
  }

  /** Bytes of log since all views were last asked to flush. */
  get logBytes(): number {
    return this.bytes
  }

  /** A batch was applied to a root, with so many bytes of log: flushes what is due now, behind the answer. */
  noteChange(root: RootState, logBytes: number): void {
    this.bytes += logBytes
    if ((root.active?.delta.unflushed ?? 0) >= this.flushRows) this.flushSoon(root)
    if (this.bytes < this.maxLogBytes) return
    this.bytes = 0
    for (const other of this.core.roots) this.flushSoon(other)
  }

  /** A scan's view became active: its slices are merged behind the answer. One large segment is half as big and twice as fast as ten. */
  noteSwitch(root: RootState): void {
    const all = (root.active?.segments.length ?? 0) > 1
    this.core.writer.guardInBackground(root.enqueue(() => this.checkpoint(root, all)))
  }

  /** Flushes a root's view, and merges what is due. */
  flush(root: RootState): Promise<void> {
    return this.core.writer.guard(root.enqueue(() => this.checkpoint(root, false)))
  }

  /** Flushes a root's view, and merges all segments into one. */
  compact(root: RootState): Promise<void> {
    return this.core.writer.guard(root.enqueue(() => this.checkpoint(root, true)))
  }

  /** Flush, manifest, then merges that are due (`all`: one segment). Only as a job of the root, or while nothing else runs. */
  async checkpoint(root: RootState, all: boolean): Promise<void> {
    const { options, writer, logs, manifest } = this.core
    const taken = await this.core.queue.whole(() => {
      const view = root.active
      if (!view || !writer.isOpen) return undefined
      this.damaged.setBrokenAside(root)
      return { view, frozen: freezeView(view, logs.rotate(), [...root.applied]) }
    })
    if (!taken) return
    const { view, frozen } = taken
    try {
      const obsolete = await this.checkpointer.write(root, view, frozen)
      await manifest.write()
      for (const file of obsolete) await options.fs.remove(file)
      await this.removeOldLogs()
      if (root.active !== view || writer.isClosing) return
      await this.checkpointer.compact(root, view, frozen, options.compaction ?? DEFAULT_COMPACTION_LIMITS, all)
    } finally {
      view.endFreeze()
    }
  }

  /** Log files before every root's checkpoint are of no use any more. */
  removeOldLogs(): Promise<void> {
    return this.core.logs.removeBefore(this.core.roots.replayFrom())
  }

  /** One flush of a root waits at most. */
  private flushSoon(root: RootState): void {
    if (root.flushQueued || !root.active) return
    root.flushQueued = true
    const job = root.enqueue(() => {
      root.flushQueued = false
      return this.checkpoint(root, false)
    })
    this.core.writer.guardInBackground(job)
  }
}
