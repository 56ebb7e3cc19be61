import { type ChangeBatch, type NodeRef, Op, type RootSpec } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import type { CheckBatch, CheckCommand, ListCommand, Peer, WatchState } from '@hotpath/protocol'
import type { Store } from '@hotpath/store'
import { changeColumns, entryColumns, type PlainChange, type PlainEntry } from '@hotpath/testing'
import type { RootKeeper } from '../roots/root-keeper.js'
import type { Sources } from '../roots/sources.js'
import type { DiskNode, FakeDisk, Hint } from './fake-disk.js'

const NO_REF: NodeRef = { low: 0, high: 0, birth: 0 }
const CHECK_ROWS = 3

export function peer(stage: 'scanner' | 'watcher', instance: string): Peer {
  return { identity: { stage, instance, pid: 1, version: '' } } as unknown as Peer
}

/** A scanner and a watcher of one root on a fake disk, as the keeper of a store sees them. */
export class FakeSources implements Sources {
  readonly scanner = peer('scanner', 'scanner-1')
  watcher: Peer | undefined
  hasScanner = true
  scans = 0
  readonly checks: string[] = []
  /** Checks wait for this after their first batch. */
  gate: Promise<void> = Promise.resolve()
  /** What the watcher says of itself: the next source may continue it. */
  state: Pick<WatchState, 'source' | 'term' | 'continuesSource' | 'continuesTerm'> = {
    source: 'w/1',
    term: 1,
    continuesSource: '',
    continuesTerm: 0,
  }
  /** Batches of the watcher in the order in which they were sent. */
  sequence = 0
  private hints: Hint[] = []
  private sent: Promise<void> = Promise.resolve()
  private root: RootSpec | undefined
  store!: Store
  keeper!: RootKeeper

  constructor(readonly disk: FakeDisk) {}

  /** A watcher comes, with everything that happens from now on. */
  watch(instance: string, state: Partial<FakeSources['state']> = {}): void {
    this.state = { continuesSource: '', continuesTerm: 0, term: 1, source: instance, ...state }
    if (state.continuesSource === undefined) this.hints = []
    this.sequence = 0
    this.watcher = peer('watcher', instance)
    this.disk.onChange = hints => this.hints.push(...hints)
    this.keeper.watcherCame(this.watcher)
  }

  /** The watcher is gone. `remembers`: another one can tell what happens until it comes. */
  leave({ remembers = false } = {}): void {
    const { watcher } = this
    if (!watcher) return
    this.watcher = undefined
    if (!remembers) this.stopLooking()
    this.keeper.watcherLost(watcher)
  }

  /** What happens from now on nobody tells. */
  stopLooking(): void {
    this.disk.onChange = () => {}
    this.hints = []
  }

  tell(state: WatchState['state'], more: Partial<WatchState> = {}): void {
    if (!this.watcher || !this.root) return
    this.keeper.watchState(this.watcher.identity.instance, {
      root: this.root.id,
      state,
      mechanism: state === 'armed' ? 'fanotify' : 'none',
      reason: '',
      wholeUntil: Number.NaN,
      ...this.state,
      ...more,
    })
  }

  /** Sends what the watcher has seen. Resolves when that, and what the store asked for because of it, is in the index. */
  async flush(): Promise<void> {
    const hints = this.hints.splice(0)
    const present = hints.flatMap(hint => this.rowOf(hint, true))
    void this.send([...present, ...hints.flatMap(hint => this.rowOf(hint, false))])
    for (let sent: Promise<void> | undefined; sent !== this.sent; ) {
      sent = this.sent
      await sent
    }
  }

  send(changes: readonly PlainChange[], source = this.state.source, number?: number): Promise<void> {
    const { root } = this
    if (!root || changes.length === 0 || this.keeper.isReplaced(root.id, source)) return Promise.resolve()
    const sequence = number ?? ++this.sequence
    const batch = { root: root.id, source, sequence, bootId: 'boot', changes: changeColumns(changes) }
    const former = this.sent
    const applied = this.apply(batch)
    this.sent = former.then(() => applied)
    return applied
  }

  private async apply(batch: ChangeBatch): Promise<void> {
    const { gap, listRequests } = await this.store.applyChanges(batch)
    if (gap) void this.keeper.eventsLost(batch.root)
    for (const { ref } of listRequests) this.list(ref)
  }

  // ---- Sources

  scanners(): Peer[] {
    return this.hasScanner ? [this.scanner] : []
  }

  watchers(): Peer[] {
    return this.watcher ? [this.watcher] : []
  }

  commandScan(_peer: Peer, root: RootSpec, epoch: number): void {
    this.scans++
    this.root = root
    void this.scan(root, epoch)
  }

  cancelScan(): void {}

  cancelCheck(): void {}

  commandWatch(_peer: Peer, root: RootSpec): void {
    this.root = root
    setImmediate(() => this.tell('armed'))
  }

  commandUnwatch(): void {}

  commandList(_peer: Peer, { refs, paths, pathOffsets }: ListCommand): void {
    for (let i = 0; i < refs.low.length; i++) {
      const ref = { low: refs.low[i], high: refs.high[i], birth: refs.birth[i] }
      if (this.list(ref)) continue
      // Not there: what has its name now is told instead.
      const path = Buffer.from(paths.subarray(pathOffsets[i], pathOffsets[i + 1])).toString()
      const slash = path.lastIndexOf('/')
      const directory = this.disk.directories().get(path.slice(0, slash))
      if (directory) this.hints.push({ directory, name: path.slice(slash + 1) })
    }
  }

