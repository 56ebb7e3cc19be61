import type { MessagePort } from 'node:worker_threads'
import type { FollowedTable, RowChange } from '@hotpath/model'
import type { BriefTransaction, FollowerCondition, ToldTransaction } from './follower-host.js'

/** What the thread of a database is started with. */
export interface DatabaseThreadData {
  readonly path: string
  readonly tables: readonly string[]
  readonly audit: boolean
  readonly text: readonly string[]
  readonly cipher: string | undefined
  /** Of the database alone; shadow and what has no room in memory are there. */
  readonly directory: string
  readonly boot: string
  readonly port: MessagePort
  /** Rung when there is a message. */
  readonly bell: number
  readonly control: SharedArrayBuffer
}

/** From the thread. Those with a reply block the thread until it is there. */
export type ThreadMessage =
  /** → told */
  | { readonly type: 'openLog'; readonly encryptionKey: Uint8Array | undefined }
  /** → told */
  | { readonly type: 'resetLog'; readonly tables: readonly FollowedTable[]; readonly reason: string }
  /** → told: all of a transaction, or its last part. */
  | { readonly type: 'append'; readonly transaction: ToldTransaction; readonly changes: readonly RowChange[] }
  /** → told: all of them or none. */
  | { readonly type: 'appendAll'; readonly transactions: readonly BriefTransaction[] }
  /** → more: a part that is not the last. */
  | { readonly type: 'part'; readonly transaction: ToldTransaction; readonly changes: readonly RowChange[] }
  /** The transaction whose parts were sent ends nowhere. */
  | { readonly type: 'abort' }
  /** → key */
  | { readonly type: 'readKey' }
  | { readonly type: 'condition'; readonly condition: FollowerCondition }
  | {
      readonly type: 'rows'
      readonly id: number
      /** Absent where there are no more. */
      readonly page?: { readonly table: FollowedTable; readonly rows: readonly RowChange[] }
      readonly problem?: string
    }

export type Reply =
  | { readonly type: 'told'; readonly epoch: string; readonly sequence: number }
  | { readonly type: 'more' }
  | { readonly type: 'key'; readonly key: Uint8Array | undefined; readonly problem?: string }
  | { readonly type: 'failed'; readonly message: string }

/** To the thread, unasked. */
export type Request =
  /** Freezes the tables as they are, to be read page by page. */
  | { readonly type: 'freeze'; readonly id: number; readonly tables: readonly string[] }
  | { readonly type: 'read'; readonly id: number }
  | { readonly type: 'thaw'; readonly id: number }
  | { readonly type: 'stop' }

/** Shared by both sides: numbers that nobody waits for, and a word on which the thread sleeps until there is a reply. */
export class ThreadControl {
  static readonly BYTES = 32
  readonly #words: Int32Array
  readonly #numbers: Float64Array

  constructor(readonly memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, 2)
    this.#numbers = new Float64Array(memory, 8, 3)
  }

  /** Messages that were posted to the thread. */
  get posted(): number {
    return Atomics.load(this.#words, 0)
  }

  notePosted(): void {
    Atomics.add(this.#words, 0, 1)
    Atomics.notify(this.#words, 0)
  }

  /** Blocks until there are other messages than so many. */
  waitBeyond(posted: number): void {
    Atomics.wait(this.#words, 0, posted)
  }

  get isStopping(): boolean {
    return Atomics.load(this.#words, 1) === 1
  }

  stop(): void {
    Atomics.store(this.#words, 1, 1)
  }

  get commits(): number {
    return this.#numbers[0]!
  }

  /** Milliseconds since 1970; 0: nothing waits. */
  get waitingSince(): number {
    return this.#numbers[1]!
  }

  /** Of the log of the database; 0: none. */
  get frame(): number {
    return this.#numbers[2]!
  }

  setProgress(commits: number, waitingSince: number, frame: number): void {
    this.#numbers[0] = commits
    this.#numbers[1] = waitingSince
    this.#numbers[2] = frame
  }
}
