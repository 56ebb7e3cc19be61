import type { ChangeBatch, ChangeColumns } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import type { Ack, BarrierDone } from '@hotpath/protocol'
import { Fifo } from './fifo.js'

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
  /** Batches that are not durable, in the order of their sequences. */
  readonly batches: Fifo<BatchItem>
}

interface BatchItem {
  readonly type: 'batch'
  readonly order: number
  readonly batch: ChangeBatch
  readonly source: Source
  readonly madeAt: number
  isDurable: boolean
}

interface BarrierItem {
  readonly type: 'barrier'
  readonly order: number
  readonly done: BarrierDone
}

/** What waits for the store, in order: batches until they are durable there, and what is said between them. */
export class Outbox {
  readonly #sources = new Map<string, Source>()
  /** What was not sent in this session. Batches of it that have become durable are passed over. */
  #unsent = new Fifo<BatchItem | BarrierItem>()
  #order = 0
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
    let count = 0
    for (const { batches } of this.#sources.values()) count += batches.length
    return count
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
      source = { sequence: 0, received: 0, credit: FIRST_CREDIT, batches: new Fifo() }
      this.#sources.set(name, source)
    }
    const sequence = ++source.sequence
    const batch = { root, source: name, sequence, bootId: this.bootId, changes }
    const madeAt = monotonicMicros()
    const item: BatchItem = { type: 'batch', order: ++this.#order, batch, source, madeAt, isDurable: false }
    source.batches.push(item)
    this.#unsent.push(item)
    this.#rows += changes.entries.count
    this.#last = { source: name, sequence }
    this.#pump()
  }

  /** Answers a barrier behind everything that was added. */
  addBarrier(done: Pick<BarrierDone, 'id' | 'unwatchedRoots'>): void {
    this.#unsent.push({ type: 'barrier', order: ++this.#order, done: { ...done, ...this.#last } })
    this.#pump()
  }

  /** A session has begun: everything that is not durable is sent again, in order. */
  connected(peer: OutboxPeer): void {
    this.#peer = peer
    const items: (BatchItem | BarrierItem)[] = [...this.#unsent].filter(({ type }) => type === 'barrier')
    for (const source of this.#sources.values()) {
      const first = source.batches.first
      if (first !== undefined) source.received = Math.min(source.received, first.batch.sequence - 1)
      source.credit = FIRST_CREDIT
      items.push(...source.batches)
    }
    this.#unsent = new Fifo(items.sort((a, b) => a.order - b.order))
    this.#pump()
  }

  /** The session is over, and who waited for barriers with it. */
  disconnected(): void {
    this.#peer = undefined
    this.#unsent = new Fifo([...this.#unsent].filter(({ type }) => type === 'batch'))
  }

  /**
   * Returns the time (monotonic µs) at which the last batch that is received was made, for listings that it asks for. Cost: what has
   * become durable by it.
   */
  acknowledge(ack: Ack): number {
    const source = this.#sources.get(ack.source)
    if (source === undefined) return 0
    source.received = Math.max(source.received, ack.receivedSequence)
    source.credit = ack.credit
    const hadRoom = this.hasRoom
    const { batches } = source
    const before = (batches.first?.batch.sequence ?? 0) - 1
    const madeAt = batches.at(Math.min(ack.receivedSequence - before, batches.length) - 1)?.madeAt ?? 0
    for (
      let { first } = batches;
      first !== undefined && first.batch.sequence <= ack.durableSequence;
      { first } = batches
    ) {
      first.isDurable = true
      this.#rows -= first.batch.changes.entries.count
      batches.shift()
    }
    this.#pump()
    if (!hadRoom && this.hasRoom) this.onRoom()
    return madeAt
  }

  #pump(): void {
    const peer = this.#peer
    if (peer === undefined) return
    // What cannot be sent is sent again in the next session.
    const failed = () => {}
    for (let item = this.#unsent.first; item !== undefined; item = this.#unsent.first) {
      if (item.type === 'barrier') peer.send('barrierDone', item.done).catch(failed)
      else if (!item.isDurable) {
        const { source, batch } = item
        if (batch.sequence > source.received + source.credit) return
        peer.send('changeBatch', batch).catch(failed)
      }
      this.#unsent.shift()
    }
  }
}
