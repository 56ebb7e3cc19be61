import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { UnavailableError } from '@hotpath/model'
import { bootId, createBell, nativeProblem, ringBell } from '@hotpath/platform'
import type { KeySource, Logger } from '@hotpath/service'
import { ChangeLog, type TransactionWriter } from '../rows/change-log.js'
import type { DatabaseCondition, FollowedDatabase, RowPage, RowSnapshot } from '../rows/database-set.js'
import type { FollowerCondition } from './follower-host.js'
import { readKey } from './key-source.js'
import {
  type DatabaseThreadData,
  type Reply,
  type Request,
  ThreadControl,
  type ThreadMessage,
} from './thread-messages.js'

/** Tests run from the sources, but a thread needs a compiled file. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/database/database-worker.js' : './database-worker.js',
  import.meta.url,
)
/** Before a thread that failed is started again. */
const RESTART_MS = 5_000

export interface DatabaseThreadOptions {
  readonly path: string
  readonly name: string
  readonly isAdHoc: boolean
  /** Names and globs; none: all. */
  readonly tables: readonly string[]
  readonly isAudited: boolean
  /** Columns that are to be searched, as `table.column`. */
  readonly text: readonly string[]
  readonly key: KeySource | undefined
  readonly cipher: string | undefined
  /** Of this database alone. */
  readonly directory: string
  readonly log: Logger
  readonly onChange: () => void
}

/** What names a database: the same for the same path. */
export function databaseId(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 24)
}

interface Thread {
  readonly worker: Worker
  readonly port: MessagePort
  readonly bell: number
  readonly control: ThreadControl
  readonly exited: Promise<void>
}

/** A followed database: its log of changes here, what reads it in a thread of its own. */
export class DatabaseThread implements FollowedDatabase {
  readonly id: string
  readonly name: string
  readonly path: string
  readonly isAdHoc: boolean
  readonly wantedTables: readonly string[]
  readonly isAudited: boolean
  log: ChangeLog | undefined
  readonly #options: DatabaseThreadOptions
  readonly #readers = new Map<number, (page: RowPage | Error | undefined) => void>()
  #thread: Thread | undefined
  #condition: FollowerCondition = { state: 'catching-up', reason: 'not read yet', method: '' }
  #writing: TransactionWriter | undefined
  #restart: NodeJS.Timeout | undefined
  #nextReader = 1
  #commitsBefore = 0
  #isStopped = false

  constructor(options: DatabaseThreadOptions) {
    this.#options = options
    this.id = databaseId(options.path)
    this.name = options.name
    this.path = options.path
    this.isAdHoc = options.isAdHoc
    this.wantedTables = options.tables
    this.isAudited = options.isAudited
  }

