import { type MemorySink, PAGE_SIZE, SegmentReader } from '@hotpath/index-format'
import { type ChangeBatch, type EntryRow, Kind, type NodeRef, type RootSpec } from '@hotpath/model'
import {
  type CrashDamage,
  changeColumns,
  entryColumns,
  FaultFileSystem,
  type PlainChange,
  type PlainEntry,
  type Random,
  ReplicaModel,
  TreeModel,
  type TreeNode,
} from '@hotpath/testing'
import { RoaringBitmap32 } from '../bitmap.js'
import { LocalSegmentBackend } from '../local-backend.js'
import { Roots } from '../roots.js'
import { Store } from '../store.js'
import type { ListRequest, StoreOptions } from '../store-types.js'
import type { View } from '../view.js'

export const ROOT: RootSpec = { id: 'tree:root', kind: 'tree', path: '/root' }
export const DATA = '/data'

interface OpenScan {
  readonly epoch: number
  sequence: number
  nextNumber: number
  /** Directories to list: found by path, as a scanner that holds no descriptors does. */
  readonly queue: { readonly node: TreeNode; readonly number: number; readonly path: string }[]
}

/** Plays scanner, watcher and query worker of one store over a modelled tree. */
export class StoreDriver {
  readonly tree: TreeModel
  store!: Store
  replica!: ReplicaModel
  /** Batches that were sent and not acknowledged, in order: a watcher sends them again. */
  unacked: ChangeBatch[] = []
  /** Observations not sent yet, in order. */
  readonly delayed: PlainChange[][] = []
  scan: OpenScan | undefined
  /** What the replica sees is the tree, once everything was sent. */
  complete = false
  /** Called when the store was opened. */
  onOpen = (): void => {}
  /** Called when the store has taken a batch, or a scan has ended. */
  onTaken = (): void => {}
  private sequence = 0
  private readonly underWay = new Set<Promise<void>>()
  private closeReader = (): void => {}

  constructor(
    private readonly random: Random,
    readonly fs: FaultFileSystem = new FaultFileSystem(),
    private readonly options: Partial<StoreOptions> = {},
    private readonly source = 'watcher-1',
  ) {
    this.tree = new TreeModel(random)
  }

  async open(fs: FaultFileSystem = this.fs): Promise<void> {
    Object.assign(this, { fs })
    const backend = new SlowBackend(fs)
    this.store = await Store.open({ directory: DATA, fs, backend, now: () => 0, ...this.options })
    await this.store.addRoot(ROOT, { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false })
    const reader = this.store.registerReader()
    this.closeReader = () => reader.close()
    const replica = newReplica(fs, segment => reader.confirmDropped(segment))
    replica.apply(this.store.snapshotOps())
    this.store.onOps(ops => replica.apply(ops))
    this.replica = replica
    this.onOpen()
  }

  /** The process ends without closing anything; what is on disk then is opened. Unacknowledged batches are sent again. */
  async killAndReopen(damage: CrashDamage): Promise<void> {
    const resend = [...this.unacked]
    this.scan = undefined
    await this.open(this.fs.crash(this.fs.operationCount, damage))
    this.unacked = []
    // New batches may only follow when the old ones are through: sequences rise.
    const requests: ListRequest[] = []
    for (const batch of resend) requests.push(...(await this.send(batch)))
    this.complete = this.store.rootStatus()[0].scanReason === '' || this.replica.roots().length > 0
    await this.answer([...requests, ...this.store.listRequests(ROOT.id)])
  }

  async closeAndReopen(): Promise<void> {
    await this.settle()
    this.closeReader()
    await this.store.close()
    this.scan = undefined
    await this.open()
    await this.answer(this.store.listRequests(ROOT.id))
  }

  /** Sends observations as one batch and answers what the store asks for. Resolves when queries see all of it. */
  async deliver(changes: readonly PlainChange[]): Promise<void> {
    if (changes.length === 0) return
    await this.answer(await this.send(this.batch(changes, ++this.sequence)))
  }

  /** As `deliver`, without waiting for it: see `applied`. */
  deliverMeanwhile(changes: readonly PlainChange[]): void {
    const work = this.deliver(changes).finally(() => this.underWay.delete(work))
    this.underWay.add(work)
  }

