import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Ack,
  type Body,
  type CheckBatch,
  type CheckCommand,
  type CheckEnd,
  type EntryBatch,
  type Peer,
  RouterServer,
  type ScanBegin,
  type ScanCommand,
  type ScanEnd,
  type ScanProgress,
} from '@hotpath/protocol'
import { BatchReader } from './walk-oracle.js'

/** What a store has received under one epoch. */
export interface ReceivedScan {
  readonly begin: ScanBegin
  readonly reader: BatchReader
  readonly batches: EntryBatch[]
  /** Largest number of batches that were here and not acknowledged. */
  mostOnTheWay: number
  end?: ScanEnd
  progress?: ScanProgress
}

/** What a store has received of one check. */
export interface ReceivedCheck {
  readonly batches: CheckBatch[]
  /** As in ReceivedScan. */
  mostOnTheWay: number
  end?: CheckEnd
}

/** The ingest side of a store, as far as a scanner sees it. Checks what it receives. */
export class FakeStore {
  readonly scans = new Map<number, ReceivedScan>()
  readonly checks = new Map<number, ReceivedCheck>()
  readonly directory = mkdtempSync(join(tmpdir(), 'scanner-store-'))
  readonly endpoint = `ipc://${join(this.directory, 'i.sock')}`
  /** Batches that a scan may send ahead. */
  credit = 2
  /** False: batches pile up unacknowledged. */
  acknowledges = true
  #server: RouterServer | undefined
  #instance = 0
  #waiters = new Set<() => void>()

  async start(): Promise<void> {
    const identity = { stage: 'store' as const, instance: `store-${++this.#instance}`, pid: process.pid }
    this.#server = new RouterServer({
      endpoint: this.endpoint,
      identity,
      accepts: ['scanner'],
      onMessage: ({ body, peer }) => this.#receive(body, peer),
      onPeer: () => this.#changed(),
    })
    await this.#server.start()
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#server = undefined
  }

  async close(): Promise<void> {
    await this.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Sends to the scanner as soon as it is connected. */
  async send(body: Body): Promise<void> {
    const peer = await this.until(() => this.#server?.peers()[0])
    this.#server!.send(peer, body)
  }

  async command(command: ScanCommand): Promise<void> {
    await this.send({ type: 'scanCommand', value: command })
  }

  async commandCheck(command: CheckCommand): Promise<void> {
    await this.send({ type: 'checkCommand', value: command })
  }

  checkEnded(check: number): Promise<ReceivedCheck> {
    return this.until(() => {
      const received = this.checks.get(check)
      return received?.end === undefined ? undefined : received
    })
  }

  /** What `find` gives, as soon as it gives something. */
  until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        try {
          const found = find()
          if (found === undefined) return
          this.#waiters.delete(check)
          resolve(found)
        } catch (error) {
          this.#waiters.delete(check)
          reject(error)
        }
      }
      this.#waiters.add(check)
      check()
    })
  }

  ended(epoch: number): Promise<ReceivedScan> {
    return this.until(() => {
      const scan = this.scans.get(epoch)
      return scan?.end === undefined ? undefined : scan
    })
  }

  #receive(body: Body, peer: Peer): Body | undefined {
    try {
      return this.#answer(body, peer)
    } finally {
      queueMicrotask(() => this.#changed())
    }
  }

  #answer(body: Body, peer: Peer): Body | undefined {
    switch (body.type) {
      case 'scanBegin': {
        this.scans.set(body.value.epoch, { begin: body.value, reader: new BatchReader(), batches: [], mostOnTheWay: 0 })
        return { type: 'scanAccepted', value: { epoch: body.value.epoch, credit: this.credit } }
      }
      case 'entryBatch':
        this.#take(body.value, peer)
        return undefined
      case 'scanProgress': {
        const scan = this.scans.get(body.value.epoch)
        if (scan) scan.progress = body.value
        return undefined
      }
      case 'scanEnd': {
        const scan = this.#scan(body.value.epoch)
        scan.end = body.value
        return { type: 'ack', value: this.#ack(body.value.epoch, scan.batches.length, true) }
      }
      case 'checkBatch':
        this.#takeCheck(body.value, peer)
        return undefined
      case 'checkEnd':
        this.#check(body.value.check).end = body.value
        return undefined
      default:
        throw new Error(`unexpected ${body.type}`)
    }
  }

  #unacknowledged = 0

  #take(batch: EntryBatch, peer: Peer): void {
    const scan = this.#scan(batch.epoch)
    if (batch.sequence !== scan.batches.length + 1)
      throw new Error(`batch ${batch.sequence} after ${scan.batches.length}`)
    scan.batches.push(batch)
    if (scan.begin.root.kind === 'tree') scan.reader.add({ ...batch, currentDirectory: new Uint8Array(0) })
    this.#unacknowledged++
    scan.mostOnTheWay = Math.max(scan.mostOnTheWay, this.#unacknowledged)
    if (!this.acknowledges) return
    // Not at once, so that several can be on their way.
    setImmediate(() => {
      this.#unacknowledged = 0
      this.#server?.send(peer, { type: 'ack', value: this.#ack(batch.epoch, batch.sequence, false) })
    })
  }

  #takeCheck(batch: CheckBatch, peer: Peer): void {
    const received = this.#check(batch.check)
    if (batch.sequence !== received.batches.length + 1)
      throw new Error(`batch ${batch.sequence} after ${received.batches.length}`)
    received.batches.push(batch)
    this.#unacknowledged++
    received.mostOnTheWay = Math.max(received.mostOnTheWay, this.#unacknowledged)
    if (!this.acknowledges) return
    setImmediate(() => {
      this.#unacknowledged = 0
      this.#server?.send(peer, { type: 'ack', value: this.#ack(batch.check, batch.sequence, false) })
    })
  }

  #check(check: number): ReceivedCheck {
    const received = this.checks.get(check) ?? { batches: [], mostOnTheWay: 0 }
    this.checks.set(check, received)
    return received
  }

  #ack(epoch: number, received: number, active: boolean): Ack {
    const durableSequence = active ? received : 0
    return { epoch, source: '', receivedSequence: received, durableSequence, credit: this.credit, active, root: '' }
  }

  #scan(epoch: number): ReceivedScan {
    const scan = this.scans.get(epoch)
    if (scan === undefined) throw new Error(`epoch ${epoch} was not begun`)
    return scan
  }

  #changed(): void {
    for (const check of [...this.#waiters]) check()
  }
}