  commandCheck(_peer: Peer, command: CheckCommand): void {
    this.checks.push(command.mode)
    void this.check(command)
  }

  async passBarrier(): Promise<boolean> {
    await new Promise(setImmediate)
    await this.flush()
    return this.watcher !== undefined
  }

  // ---- What they do

  private async scan(root: RootSpec, epoch: number): Promise<void> {
    const volume = 'v'
    const prefix = Buffer.from('/')
    await this.keeper.beginScan({ root, volume, prefix, epoch, bootId: 'boot', source: 'scanner-1' })
    const rows: PlainEntry[] = [
      { parent: 0, directory: 1, kind: this.disk.root.kind, name: 'r', row: this.disk.rowOf(this.disk.root) },
    ]
    const listed: number[] = []
    const observed: number[] = []
    let next = 2
    const visit = (node: DiskNode, number: number): void => {
      listed.push(number)
      observed.push(monotonicMicros())
      const below: [DiskNode, number][] = []
      for (const [name, child] of node.children ?? []) {
        const directory = child.children ? next++ : 0
        rows.push({ parent: number, directory, kind: child.kind, name, row: this.disk.rowOf(child) })
        if (child.children) below.push([child, directory])
      }
      for (const [child, directory] of below) visit(child, directory)
    }
    visit(this.disk.root, 1)
    const listing = { directory: Uint32Array.from(listed), observed: Float64Array.from(observed) }
    this.store.addEntries(epoch, 1, entryColumns(rows), listing)
    const entries = rows.length
    await this.keeper.finishScan({
      root: root.id,
      epoch,
      entries,
      skipped: 0,
      state: 'complete',
      lastSequence: 1,
      problems: [],
    })
  }

  private async check({ check, mode, root, after }: CheckCommand): Promise<void> {
    const all = [...this.disk.directories()]
    const from = all.findIndex(([path]) => path === Buffer.from(after).toString()) + 1
    let sequence = 0
    for (let at = from; at < all.length; at += CHECK_ROWS) {
      const rows = all.slice(at, at + CHECK_ROWS).filter(([path]) => this.disk.directories().has(path))
      if (!(await this.keeper.checkBatch(this.checkBatch(check, ++sequence, mode, rows)))) return
      await this.gate
      if (!this.hasScanner) return
    }
    this.keeper.checkEnd({
      root: root.id,
      check,
      state: 'complete',
      directories: all.length,
      entries: 0,
      skipped: 0,
      lastSequence: sequence,
    })
  }

  private checkBatch(
    check: number,
    sequence: number,
    mode: CheckCommand['mode'],
    rows: readonly (readonly [string, DiskNode])[],
  ): CheckBatch {
    const times = (of: (node: DiskNode) => DiskNode['changed']) => ({
      seconds: Float64Array.from(rows, ([, node]) => of(node).seconds),
      ticks: Uint32Array.from(rows, ([, node]) => of(node).ticks),
    })
    const digests = rows.map(([, node]) => this.disk.digestOf(node))
    const paths = rows.map(([path]) => Buffer.from(path))
    const pathOffsets = new Uint32Array(rows.length + 1)
    paths.forEach((path, i) => {
      pathOffsets[i + 1] = pathOffsets[i] + path.length
    })
    return {
      check,
      sequence,
      refs: {
        low: Uint32Array.from(rows, ([, { ref }]) => ref.low),
        high: Uint32Array.from(rows, ([, { ref }]) => ref.high),
        birth: Uint32Array.from(rows, ([, { ref }]) => ref.birth),
      },
      modified: times(node => node.modified),
      changed: times(node => node.changed),
      observed: Float64Array.from(rows, () => monotonicMicros()),
      ...(mode === 'full' && {
        children: Uint32Array.from(digests, ({ count }) => count),
        digestLow: Uint32Array.from(digests, ({ low }) => low),
        digestHigh: Uint32Array.from(digests, ({ high }) => high),
      }),
      pathOffsets,
      paths: new Uint8Array(Buffer.concat(paths)),
    }
  }

  /** Lists a directory, and tells its own row. @returns false if it is not there */
  private list(ref: NodeRef): boolean {
    const found = [...this.disk.directories().values()].find(node => node.ref.low === ref.low)
    if (!found) return false
    const observed = monotonicMicros()
    const rows = [...(found.children ?? [])].map(([name, child]) => this.present(found.ref, name, child, observed))
    const self = this.disk.selfOf(found).flatMap(hint => this.rowOf(hint, true))
    const root = found === this.disk.root ? [this.present(NO_REF, '', found, observed)] : []
    void this.send([...rows, { op: Op.listed, parentRef: found.ref, name: '', observed }, ...self, ...root])
    return true
  }

  private rowOf({ directory, name }: Hint, present: boolean): PlainChange[] {
    const child = directory.children?.get(name)
    if ((child !== undefined) !== present) return []
    const observed = monotonicMicros()
    const self = directory === this.disk.root ? [this.present(NO_REF, '', directory, observed)] : []
    if (!child) return [...self, { op: Op.absent, parentRef: directory.ref, name, observed }]
    return [this.present(directory.ref, name, child, observed), ...self]
  }

  private present(parentRef: NodeRef, name: string, node: DiskNode, observed: number): PlainChange {
    return { op: Op.present, parentRef, name, row: this.disk.rowOf(node), observed }
  }
}
