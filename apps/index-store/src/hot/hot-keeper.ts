import { BATCH_OPENS, type HotSlot, type HotTable, type NodeKey, OpenBuffer, volumeKey } from '@hotpath/hot-score'
import type { HotColumns, Lack, NodeRef } from '@hotpath/model'
import type { FollowedNodes } from '@hotpath/store'
import type { HotDb } from './hot-db.js'

/** The longest that an open waits for its batch: half of the second in which it must be ranked and on disk. */
const BATCH_MS = 500
/** Opens that may wait: a second of a million opens a second comes in 65 batches. 1.3 MB. */
const MAX_WAITING = 65_536

export interface HotKeeperOptions {
  readonly table: HotTable
  readonly db: HotDb
}

/**
 * The hot records of the index: takes opens, applies them in batches, tells replicas and writes them down. A batch is applied
 * when 1,000 opens wait, and at most half a second after the one before: so the first open after a while counts at once.
 * So does a record that goes with its name: until then the saved file would be one that nobody ever opened.
 */
export class HotKeeper {
  private readonly buffer = new OpenBuffer(MAX_WAITING)
  private emit: ((records: HotColumns) => void) | undefined
  private timer: NodeJS.Timeout | undefined
  private immediate: NodeJS.Immediate | undefined
  private lastBatch = Number.NEGATIVE_INFINITY
  private readonly followed = new Map<string, FollowedNodes>()

  constructor(private readonly options: HotKeeperOptions) {}

  /**
   * From now on changes go to replicas through `emit`, which get what is there first. Takeovers of names that were found
   * before (when the log was replayed) are in that.
   */
  start(emit: (records: HotColumns) => void): void {
    const { table, db } = this.options
    table.takeChanges()
    void db.write()
    this.emit = emit
    if (table.size > 0) emit(table.snapshot())
  }

  /** Counts an open. @param atSeconds whole seconds since 1970 @returns false if it was dropped */
  accept(key: NodeKey, atSeconds: number): boolean {
    const isTaken = this.buffer.accept(key, atSeconds)
    this.schedule()
    return isTaken
  }

  /**
   * Forgets the opens of these nodes, or of all, those that still wait included. Resolves when nothing of them is on disk.
   * @returns how many records are gone
   * @throws Error where the disk did not take it: the records are gone from memory alone
   */
  async forget(keys: readonly NodeKey[] | 'all'): Promise<number> {
    while (this.buffer.length > 0) this.applyBatch()
    const { table, db } = this.options
    const slots = new Set<HotSlot>()
    if (keys === 'all') table.forEach(slot => void slots.add(slot))
    else for (const { volume, low, high, birth } of keys) slots.add(table.find(volume, low, high, birth))
    slots.delete(0)
    for (const slot of slots) table.remove(slot)
    this.applyBatch()
    if (keys === 'all') await db.removeSetAside()
    // Twice: what is being written now may have been taken before.
    await db.write()
    await db.write()
    if (db.failure !== undefined) throw db.failure
    return slots.size
  }

  /** Nodes of a volume, for the store. */
  followedNodes(volume: string): FollowedNodes {
    let nodes = this.followed.get(volume)
    if (nodes === undefined) {
      nodes = new VolumeNodes(this.options.table, volumeKey(volume), () => this.scheduleNow())
      this.followed.set(volume, nodes)
    }
    return nodes
  }

  stats(): { records: number; accepted: number; dropped: number; evicted: number } {
    const { accepted, dropped } = this.buffer
    const { size, evicted } = this.options.table
    return { records: size, accepted, dropped, evicted }
  }

  get failure(): Error | undefined {
    return this.options.db.failure
  }

  /** What must come back before records that could not be written can be. */
  get lack(): Lack | undefined {
    return this.options.db.lack
  }

  /** Writes what was held back, once that is there. */
  tryAgain(): Promise<void> {
    return this.options.db.tryAgain()
  }

  /** Applies what waits and writes it down. */
  async stop(): Promise<void> {
    // Replicas are gone by now.
    this.emit = () => {}
    do this.applyBatch()
    while (this.buffer.length > 0)
    clearTimeout(this.timer)
    clearImmediate(this.immediate)
    await this.options.db.close()
  }

  private schedule(): void {
    if (this.emit === undefined || this.immediate !== undefined) return
    if (this.buffer.length >= BATCH_OPENS) {
      this.scheduleNow()
      return
    }
    if (this.timer !== undefined) return
    const dueMs = Math.max(0, this.lastBatch + BATCH_MS - performance.now())
    this.timer = setTimeout(() => this.applyBatch(), dueMs)
  }

  private scheduleNow(): void {
    if (this.emit !== undefined) this.immediate ??= setImmediate(() => this.applyBatch())
  }

  private applyBatch(): void {
    clearTimeout(this.timer)
    clearImmediate(this.immediate)
    this.timer = undefined
    this.immediate = undefined
    this.lastBatch = performance.now()
    const { table, db } = this.options
    this.buffer.take(BATCH_OPENS, opens => table.openAll(opens))
    const changes = table.takeChanges()
    if (changes.count > 0) {
      this.emit?.(changes)
      void db.write()
    }
    if (this.buffer.length > 0) this.schedule()
  }
}

class VolumeNodes implements FollowedNodes {
  constructor(
    private readonly table: HotTable,
    private readonly volume: number,
    private readonly onMoved: () => void,
  ) {}

  get any(): boolean {
    return this.table.size > 0
  }

  has({ low, high, birth }: NodeRef): boolean {
    return this.table.find(this.volume, low, high, birth) !== 0
  }

  moved(from: NodeRef, to: NodeRef): void {
    if (this.table.move({ ...from, volume: this.volume }, { ...to, volume: this.volume })) this.onMoved()
  }

  refs(): NodeRef[] {
    const refs: NodeRef[] = []
    this.table.forEach(slot => {
      const { volume, low, high, birth } = this.table.keyAt(slot)
      if (volume === this.volume) refs.push({ low, high, birth })
    })
    return refs
  }
}
