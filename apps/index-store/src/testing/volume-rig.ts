import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChangeWatcher } from '@hotpath/journal-watcher'
import type { ChangeBatch, EntryColumns, EntryRow, JournalPosition, RootSpec } from '@hotpath/model'
import {
  drive,
  journalPosition,
  ListingBatches,
  listVolume,
  MftParser,
  type ReadRequest,
  StoredJournal,
  TableListing,
  Volume,
} from '@hotpath/ntfs'
import { ChangingImage } from '@hotpath/ntfs/testing'
import { monotonicMicros } from '@hotpath/platform'
import type { ListCommand, Peer, ScanOptions } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { LocalSegmentBackend, Store } from '@hotpath/store'
import { newReplica } from '@hotpath/store/testing'
import { FaultFileSystem, type Random, type ReplicaModel } from '@hotpath/testing'
import { RootKeeper, type RootKeeperOptions } from '../roots/root-keeper.js'
import type { Sources } from '../roots/sources.js'
import { peer } from './fake-sources.js'

const BOOT = 'boot-1'
const DATA = '/data'
const NAME = 'image'
const OPTIONS: ScanOptions = { excludes: [], crossFileSystems: false, threads: 1, namesOnly: false }

export interface VolumeRigOptions {
  /** Alternate streams are indexed, too. */
  readonly streams?: boolean
  /** Directories are lost. */
  readonly orphans?: boolean
}

/** A store with its keeper, a watcher and a scanner of one volume in a file that changes; each can be started again. */
export class VolumeRig implements Sources {
  readonly image: ChangingImage
  /** Reasons for which subscribers were told that they missed something. */
  readonly gaps: string[] = []
  scans = 0
  /** Rows of changes that the watcher has told. */
  toldRows = 0
  /** What happens while a scan runs. */
  duringScan = (): void => {}
  readonly #spec: RootSpec
  readonly #directory = mkdtempSync(join(tmpdir(), 'hotpath-volume-'))
  readonly #scanner = peer('scanner', 'scanner-1')
  #fs = new FaultFileSystem()
  #store!: Store
  #replica!: ReplicaModel
  #keeper!: RootKeeper
  #watcher: ChangeWatcher | undefined
  #peer: Peer | undefined
  #watchers = 0
  #stores = 0
  #barriers = 0
  readonly #waiting = new Map<number, () => void>()
  /** What the watcher has said is heard in order. */
  #heard: Promise<void> = Promise.resolve()
  #failure: unknown

  constructor(
    random: Random,
    private readonly options: VolumeRigOptions = {},
  ) {
    const path = join(this.#directory, NAME)
    writeFileSync(path, '')
    this.image = new ChangingImage(path, limit => random.below(limit), options)
    this.#spec = { id: 'volume', kind: 'volume', path }
  }

  get state(): string {
    if (this.#failure !== undefined) throw this.#failure
    return this.#keeper.freshOf(this.#spec.id)?.state ?? ''
  }

  get status(): ReturnType<RootKeeper['statuses']>[number] {
    return this.#keeper.statuses()[0]
  }

  get uncovered(): string[] {
    return this.#keeper.uncoveredRoots()
  }

  get journal(): JournalPosition | null | undefined {
    return this.#store.rootStatus()[0]?.journal
  }

  async openStore(options: Pick<RootKeeperOptions, 'absenceMs'> = {}): Promise<void> {
    const fs = this.#fs
    this.#stores++
    const store = await Store.open({ directory: DATA, fs, backend: new LocalSegmentBackend(fs) })
    const replica = newReplica(fs, () => {})
    replica.apply(store.snapshotOps())
    store.onOps(ops => replica.apply(ops))
    this.#store = store
    this.#replica = replica
    this.#keeper = new RootKeeper({
      store,
      sources: this,
      log: silentLogger,
      watch: true,
      scan: true,
      scanOptions: { ...OPTIONS, streams: this.options.streams },
      verify: { rate: 0 },
      onFresh: () => {},
      onGap: (_root, reason) => this.gaps.push(reason),
      onProgress: () => {},
      ...options,
    })
    this.#keeper.start([this.#spec])
    this.#keeper.scannerCame()
  }

