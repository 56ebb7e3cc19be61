import type { ChangeBatch, ChangeColumns } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import type { Ack, BarrierDone } from '@hotpath/protocol'

/** Sends one message; rejects if there is no session (any more). */
export interface OutboxPeer {
  send(type: 'changeBatch', value: ChangeBatch): Promise<void>
  send(type: 'barrierDone', value: BarrierDone): Promise<void>
}

/** Batches of one source that may be on their way before the store has said how many it takes. */
const FIRST_CREDIT = 8
/**
 * Rows that are kept until the store has them durable, some 100 bytes each: 25 MB. Beyond, names wait in the maps of
 * dirty names, where a thousand changes of one file cost nothing.
 */
const MAX_ROWS = 262_144

interface Source {
  /** Of the last batch. */
  sequence: number
  received: number
  credit: number
  /** Of the last batch that was sent in this session. */
  sent: number
}

type Item =
  | { readonly type: 'batch'; readonly batch: ChangeBatch; readonly source: Source; readonly madeAt: number }
  | { readonly type: 'barrier'; readonly done: BarrierDone }

/** What waits for the store, in order: batches until they are durable there, and what is said between them. */
export class Outbox {
  readonly #items: Item[] = []
  readonly #sources = new Map<string, Source>()
  /** Items before this were sent in this session. */
  #next = 0
  #rows = 0
  #peer: OutboxPeer | undefined
  #last = { source: '', sequence: 0 }

  /** @param onRoom `hasRoom` became true */
  constructor(
    private readonly bootId: string,
    private readonly onRoom: () => void,
  ) {}

  get hasRoom(): boolean {
    return this.#rows < MAX_ROWS
  }

  /** Batches that are not durable in the store. */
  get batchCount(): number {
    return this.#items.filter(({ type }) => type === 'batch').length
  }

  get rowCount(): number {
    return this.#rows
  }

  /** Of the last batch of a source; 0: there was none. */
  lastSequence(name: string): number {
    return this.#sources.get(name)?.sequence ?? 0
  }

  add(root: string, name: string, changes: ChangeColumns): void {
    let source = this.#sources.get(name)
    if (source === undefined) {
      source = { sequence: 0, received: 0, credit: FIRST_CREDIT, sent: 0 }
      this.#sources.set(name, source)
    }
    const sequence = ++source.sequence
    const batch = { root, source: name, sequence, bootId: this.bootId, changes }
    this.#items.push({ type: 'batch', batch, source, madeAt: monotonicMicros() })
    this.#rows += changes.entries.count
    this.#last = { source: name, sequence }
    this.#pump()
  }

  /** Answers a barrier behind everything that was added. */
  addBarrier(done: Pick<BarrierDone, 'id' | 'unwatchedRoots'>): void {
    this.#items.push({ type: 'barrier', done: { ...done, ...this.#last } })
    this.#pump()
  }

  /** A session has begun: everything that is not durable is sent again, in order. */
  connected(peer: OutboxPeer): void {
    this.#peer = peer
    this.#next = 0
    for (const source of this.#sources.values()) {
      source.sent = source.received
      source.credit = FIRST_CREDIT
    }
    for (const item of this.#items)
      if (item.type === 'batch') item.source.sent = Math.min(item.source.sent, item.batch.sequence - 1)
    for (const source of this.#sources.values()) source.received = source.sent
    this.#pump()
  }

  /** The session is over, and who waited for barriers with it. */
  disconnected(): void {
    this.#peer = undefined
    this.#next = 0
    const batches = this.#items.filter(({ type }) => type === 'batch')
    this.#items.splice(0, this.#items.length, ...batches)
  }

  /** Returns the time (monotonic µs) at which the last batch that is received was made, for listings that it asks for. */
  acknowledge(ack: Ack): number {
    const source = this.#sources.get(ack.source)
    if (source === undefined) return 0
    source.received = Math.max(source.received, ack.receivedSequence)
    source.credit = ack.credit
    const hadRoom = this.hasRoom
    let madeAt = 0
    let kept = 0
    let next = this.#next
    for (const [index, item] of this.#items.entries()) {
      if (item.type === 'batch' && item.source === source && item.batch.sequence <= ack.receivedSequence)
        madeAt = item.madeAt
      if (item.type === 'batch' && item.source === source && item.batch.sequence <= ack.durableSequence) {
        this.#rows -= item.batch.changes.entries.count
        if (index < this.#next) next--
      } else this.#items[kept++] = item
    }
    this.#items.length = kept
    this.#next = next
    this.#pump()
    if (!hadRoom && this.hasRoom) this.onRoom()
    return madeAt
  }

  #pump(): void {
    const peer = this.#peer
    if (peer === undefined) return
    // What cannot be sent is sent again in the next session.
    const failed = () => {}
    for (let item = this.#items[this.#next]; item !== undefined; item = this.#items[this.#next]) {
      if (item.type === 'barrier') {
        this.#items.splice(this.#next, 1)
        peer.send('barrierDone', item.done).catch(failed)
        continue
      }
      const { source, batch } = item
      if (batch.sequence > source.received + source.credit) return
      source.sent = batch.sequence
      this.#next++
      peer.send('changeBatch', batch).catch(failed)
    }
  }
}
