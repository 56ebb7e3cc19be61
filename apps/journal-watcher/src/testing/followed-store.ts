import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monotonicMicros } from '@hotpath/platform'
import type { WatchState } from '@hotpath/protocol'
import type { MechanismChoice } from '../follow-root.js'
import { ModelStore } from './model-store.js'
import type { FromWatcher, ToWatcher } from './watcher-process.js'

/** Processes run compiled code. */
const SCRIPT = new URL('../../dist/testing/watcher-process.js', import.meta.url)

export interface FollowedStoreOptions {
  readonly mechanism: MechanismChoice
  readonly fanotifyFd?: number
  readonly journalFd?: number
  /** Of the watchers. Default: that of this process. */
  readonly uid?: number
  /** Where the root is made, and a directory outside of it. */
  readonly place?: string
  /** What is mounted in the root belongs to it. */
  readonly crossFileSystems?: boolean
  /** Where there is a tmpfs: for tests with many files. */
  readonly inMemory?: boolean
}

/** A model store that outlives the watchers which follow its root, each a process of its own. It scans only where it must. */
export class FollowedStore {
  readonly base: string
  readonly root: string
  readonly outside: string
  readonly model = new ModelStore()
  readonly states: WatchState[] = []
  /** How often nothing that it knew could be relied on. */
  scans = 0
  /** False: nothing is said to be durable. */
  acknowledges = true
  /** Batches that a watcher told. */
  batches = 0
  #followed: { source: string; term: number } | undefined
  #child: ChildProcess | undefined
  #watchers = 0
  #barriers = 0
  readonly #applied = new Map<string, number>()
  readonly #waiting = new Map<number, (unwatched: readonly string[]) => void>()
  readonly #stateWaiters = new Set<() => void>()

  constructor(private readonly options: FollowedStoreOptions) {
    const place = options.place ?? (options.inMemory === true ? '/dev/shm' : tmpdir())
    this.base = realpathSync(mkdtempSync(join(place, 'journal-watcher-')))
    // For watchers of another user.
    chmodSync(this.base, 0o755)
    this.root = join(this.base, 'root')
    this.outside = join(this.base, 'outside')
    for (const directory of [this.root, this.outside]) mkdirSync(directory)
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** Starts a watcher and has it watch the root. */
  start(): void {
    const { mechanism, fanotifyFd, journalFd, uid } = this.options
    const fds = [fanotifyFd, journalFd].filter(fd => fd !== undefined)
    const numbers = fds.map((_, i) => String(4 + i))
    const child = fork(SCRIPT, [`watcher-${++this.#watchers}`, mechanism, join(this.base, 'data'), ...numbers], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...fds],
      serialization: 'advanced',
      execArgv: [],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    })
    this.#child = child
    child.on('message', message => this.#receive(message as FromWatcher, child))
    this.#send({ type: 'watch', path: this.root, crossFileSystems: this.options.crossFileSystems ?? false })
  }

  /** Kills the watcher; resolves when all that it said has been heard. */
  async kill(during = () => {}): Promise<void> {
    const child = this.#child!
    const gone = Promise.all([once(child, 'exit'), child.connected ? once(child, 'disconnect') : undefined])
    child.kill('SIGKILL')
    during()
    await gone
  }

  /** Has the watcher end by itself; it must. */
  async end(): Promise<void> {
    const child = this.#child!
    const gone = once(child, 'exit')
    child.disconnect()
    const [code] = await gone
    if (code !== 0) throw new Error(`the watcher ended with ${code}`)
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

  barrier(): Promise<readonly string[]> {
    const id = ++this.#barriers
    return new Promise(resolve => {
      this.#waiting.set(id, resolve)
      this.#send({ type: 'barrier', id })
    })
  }

  /** Everything that happened before is in the store, and what the store had to ask for, too. */
  async settle(): Promise<readonly string[]> {
    for (;;) {
      const unwatched = await this.barrier()
      const requests = [...this.model.unlisted]
      if (requests.length === 0) return unwatched
      for (const ref of requests) {
        const [inode, birth] = ref.split(':')
        const low = Number(BigInt(inode!) & 0xffffffffn)
        const high = Number(BigInt(inode!) >> 32n)
        // A watcher that has just begun knows directories by their place alone.
        const path = [...this.model.entries()].find(([, entry]) => entry.ref === ref)?.[0] ?? ''
        this.#send({
          type: 'list',
          path: new Uint8Array(Buffer.from(join(Buffer.from(this.root).toString('latin1'), path), 'latin1')),
          ref: { low, high, birth: Number(birth) },
          since: monotonicMicros(),
        })
      }
      if ((await this.barrier()) && [...this.model.unlisted].join() === requests.join()) return unwatched
    }
  }

  async close(): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await this.kill()
    rmSync(this.base, { recursive: true, force: true })
  }

  #send(message: ToWatcher): void {
    if (this.#child!.connected) this.#child!.send(message, () => {})
  }

  #receive(message: FromWatcher, child: ChildProcess): void {
    if (message.type === 'state') this.#stateChanged(message.state)
    else if (message.type === 'barrierDone') {
      this.#waiting.get(message.id)!(message.unwatchedRoots)
      this.#waiting.delete(message.id)
    } else {
      const { source, sequence, changes } = message
      if (sequence !== (this.#applied.get(source) ?? 0) + 1) throw new Error(`${source}: ${sequence} is out of order`)
      this.#applied.set(source, sequence)
      this.model.apply(changes)
      this.batches++
      if (this.acknowledges && child === this.#child) this.#send({ type: 'durable', source, sequence })
    }
  }

  #stateChanged(state: WatchState): void {
    this.states.push(state)
    if (state.state === 'armed') {
      const followed = this.#followed
      const isSame = state.source === followed?.source && state.term === followed.term
      const goesOn = state.continuesSource === followed?.source && state.continuesTerm === followed.term
      if (!isSame && !goesOn) {
        this.scans++
        this.model.scan(this.root, monotonicMicros())
      }
      this.#followed = { source: state.source, term: state.term }
    }
    for (const wake of this.#stateWaiters) wake()
  }
}