  start(): void {
    const problem = nativeProblem()
    if (problem !== null) {
      this.#become({ state: 'unavailable', reason: problem.message })
      return
    }
    const { path, tables, text, isAudited, cipher, directory } = this.#options
    const { port1, port2 } = new MessageChannel()
    const bell = createBell()
    const control = new ThreadControl(new SharedArrayBuffer(ThreadControl.BYTES))
    const workerData: DatabaseThreadData = {
      path,
      tables,
      audit: isAudited,
      text,
      cipher,
      directory,
      boot: bootId(),
      port: port2,
      bell,
      control: control.memory,
    }
    const worker = new Worker(WORKER, { workerData, transferList: [port2], name: 'database', execArgv: [] })
    const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()))
    const thread = { worker, port: port1, bell, control, exited }
    this.#thread = thread
    port1.on('message', (message: ThreadMessage) => this.#receive(thread, message))
    worker.on('error', error => this.#failed(error))
    void exited.then(() => this.#ended(thread))
  }

  /** Ends the thread and puts the log on the disk. Safe to call again. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#restart)
    const thread = this.#thread
    this.halt()
    await thread?.exited
    this.log?.close()
  }

  /** Has the thread end as soon as it can. */
  halt(): void {
    const thread = this.#thread
    if (thread === undefined) return
    thread.control.stop()
    this.#post(thread, { type: 'stop' })
  }

  condition(): DatabaseCondition {
    const { state, reason, method } = this.#condition
    const since = this.#thread?.control.waitingSince ?? 0
    return { state, reason, method, lagMs: since === 0 ? 0 : Math.max(0, Date.now() - since) }
  }

  /** The last frame of the writer's log that was told; 0: there is no log. */
  get frame(): number {
    return this.#thread?.control.frame ?? 0
  }

  /** Commits seen since this process began. */
  get commits(): number {
    return this.#commitsBefore + (this.#thread?.control.commits ?? 0)
  }

  snapshot(wanted: (table: string) => boolean): RowSnapshot | undefined {
    const { log } = this
    const thread = this.#thread
    if (log === undefined || thread === undefined || log.isClosed) return undefined
    const { epoch, sequence } = log
    const tables = [...log.tables.keys()].filter(wanted)
    return { epoch, sequence, pages: () => this.#pages(thread, tables, epoch) }
  }

  async *#pages(thread: Thread, tables: readonly string[], epoch: string): AsyncGenerator<RowPage> {
    const id = this.#nextReader++
    if (this.#thread === thread) this.#post(thread, { type: 'freeze', id, tables })
    try {
      for (;;) {
        if (this.#thread !== thread || this.log?.epoch !== epoch)
          throw new UnavailableError(`the rows of ${JSON.stringify(this.name)} are others now`)
        const page = await new Promise<RowPage | Error | undefined>(resolve => {
          this.#readers.set(id, resolve)
          this.#post(thread, { type: 'read', id })
        })
        if (page instanceof Error) throw page
        if (page === undefined) return
        yield page
      }
    } finally {
      this.#readers.delete(id)
      if (this.#thread === thread) this.#post(thread, { type: 'thaw', id })
    }
  }

  #receive(thread: Thread, message: ThreadMessage): void {
    if (message.type === 'condition') {
      this.#become(message.condition)
    } else if (message.type === 'rows') {
      const { id, page, problem } = message
      const take = this.#readers.get(id)
      this.#readers.delete(id)
      take?.(problem === undefined ? page : new UnavailableError(problem))
    } else if (message.type === 'abort') {
      this.#abort()
    } else if (message.type === 'readKey') {
      void this.#readKey().then(reply => this.#post(thread, reply))
    } else {
      let reply: Reply
      try {
        reply = this.#write(message)
      } catch (error) {
        this.#abort()
        reply = { type: 'failed', message: `the log of changes cannot be written: ${messageOf(error)}` }
      }
      this.#post(thread, reply)
    }
  }

  #write(message: Extract<ThreadMessage, { type: 'openLog' | 'resetLog' | 'append' | 'appendAll' | 'part' }>): Reply {
    if (message.type === 'openLog') this.#openLog(message.encryptionKey)
    const log = this.log!
    if (message.type === 'resetLog') {
      log.reset(message.tables)
      this.#options.log.info('a new epoch begins', { name: this.name, reason: message.reason })
    }
    if (message.type === 'appendAll')
      log.appendAll(message.transactions.map(({ transaction, changes }) => ({ ...transaction, changes })))
    if (message.type === 'part' || message.type === 'append') {
      this.#writing ??= log.begin(message.transaction)
      for (const change of message.changes) this.#writing.add(change)
      if (message.type === 'part') return { type: 'more' }
      this.#writing.commit()
      this.#writing = undefined
    }
    return { type: 'told', epoch: log.epoch, sequence: log.sequence }
  }

  #abort(): void {
    this.#writing?.abort()
    this.#writing = undefined
  }

  #openLog(encryptionKey: Uint8Array | undefined): void {
    if (this.log !== undefined) return
    this.log = ChangeLog.open(join(this.#options.directory, 'changes'), {
      databaseId: this.id,
      name: this.name,
      ...(encryptionKey === undefined ? {} : { encryptionKey }),
    })
    this.#options.onChange()
  }

  async #readKey(): Promise<Reply> {
    const { key } = this.#options
    if (key === undefined) return { type: 'key', key: undefined }
    try {
      return { type: 'key', key: await readKey(key) }
    } catch (error) {
      return { type: 'key', key: undefined, problem: messageOf(error) }
    }
  }

  #post(thread: Thread, message: Reply | Request): void {
    if (message.type === 'key' && message.key !== undefined)
      thread.port.postMessage(message, [message.key.buffer as ArrayBuffer])
    else thread.port.postMessage(message)
    thread.control.notePosted()
    ringBell(thread.bell)
  }

  #become(condition: Partial<FollowerCondition>): void {
    const before = this.#condition
    this.#condition = { ...before, ...condition }
    const { state, reason } = this.#condition
    if (before.state === state && before.reason === reason) return
    this.#options.log.info('followed database', { name: this.name, state, reason })
    this.#options.onChange()
  }

  #failed(error: unknown): void {
    this.#options.log.error('following a database failed', { name: this.name, error: messageOf(error) })
    this.#become({ state: 'unavailable', reason: messageOf(error) })
  }

  #ended(thread: Thread): void {
    this.#commitsBefore += thread.control.commits
    this.#thread = undefined
    this.#abort()
    thread.port.close()
    closeSync(thread.bell)
    for (const take of this.#readers.values())
      take(new UnavailableError(`${JSON.stringify(this.name)} is not read now`))
    this.#readers.clear()
    if (this.#isStopped) return
    this.#restart = setTimeout(() => this.start(), RESTART_MS)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
