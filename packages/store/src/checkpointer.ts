import { encodeTombstoneFile, type ManifestSegment, type ManifestView, NOT_MERGED } from '@hotpath/index-format'
import { CorruptFileError, type EngineOp, type EntryColumns } from '@hotpath/model'
import { RoaringBitmap32 } from './bitmap.js'
import { type CompactionLimits, chooseMerge } from './compaction-policy.js'
import type { DamagedSegments } from './damaged-segments.js'
import { publishFile } from './file-system.js'
import { type FrozenView, frozenRows } from './flush.js'
import { type NewSegment, SegmentState } from './segment-state.js'
import type { StoreCore } from './store-core.js'
import { segmentName, tombstoneName } from './store-files.js'
import type { View } from './view.js'
import { addSegment } from './view-ops.js'

/** Where a view's checkpoint is put, for the next manifest to name it. */
export interface CheckpointTarget {
  durable: ManifestView | null
}

/** Makes views durable: flushes, tombstone files, merges, and the manifest's part about them. */
export class Checkpointer {
  constructor(
    private readonly core: Pick<StoreCore, 'options' | 'numbers' | 'ops' | 'queue' | 'manifest' | 'retired'>,
    private readonly damaged: Pick<DamagedSegments, 'setAside'>,
  ) {}

  /** Builds a segment and opens it. */
  async build(columns: EntryColumns, origin: 'scan' | 'flush'): Promise<NewSegment> {
    const { backend, directory } = this.core.options
    const id = this.core.numbers.takeFile()
    const file = `${directory}/${segmentName(id)}`
    const { rows } = await backend.build(columns, file)
    return { segment: new SegmentState(id, origin, file, await backend.open(file)), rows }
  }

  /**
   * Writes what was frozen of a view and then makes `target.durable` say so; the caller writes the manifest.
   * @returns files that the manifest will name no more
   */
  async write(target: CheckpointTarget, view: View, frozen: FrozenView): Promise<string[]> {
    const rows = await frozenRows(frozen)
    if (rows.count > 0) {
      const { segment } = await this.build(rows, 'flush')
      await this.core.queue.whole(() => {
        view.replaceFrozen(segment)
        this.core.ops.emit([addSegment(view.id, segment), ...view.takeOps()])
      })
    }
    return this.record(target, view, frozen)
  }

  /** Merges segments of a view whose freeze has not ended, if that is due (or `all` is asked for). */
  async compact(
    target: CheckpointTarget,
    view: View,
    frozen: FrozenView,
    limits: CompactionLimits,
    all: boolean,
  ): Promise<void> {
    const fresh = new Set<SegmentState>()
    for (let first = true; ; first = false) {
      const inputs = all && first ? mergeAll(view) : chooseMerge(view.segments, limits, fresh)
      if (inputs.length === 0) return
      const merged = await this.merge(target, view, frozen, inputs)
      if (!merged) return
      fresh.add(merged)
    }
  }

  private async merge(
    target: CheckpointTarget,
    view: View,
    frozen: FrozenView,
    inputs: readonly SegmentState[],
  ): Promise<SegmentState | undefined> {
    const { numbers, ops, queue, manifest } = this.core
    const { fs, backend, directory } = this.core.options
    const deadAtFreeze = inputs.map(segment => frozen.dead.get(segment) ?? new RoaringBitmap32())
    const id = numbers.takeFile()
    const file = `${directory}/${segmentName(id)}`
    const sources = inputs.map((segment, i) => ({ file: segment.file, dead: serialized(deadAtFreeze[i]) }))
    // A segment that was set aside meanwhile took its entries with it; the merge may have them still, or has not found its file.
    const isLost = (): boolean => inputs.some(segment => !view.segments.includes(segment))
    let mapping: Uint32Array[]
    try {
      mapping = (await backend.merge(sources, frozen.places, file)).mapping
    } catch (error) {
      if (isLost()) return undefined
      const damaged =
        error instanceof CorruptFileError ? inputs.find(segment => segment.file === error.file) : undefined
      if (!damaged) throw error
      await queue.whole(() => this.damaged.setAside(view, damaged))
      await manifest.write()
      return undefined
    }
    const merged = new SegmentState(id, 'merge', file, await backend.open(file))
    const isInstalled = await queue.whole(() => {
      if (isLost()) return false
      inputs.forEach((segment, i) => {
        for (const entry of RoaringBitmap32.andNot(segment.dead, deadAtFreeze[i])) {
          const now = mapping[i][entry]
          if (now !== NOT_MERGED) merged.kill(now, now + 1)
        }
      })
      for (const segment of inputs) view.dropSegment(segment)
      view.addSegment(merged)
      const drops = inputs.map((segment): EngineOp => ({ op: 'dropSegment', view: view.id, segment: segment.id }))
      this.announce(inputs)
      ops.emit([addSegment(view.id, merged), ...drops])
      return true
    })
    if (!isInstalled) {
      merged.close()
      await fs.remove(file)
      return undefined
    }
    const obsolete = await this.record(target, view, frozen)
    await manifest.write()
    for (const segment of inputs) this.retire(segment)
    for (const old of obsolete) await fs.remove(old)
    return merged
  }

  /** Readers are told right after this to drop these segments, or the view that holds them. */
  announce(segments: readonly SegmentState[]): void {
    for (const { id } of segments) this.core.retired.announce(id)
  }

  /** Lets go of a segment that the manifest names no more. */
  retire(segment: SegmentState): void {
    segment.close()
    const files = [segment.file]
    if (segment.deadGeneration > 0) files.push(this.tombstoneFile(segment))
    this.core.retired.retire(segment.id, files)
  }

  /** Tombstone files as of the freeze, and the checkpoint. @returns tombstone files that were replaced */
  private async record(target: CheckpointTarget, view: View, frozen: FrozenView): Promise<string[]> {
    const { fs, directory } = this.core.options
    const obsolete: string[] = []
    for (const segment of [...view.segments]) {
      const dead = frozen.dead.get(segment)
      if (!dead || dead.size === segment.durableDeadCount) continue
      if (segment.deadGeneration > 0) obsolete.push(this.tombstoneFile(segment))
      const generation = segment.deadGeneration + 1
      const bitmap = serialized(dead)
      const bytes = encodeTombstoneFile({ segment: segment.id, generation, count: dead.size, bitmap })
      await publishFile(fs, directory, tombstoneName(segment.id, generation), bytes)
      segment.deadGeneration = generation
      segment.durableDeadCount = dead.size
    }
    target.durable = { ...frozen.facts, segments: view.segments.map(manifestSegment) }
    return obsolete
  }

  private tombstoneFile(segment: SegmentState): string {
    return `${this.core.options.directory}/${tombstoneName(segment.id, segment.deadGeneration)}`
  }
}

function mergeAll(view: View): SegmentState[] {
  return view.segments.length > 1 || view.segments.some(segment => segment.deadSize > 0) ? [...view.segments] : []
}

function serialized(bitmap: RoaringBitmap32): Uint8Array {
  return bitmap.size === 0 ? new Uint8Array(0) : new Uint8Array(bitmap.serialize('portable'))
}

function manifestSegment(segment: SegmentState): ManifestSegment {
  return {
    id: segment.id,
    origin: segment.origin,
    sizeBytes: segment.sizeBytes,
    dirCount: segment.dirCount,
    fileCount: segment.fileCount,
    stubCount: segment.stubCount,
    deadCount: segment.durableDeadCount,
    deadGeneration: segment.deadGeneration,
  }
}
