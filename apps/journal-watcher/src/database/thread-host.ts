import { receiveMessageOnPort } from 'node:worker_threads'
import { CancelledError, type RowChange, UnavailableError } from '@hotpath/model'
import { type DatabaseKey, WrongKeyError } from './database-key.js'
import type { BriefTransaction, FollowerCondition, FollowerHost, ToldTransaction } from './follower-host.js'
import type { ToldUpTo } from './shadow.js'
import {
  type DatabaseThreadData,
  type Reply,
  type Request,
  ThreadControl,
  type ThreadMessage,
} from './thread-messages.js'

/** Changes in one message: of some hundred bytes each. */
const PART_CHANGES = 1_000

/** The main thread, as a follower in a thread of its own sees it: it asks, and sleeps until there is an answer. */
export class ThreadHost implements FollowerHost {
  readonly key: DatabaseKey
  readonly #requests: Request[] = []
  readonly #control: ThreadControl

  constructor(private readonly data: DatabaseThreadData) {
    this.#control = new ThreadControl(data.control)
    this.key = { cipher: data.cipher, read: () => this.#readKey() }
  }

  get isStopping(): boolean {
    return this.#control.isStopping
  }

  openLog(encryptionKey: Uint8Array | undefined): ToldUpTo {
    return this.#told({ type: 'openLog', encryptionKey })
  }

  resetLog(tables: Parameters<FollowerHost['resetLog']>[0], reason: string): ToldUpTo {
    return this.#told({ type: 'resetLog', tables, reason })
  }

  append(transaction: ToldTransaction, changes: Iterable<RowChange>): number {
    let part: RowChange[] = []
    try {
      for (const change of changes) {
        if (part.length === PART_CHANGES) {
          // Told from its beginning by the next process: some take longer than there is time to stop.
          if (this.isStopping) throw new CancelledError('the follower stops')
          this.#ask({ type: 'part', transaction, changes: part }, 'more')
          part = []
        }
        part.push(change)
      }
    } catch (error) {
      this.post({ type: 'abort' })
      throw error
    }
    return this.#told({ type: 'append', transaction, changes: part }).sequence
  }

  appendAll(transactions: readonly BriefTransaction[]): number {
    return this.#told({ type: 'appendAll', transactions }).sequence
  }

  condition(condition: FollowerCondition): void {
    this.post({ type: 'condition', condition })
  }

  progress(commits: number, waitingSince: number, frame: number): void {
    this.#control.setProgress(commits, waitingSince, frame)
  }

  post(message: ThreadMessage): void {
    this.data.port.postMessage(message)
  }

  /** What was asked of the follower, oldest first. */
  requests(): Request[] {
    for (let found = this.#receive(); found !== undefined; found = this.#receive())
      this.#requests.push(found as Request)
    return this.#requests.splice(0)
  }

  #readKey(): Uint8Array | undefined {
    const { key, problem } = this.#ask({ type: 'readKey' }, 'key')
    if (problem !== undefined) throw new WrongKeyError(problem)
    return key
  }

  #told(message: ThreadMessage): ToldUpTo {
    const { epoch, sequence } = this.#ask(message, 'told')
    return { epoch, sequence }
  }

  #ask<T extends Reply['type']>(message: ThreadMessage, expected: T): Extract<Reply, { type: T }> {
    this.post(message)
    for (;;) {
      const posted = this.#control.posted
      const found = this.#receive()
      if (found === undefined) this.#control.waitBeyond(posted)
      else if (found.type === expected) return found as Extract<Reply, { type: T }>
      else if (found.type === 'failed') throw new UnavailableError(found.message)
      else this.#requests.push(found as Request)
    }
  }

  #receive(): Reply | Request | undefined {
    return (receiveMessageOnPort(this.data.port) as { message: Reply | Request } | undefined)?.message
  }
}