  /** Resolves when queries see everything that was sent. */
  async applied(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay)
  }

  /** A batch of this driver's watcher. */
  batch(changes: readonly PlainChange[], sequence: number): ChangeBatch {
    return { root: ROOT.id, source: this.source, sequence, bootId: 'boot-1', changes: changeColumns(changes) }
  }

  async deliverDelayed(): Promise<void> {
    for (const changes of this.delayed.splice(0)) await this.deliver(changes)
  }

  private async send(batch: ChangeBatch): Promise<ListRequest[]> {
    this.unacked.push(batch)
    const { store } = this
    const { listRequests, durable } = await store.applyChanges(batch)
    this.onTaken()
    durable.then(
      () => {
        // What a killed process would still have said is not heard.
        if (store === this.store) this.unacked = this.unacked.filter(other => other !== batch)
      },
      () => {},
    )
    return store === this.store ? listRequests : []
  }

  private async answer(requests: readonly ListRequest[]): Promise<void> {
    for (const { ref } of requests) await this.list(ref)
  }

  private async list(ref: NodeRef): Promise<void> {
    const directory = this.tree.findDirectory(ref)
    if (directory) await this.deliver(this.tree.listing(directory))
  }

  /** Resolves when everything sent is durable. */
  async settle(): Promise<void> {
    await this.applied()
    await this.store.waitForClock(this.store.clock().applied)
  }

  // ---- Scanner

  async beginScan(partial = false): Promise<void> {
    const epoch = await this.store.beginScan(ROOT.id, { bootId: 'boot-1', startedAt: this.tree.now(), partial })
    this.scan = { epoch, sequence: 0, nextNumber: 2, queue: [{ node: this.tree.root, number: 1, path: 'root' }] }
    this.addEntries(
      [{ parent: 0, directory: 1, kind: Kind.directory, name: 'root', row: this.tree.rowOf(this.tree.root) }],
      [],
      [],
    )
  }

  /** Lists one more directory. @returns false when there is none left */
  scanStep(): boolean {
    const { scan } = this
    const next = scan?.queue.shift()
    if (!scan || !next) return false
    if (this.pathOf(next.node) !== next.path) return scan.queue.length > 0
    const observed = this.tree.now()
    const rows: PlainEntry[] = []
    for (const [name, child] of next.node.children ?? []) {
      const number = child.children ? scan.nextNumber++ : 0
      rows.push({ parent: next.number, directory: number, kind: child.kind, name, row: this.tree.rowOf(child) })
      if (child.children) scan.queue.push({ node: child, number, path: `${next.path}/${name}` })
    }
    this.addEntries(rows, [next.number], [observed])
    return scan.queue.length > 0
  }

  async endScan(): Promise<void> {
    const { scan } = this
    if (!scan) return
    while (this.scanStep()) {}
    const finished = await this.store.endScan(scan.epoch, { lastSequence: scan.sequence })
    this.scan = undefined
    this.complete = true
    this.onTaken()
    await this.answer(finished.listRequests)
  }

  private addEntries(rows: PlainEntry[], directories: number[], times: number[]): void {
    const { scan } = this
    if (!scan) return
    const sequence = ++scan.sequence
    const listing = { directory: Uint32Array.from(directories), observed: Float64Array.from(times) }
    const first = this.store.addEntries(scan.epoch, sequence, entryColumns(rows), listing)
    if (!first.accepted) throw new Error('a scan batch was refused')
    // Batches may come twice.
    if (this.random.chance(0.1)) this.store.addEntries(scan.epoch, sequence, entryColumns(rows), listing)
  }

  private pathOf(directory: TreeNode): string | undefined {
    const parts: string[] = []
    for (let node = directory; node !== this.tree.root; ) {
      const { parent } = node
      if (!parent) return undefined
      const name = [...(parent.children ?? [])].find(([, child]) => child === node)?.[0]
      if (name === undefined) return undefined
      parts.push(name)
      node = parent
    }
    return ['root', ...parts.reverse()].join('/')
  }

  // ---- Comparing

  /** Throws unless the replica lists exactly the tree. */
  compare(): void {
    compareEntries(this.replica, this.tree.entries())
  }

  /** Throws unless every segment of the active view knows which directories are not where it says. */
  checkStale(): void {
    const view = viewOf(this.store)
    if (!view) return
    for (const segment of view.segments) {
      for (let local = 0; local < segment.dirCount; local++) {
        const dirId = segment.dirIdOf(local)
        const live = view.liveDirectory(dirId)
        if (!live) continue
        const place = view.placeOfLive(live)
        const here = segment.placeOf(local)
        const stale = place.parentId !== here.parentId || Buffer.compare(place.name, here.name) !== 0
        if (stale !== segment.stale.has(dirId)) {
          throw new Error(`segment ${segment.id}: directory ${dirId} is ${stale ? '' : 'not '}elsewhere, unnoticed`)
        }
      }
    }
  }

  /** Throws unless a worker that begins now sees what one sees that followed from the start. */
  compareSnapshot(): void {
    const fresh = newReplica(this.fs, () => {})
    fresh.apply(this.store.snapshotOps())
    const expected = new Map([...this.replica.entries(ROOT.id)].map(([path, { row }]) => [path, row]))
    compareEntries(fresh, expected)
  }
}