  /** The store ends, in order or not; what was not durable then is told again by another watcher. */
  async restartStore(isKilled: boolean): Promise<void> {
    this.stopWatcher(false)
    this.#keeper.stop()
    await this.#heard
    const crashed = isKilled ? this.#fs.crash() : undefined
    await this.#store.close()
    this.#fs = crashed ?? this.#fs
    await this.openStore()
    this.startWatcher()
  }

  startWatcher(): void {
    const instance = `watcher-${++this.#watchers}`
    const here = peer('watcher', instance)
    /** Sequences of batches are those of their source. */
    const sequences = new Map<string, number>()
    const hear = (what: () => Promise<void> | void): void => {
      this.#heard = this.#heard
        .then(() => (this.#peer === here ? what() : undefined))
        .catch(error => {
          this.#failure ??= error
        })
    }
    const watcher = new ChangeWatcher({
      sink: {
        hasRoom: true,
        changes: (root, source, changes) => {
          const sequence = (sequences.get(source) ?? 0) + 1
          sequences.set(source, sequence)
          this.toldRows += changes.entries.count
          hear(() => this.#apply({ root, source, sequence, bootId: BOOT, changes }, watcher))
        },
        lastSequence: source => sequences.get(source) ?? 0,
        state: state => hear(() => this.#keeper.watchState(instance, state)),
        journalReached: reached => hear(() => this.#keeper.journalReached(instance, reached)),
        report: () => {},
        barrierDone: ({ id }) =>
          hear(() => {
            this.#waiting.get(id)?.()
            this.#waiting.delete(id)
          }),
      },
      source: instance,
      dataDir: join(this.#directory, 'data'),
      excludes: [],
      crossDevices: false,
      mechanism: 'polling',
      journalPace: { leastMs: 1, mostMs: 8 },
      tickMs: 10,
      log: silentLogger,
    })
    this.#watcher = watcher
    this.#peer = here
    this.#keeper.watcherCame(here)
  }

  /** What it has said and nobody has heard is lost. @param isTold the keeper hears that it is gone */
  stopWatcher(isTold = true): void {
    const { peer } = { peer: this.#peer }
    this.#watcher?.stop()
    this.#watcher = undefined
    this.#peer = undefined
    for (const wake of this.#waiting.values()) wake()
    this.#waiting.clear()
    if (isTold && peer !== undefined) this.#keeper.watcherLost(peer)
  }

  async #apply(batch: ChangeBatch, watcher: ChangeWatcher): Promise<void> {
    const { root, source, sequence } = batch
    const applied = await this.#store.applyChanges(batch)
    if (applied.gap) await this.#keeper.eventsLost(root)
    await applied.durable
    watcher.durable(root, source, sequence)
    for (const { ref } of applied.listRequests) watcher.list(root, new Uint8Array(0), ref, monotonicMicros(), true)
  }

  /** Changes are lost on their way. */
  loseChanges(): Promise<void> {
    return this.#keeper.eventsLost(this.#spec.id)
  }

  /** Resolves when all that the journal holds is in the index; `unwatched`: there is no journal. */
  async settle(): Promise<'live' | 'unwatched'> {
    for (let turns = 0; ; turns++) {
      await this.barrier()
      const asked = this.#keeper.askForMissingListings()
      if (asked.length > 0) continue
      const { state } = this
      if (state === 'live' || (state === 'unwatched' && !this.image.hasJournal)) return state
      if (turns > 2_000) throw new Error(`it stays ${state}: ${this.status.reason}`)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }

  async barrier(): Promise<void> {
    const id = ++this.#barriers
    await new Promise<void>(resolve => {
      this.#waiting.set(id, resolve)
      this.#watcher!.barrier(id)
    })
    await this.#heard
  }

  /** What the index has, by path. */
  indexed(): Map<string, string> {
    return new Map([...this.#replica.entries(this.#spec.id)].map(([path, { row }]) => [path, textOf(row)]))
  }

  /** What a fresh listing of the volume has, by path. */
  listed(): Map<string, string> {
    const lines = new Map<string, string>()
    const paths = new Map<number, string>()
    for (const { entries } of this.#list())
      for (let row = 0; row < entries.count; row++) {
        const name = Buffer.from(entries.names.subarray(entries.nameOffsets[row], entries.nameOffsets[row + 1]))
        const above = paths.get(entries.parent[row])
        const path = above === undefined ? name.toString('latin1') : `${above}/${name.toString('latin1')}`
        if (entries.directory[row] !== 0) paths.set(entries.directory[row], path)
        lines.set(path, textOf(rowOf(entries, row)))
      }
    return lines
  }

  async close(): Promise<void> {
    this.stopWatcher(false)
    this.#keeper.stop()
    await this.#heard
    await this.#store.close()
    rmSync(this.#directory, { recursive: true })
  }

  #list(): { entries: EntryColumns; directories: Uint32Array }[] {
    const fd = openSync(this.#spec.path, 'r')
    try {
      const read = readerOf(fd)
      const volume = drive(Volume.open(NAME), read)
      const batches = new ListingBatches(new Uint8Array(Buffer.from(NAME)))
      const parser = new MftParser(volume.geometry.recordBytes)
      drive(listVolume(volume, parser, new TableListing(volume.records, batches), this.options), read)
      batches.end()
      return batches.take()
    } finally {
      closeSync(fd)
    }
  }

  // ---- Sources

  scanners(): Peer[] {
    return [this.#scanner]
  }

  watchers(): Peer[] {
    return this.#peer === undefined ? [] : [this.#peer]
  }

  commandScan(_peer: Peer, root: RootSpec, epoch: number): void {
    this.scans++
    const stores = this.#stores
    const [store, keeper] = [this.#store, this.#keeper]
    const isCancelled = (): boolean => this.#stores !== stores || store.rootStatus()[0]?.scanEpoch !== epoch
    const scan = async (): Promise<void> => {
      const fd = openSync(root.path, 'r')
      const journal = journalPosition(new StoredJournal(NAME, readerOf(fd)))
      closeSync(fd)
      this.duringScan()
      await keeper.beginScan({
        root,
        volume: 'v',
        prefix: new Uint8Array(0),
        epoch,
        bootId: BOOT,
        source: 's',
        journal,
      })
      this.duringScan()
      if (isCancelled()) return
      const observed = monotonicMicros()
      let lastSequence = 0
      let count = 0
      for (const { entries, directories } of this.#list()) {
        const listing = { directory: directories, observed: new Float64Array(directories.length).fill(observed) }
        await store.addEntries(epoch, ++lastSequence, entries, listing).received
        count += entries.count
        this.duringScan()
        if (isCancelled()) return
      }
      const end = { skipped: 0, state: 'complete' as const, lastSequence, problems: [] }
      await keeper.finishScan({ root: root.id, epoch, entries: count, ...end })
    }
    void scan().catch(error => {
      if (this.#stores !== stores) return
      void keeper.scanFailed(epoch, error)
    })
  }

  cancelScan(): void {}
  commandCheck(): void {
    this.#failure ??= new Error('a volume is not checked')
  }
  cancelCheck(): void {}

  commandWatch(_peer: Peer, root: RootSpec, options: ScanOptions, journal?: JournalPosition): void {
    // As a message: it arrives later.
    const watcher = this.#watcher
    setImmediate(() => {
      if (this.#watcher === watcher) watcher?.watch(root, options, journal)
    })
  }

  commandUnwatch(): void {}

  commandList(_peer: Peer, { root, refs }: ListCommand): void {
    for (let i = 0; i < refs.low.length; i++) {
      const ref = { low: refs.low[i], high: refs.high[i], birth: refs.birth[i] }
      this.#watcher?.list(root, new Uint8Array(0), ref, monotonicMicros(), true)
    }
  }

  passBarrier(): Promise<boolean> {
    return Promise.resolve(false)
  }
}

function readerOf(fd: number): (request: ReadRequest) => Uint8Array {
  return ({ offset, length }) => {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset))
  }
}

function rowOf(entries: EntryColumns, row: number): EntryRow {
  const time = (column: EntryColumns['modified']) => ({ seconds: column!.seconds[row], ticks: column!.ticks[row] })
  const { low, high, birth } = entries.ref!
  return {
    kind: entries.kind[row] === 1 ? 1 : entries.kind[row] === 0 ? 0 : 2,
    size: entries.size[row],
    modified: time(entries.modified),
    changed: time(entries.changed),
    created: time(entries.created),
    ref: { low: low[row], high: high[row], birth: birth[row] },
  }
}

/** What an index has of an entry: directories have no size. */
function textOf({ kind, size, modified, changed, created, ref }: EntryRow): string {
  return JSON.stringify([kind, kind === 1 ? 0 : size, modified, changed, created, ref])
}
