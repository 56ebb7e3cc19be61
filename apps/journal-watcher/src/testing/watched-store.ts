import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChangeColumns } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import type { WatchReport, WatchState } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { ChangeWatcher, type ChangeWatcherOptions } from '../change-watcher.js'
import type { MechanismChoice } from '../follow-root.js'
import { ModelStore } from './model-store.js'

export interface WatchedStoreOptions {
  readonly mechanism: MechanismChoice
  readonly excludes?: readonly string[]
  readonly enters?: (path: string) => boolean
  /** Relative to the base directory. Default: beside the root. */
  readonly dataDir?: string
  readonly fanotifyFd?: number
  /** A directory of its own for the test, perhaps with a root in it already. Default: a fresh one for temporary files. */
  readonly base?: string
  /** Where there is a tmpfs: for tests with many files. */
  readonly inMemory?: boolean
  readonly bounds?: ChangeWatcherOptions['bounds']
  readonly pace?: ChangeWatcherOptions['pace']
  readonly sharedFileSystem?: ChangeWatcherOptions['sharedFileSystem']
  /** What is mounted in the root belongs to it. */
  readonly crossFileSystems?: boolean
}

const MEMORY = '/dev/shm'

/** A watcher of a fresh directory and a model store that takes what it observes. */
export class WatchedStore {
  /** Holds the root and what is outside of it, on one file system. */
  readonly base: string
  readonly root: string
  readonly outside: string
  readonly store = new ModelStore()
  readonly states: WatchState[] = []
  readonly batches: ChangeColumns[] = []
  readonly reports: WatchReport[] = []
  readonly watcher: ChangeWatcher
  /** False: the sink has no room. */
  takes = true
  /** Called when the store has a batch, before the watcher goes on. */
  onBatch = (_changes: ChangeColumns): void => {}
  #barrier = 0
  readonly #waiting = new Map<number, (unwatched: readonly string[]) => void>()
  readonly #stateWaiters = new Set<() => void>()

  constructor(private readonly options: WatchedStoreOptions) {
    const above = options.inMemory === true && existsSync(MEMORY) ? MEMORY : tmpdir()
    this.base = realpathSync(options.base ?? mkdtempSync(join(above, 'journal-watcher-')))
    this.root = join(this.base, 'root')
    this.outside = join(this.base, 'outside')
    for (const directory of [this.root, this.outside]) mkdirSync(directory, { recursive: true })
    const takes = () => this.takes
    this.watcher = new ChangeWatcher({
      sink: {
        get hasRoom() {
          return takes()
        },
        changes: (_root, _source, changes) => {
          this.batches.push(changes)
          this.store.apply(changes)
          this.onBatch(changes)
        },
        state: state => {
          this.states.push(state)
          for (const wake of this.#stateWaiters) wake()
        },
        report: report => this.reports.push(report),
        barrierDone: ({ id, unwatchedRoots }) => {
          this.#waiting.get(id)!(unwatchedRoots)
          this.#waiting.delete(id)
        },
      },
      source: 'test',
      dataDir: join(this.base, options.dataDir ?? 'data'),
      excludes: options.excludes ?? [],
      crossDevices: false,
      mechanism: options.mechanism,
      fanotifyFd: options.fanotifyFd,
      ...(options.bounds === undefined ? {} : { bounds: options.bounds }),
      ...(options.pace === undefined ? {} : { pace: options.pace }),
      ...(options.sharedFileSystem === undefined ? {} : { sharedFileSystem: options.sharedFileSystem }),
      log: silentLogger,
    })
  }

  /** Watches the root and, when that is armed, takes its state over. */
  async start(): Promise<void> {
    this.watchAs(this.root)
    await this.until(() => this.states.at(-1)?.state === 'armed')
    this.scan()
  }

  /** Watches a path, in place of the one before. */
  watchAs(path: string, { crossFileSystems = this.options.crossFileSystems ?? false } = {}): void {
    this.watcher.watch(
      { id: 'root', kind: 'tree', path },
      { excludes: [], crossFileSystems, threads: 0, namesOnly: false },
    )
  }

  scan(root = this.root): void {
    this.store.scan(root, monotonicMicros(), this.options.enters)
  }

  async until(isSo: () => boolean): Promise<void> {
    await new Promise<void>(resolve => {
      const check = () => {
        if (!isSo()) return
        this.#stateWaiters.delete(check)
        resolve()
      }
      this.#stateWaiters.add(check)
      check()
    })
  }

  /** Everything that happened before is in the store, and what the store had to ask for, too. Returns the unwatched roots. */
  async settle(): Promise<readonly string[]> {
    for (;;) {
      const unwatched = await this.barrier()
      const requests = [...this.store.unlisted]
      if (requests.length === 0) return unwatched
      this.store.requests += requests.length
      for (const ref of requests) {
        const [inode, birth] = ref.split(':')
        const low = Number(BigInt(inode!) & 0xffffffffn)
        const high = Number(BigInt(inode!) >> 32n)
        this.watcher.list('root', new Uint8Array(0), { low, high, birth: Number(birth) }, monotonicMicros(), true)
      }
      // What the watcher does not know any more, it never lists.
      if ((await this.barrier()) && [...this.store.unlisted].join() === requests.join()) return unwatched
    }
  }

  /** Kernel queues are read even if this thread does nothing. */
  async pumping(): Promise<void> {
    const before = this.batches.length
    writeFileSync(join(this.root, 'pumped'), '')
    // Not asked for: whoever woke the watcher has read it.
    while (this.batches.length === before) await new Promise(resolve => setTimeout(resolve, 1))
  }

  barrier(): Promise<readonly string[]> {
    const id = ++this.#barrier
    return new Promise(resolve => {
      this.#waiting.set(id, resolve)
      this.watcher.barrier(id)
    })
  }

  close(): void {
    this.watcher.stop()
    rmSync(this.base, { recursive: true, force: true })
  }
}
