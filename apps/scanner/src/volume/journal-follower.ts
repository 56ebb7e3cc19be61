import { Worker } from 'node:worker_threads'
import { CancelledError, CorruptFileError } from '@hotpath/model'
import { continuationOf, type JournalState, type RescanReason, UsnReplies, UsnRows } from '@hotpath/ntfs'
import { WindowsCallError } from '@hotpath/platform'
import { REPLY_BYTES } from './handle-journal.js'
import type { FollowJob, FollowReply, FollowRequest } from './journal-messages.js'

/** Tests run from the sources, but a thread needs a compiled file. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/volume/journal-worker.js' : './journal-worker.js',
  import.meta.url,
)

/** What has come: records, in the rows that were given, or the reason why the volume has to be read again as a whole. */
export type Followed =
  | { readonly kind: 'records'; readonly position: JournalState }
  | { readonly kind: 'rescan'; readonly reason: RescanReason }

/** Follows the change journal of a volume of Windows, without holding up this thread. */
export class JournalFollower {
  readonly #worker: Pick<Worker, 'on' | 'postMessage' | 'terminate'>
  readonly #stop = new Int32Array(new SharedArrayBuffer(4))
  readonly #replies: UsnReplies
  readonly #ended: Promise<void>
  #waiting: ((reply: FollowReply) => void) | undefined
  #failure: unknown

  /**
   * @param volume as `volumeNameOf` takes it
   * @param start starts the thread
   */
  constructor(
    private readonly volume: string,
    start: (job: FollowJob) => Pick<Worker, 'on' | 'postMessage' | 'terminate'> = workerData =>
      new Worker(WORKER, { workerData }),
  ) {
    this.#replies = new UsnReplies(`${volume} FSCTL_READ_USN_JOURNAL`)
    this.#worker = start({ volume, stop: this.#stop })
    this.#worker.on('message', (reply: FollowReply) => this.#settle(reply))
    this.#worker.on('error', failure => this.#settle({ failure }))
    this.#ended = new Promise(resolve => {
      this.#worker.on('exit', () => {
        this.#settle({ failure: new CancelledError('the journal is not followed any more') })
        resolve()
      })
    })
  }

  /** Rows with room for what comes at once. */
  static rows(): UsnRows {
    return UsnRows.forPiece(REPLY_BYTES)
  }

  /**
   * Waits for records from a position on, and fills `rows` anew. One call at a time.
   *
   * @throws WindowsCallError, CorruptFileError; CancelledError after `close`
   */
  async next(from: JournalState, rows: UsnRows): Promise<Followed> {
    if (this.#waiting !== undefined) throw new RangeError('a call of next has not returned')
    const reply = await this.#ask({ id: from.id, from: from.nextUsn })
    rows.clear()
    if ('reply' in reply) {
      const nextUsn = this.#replies.journal(reply.reply, from.nextUsn, rows)
      return { kind: 'records', position: { id: from.id, nextUsn } }
    }
    if ('now' in reply) {
      const found = continuationOf(from, reply.now)
      if (found.kind === 'rescan') return found
      throw new RangeError(`the journal of ${this.volume} can be continued, and was not`)
    }
    if ('failure' in reply) throw reply.failure
    if ('call' in reply) throw new WindowsCallError(reply.call, reply.windowsCode, this.volume)
    const { file, offset, expected, found } = reply.corrupt
    throw new CorruptFileError(file, offset, expected, found)
  }

  /** Ends the thread, which takes as long as a call that does not wait. */
  async close(): Promise<void> {
    Atomics.store(this.#stop, 0, 1)
    Atomics.notify(this.#stop, 0)
    this.#worker.postMessage({ id: '0', from: 0 } satisfies FollowRequest)
    await this.#ended
  }

  #ask(request: FollowRequest): Promise<FollowReply> {
    if (this.#failure !== undefined) return Promise.resolve({ failure: this.#failure })
    return new Promise(resolve => {
      this.#waiting = resolve
      this.#worker.postMessage(request)
    })
  }

  #settle(reply: FollowReply): void {
    if ('failure' in reply) this.#failure ??= reply.failure
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.('failure' in reply ? { failure: this.#failure } : reply)
  }
}