/**
 * Builds and merges take a few turns of the event loop, as in a worker thread: changes go on meanwhile. Files are written as
 * the worker writes them (SegmentFileSink): what follows the header first, then the header.
 */
class SlowBackend extends LocalSegmentBackend {
  protected override async publish(file: string, sink: MemorySink): Promise<void> {
    const bytes = sink.bytes()
    const temporary = `${file}.tmp`
    await (await this.fs.create(temporary)).close()
    const pages = await this.fs.openInPlace(temporary)
    try {
      await pages.write(bytes.subarray(PAGE_SIZE), PAGE_SIZE)
      await pages.write(bytes.subarray(0, PAGE_SIZE), 0)
      await pages.sync()
    } finally {
      await pages.close()
    }
    await this.fs.rename(temporary, file)
    await this.fs.syncDirectory(file.slice(0, file.lastIndexOf('/')))
  }

  override async build(...args: Parameters<LocalSegmentBackend['build']>): ReturnType<LocalSegmentBackend['build']> {
    await turns(2)
    const built = await super.build(...args)
    await turns(2)
    return built
  }

  override async merge(...args: Parameters<LocalSegmentBackend['merge']>): ReturnType<LocalSegmentBackend['merge']> {
    await turns(3)
    const merged = await super.merge(...args)
    await turns(3)
    return merged
  }
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate)
}

export function newReplica(fs: FaultFileSystem, onDropped: (segment: number) => void): ReplicaModel {
  return new ReplicaModel(
    file => new SegmentReader(file, fs.peek(file)),
    bytes => RoaringBitmap32.deserialize(bytes, 'portable'),
    onDropped,
  )
}

/** Throws with the first difference. */
export function compareEntries(replica: ReplicaModel, expected: ReadonlyMap<string, EntryRow>): void {
  const found = replica.entries(ROOT.id)
  for (const [path, row] of expected) {
    const entry = found.get(path)
    if (!entry) throw new Error(`${JSON.stringify(path)} is missing`)
    const here = describe(entry.row)
    if (here !== describe(row)) throw new Error(`${JSON.stringify(path)} is ${here}, expected ${describe(row)}`)
  }
  for (const path of found.keys())
    if (!expected.has(path)) throw new Error(`${JSON.stringify(path)} should not be there`)
}

/** State as text: to look one up among many. */
export function stateOf(entries: ReadonlyMap<string, EntryRow>): string {
  return [...entries]
    .map(([path, row]) => `${path} ${describe(row)}`)
    .sort()
    .join('\n')
}

function describe(row: EntryRow): string {
  const size = row.kind === Kind.directory ? '' : row.size
  const { mode = 0, user = 0, group = 0 } = row.access ?? {}
  return `${row.kind} ${size} ${row.modified?.seconds} ${row.ref?.low} ${mode} ${user} ${group}`
}

/** The active view: what tests may look at and programs may not. */
function viewOf(store: Store): View | undefined {
  const core: unknown = Object.getOwnPropertyDescriptor(store, 'core')?.value
  if (typeof core !== 'object' || core === null || !('roots' in core) || !(core.roots instanceof Roots)) {
    throw new Error('the store has no roots where they are looked for')
  }
  return core.roots.get(ROOT.id).active
}
