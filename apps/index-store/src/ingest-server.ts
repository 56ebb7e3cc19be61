import { InvalidInputError, StorageError } from '@hotpath/model'
import { collectYoung } from '@hotpath/platform'
import type { CheckBatch, CheckCommand, RouterServerOptions, ScanOptions } from '@hotpath/protocol'
import {
  type Ack,
  type Body,
  type IncomingMessage,
  type Outcome,
  type Peer,
  RouterServer,
  unexpected,
  WATCHER_HEARTBEAT_MS,
  WATCHER_LOST_MS,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import type { ListRequest, ReceivedEntries, Store } from '@hotpath/store'
import type { Barriers } from './barriers.js'
import type { ChangeRate } from './change-rate.js'
import { refColumn } from './roots/list-command.js'
import type { RootKeeper } from './roots/root-keeper.js'
import type { Sources } from './roots/sources.js'

/** Batches of a scan or check that may be on their way: at about 1 MiB each. */
const SCAN_CREDIT = 16
/**
 * What batches brought is collected after so many rows, some 15 MB with the copies that columns need: left alone, V8 looks after 64 MB, and
 * then marks the whole heap on all cores; and memory that is freed soon is taken again by the next batch while it is in the processor's cache.
 */
const ROWS_BETWEEN_COLLECTIONS = 16_384
/** A watcher may take so long for what a check has it list: far more than thousands of directories need on a slow disk. */
const LISTING_TIMEOUT_MS = 600_000
/** Change batches that may be on their way. */
const CHANGE_CREDIT = 64

export interface IngestServerOptions extends Pick<RouterServerOptions, 'endpoint' | 'identity' | 'tap'> {
  readonly store: Store
  readonly barriers: Barriers
  /** Counts what is told. */
  readonly changes: ChangeRate
  readonly log: Logger
  /** The store cannot go on. */
  fail(error: unknown): void
}

/** The socket of scanners and watchers: what they observe goes into the store, what the store wants goes to them. */
export class IngestServer implements Sources {
  private readonly server: RouterServer
  private keeper: RootKeeper | undefined
  /** Last sequence of each open scan that is durable. */
  private readonly durable = new Map<number, number>()
  private rowsSinceCollection = 0

  constructor(private readonly options: IngestServerOptions) {
    this.server = new RouterServer({
      endpoint: options.endpoint,
      identity: options.identity,
      accepts: ['scanner', 'watcher'],
      heartbeats: { watcher: { heartbeatMs: WATCHER_HEARTBEAT_MS, lostMs: WATCHER_LOST_MS } },
      tap: options.tap,
      log: options.log,
      onMessage: message => this.receive(message),
      onPeer: peer => {
        options.log.info('source connected', { stage: peer.identity.stage, pid: peer.identity.pid })
        if (peer.identity.stage === 'scanner') this.keeper?.scannerCame()
        else this.keeper?.watcherCame(peer)
      },
      onPeerLost: (peer, reason) => {
        options.log.warn('source lost', { stage: peer.identity.stage, pid: peer.identity.pid, reason })
        if (peer.identity.stage === 'scanner') this.keeper?.scannerLost(peer.identity.instance).catch(options.fail)
        else {
          this.keeper?.watcherLost(peer)
          options.barriers.watcherLost(peer)
        }
      },
    })
  }

  async start(keeper: RootKeeper): Promise<void> {
    this.keeper = keeper
    await this.server.start()
  }

  async stop(): Promise<void> {
    await this.server.stop()
  }

  get peers(): Peer[] {
    return this.server.peers()
  }

  scanners(): Peer[] {
    return this.server.peers().filter(peer => peer.identity.stage === 'scanner')
  }

  watchers(): Peer[] {
    return this.server.peers().filter(peer => peer.identity.stage === 'watcher')
  }

  commandScan(peer: Peer, root: Parameters<Sources['commandScan']>[1], epoch: number, options: ScanOptions): void {
    this.server.send(peer, { type: 'scanCommand', value: { root, epoch, options } })
  }

  cancelScan(peer: Peer, root: string, epoch: number): void {
    this.server.send(peer, { type: 'cancelScan', value: { root, epoch } })
  }

  commandWatch(...[peer, root, options, journal]: Parameters<Sources['commandWatch']>): void {
    this.server.send(peer, { type: 'watchCommand', value: { root, options, journal } })
  }

  commandUnwatch(peer: Peer, root: string): void {
    this.server.send(peer, { type: 'unwatchCommand', value: { root } })
  }

  commandList(peer: Peer, command: Parameters<Sources['commandList']>[1]): void {
    this.server.send(peer, { type: 'listCommand', value: command })
  }

  commandCheck(peer: Peer, command: CheckCommand): void {
    this.server.send(peer, { type: 'checkCommand', value: command })
  }

  cancelCheck(peer: Peer, root: string, check: number): void {
    this.server.send(peer, { type: 'cancelCheck', value: { root, check } })
  }

  async passBarrier(peer: Peer, root: string): Promise<boolean> {
    const { barriers, store } = this.options
    try {
      const ask = (watcher: Peer, id: number) => this.barrier(watcher, id)
      const { unwatched, silent } = await barriers.pass([peer], ask, LISTING_TIMEOUT_MS)
      if (silent.length > 0 || unwatched.has(root)) return false
      await store.waitForClock(store.clock().applied)
      return true
    } catch (error) {
      if (error instanceof StorageError) return false
      throw error
    }
  }

  barrier(peer: Peer, id: number): void {
    this.server.send(peer, { type: 'barrier', value: { id } })
  }

  private receive(message: IncomingMessage): Outcome | Promise<Outcome> {
    const { body } = message
    const { keeper } = this
    if (keeper === undefined) throw unexpected(body.type)
    switch (body.type) {
      case 'scanBegin':
        return keeper.beginScan(body.value).then(epoch => {
          this.durable.set(epoch, 0)
          return { type: 'scanAccepted', value: { epoch, credit: SCAN_CREDIT } }
        })
      case 'entryBatch':
        return this.addEntries(message.peer, body.value)
      case 'scanProgress':
        keeper.progress(body.value)
        return undefined
      case 'scanEnd':
        return keeper.finishScan(body.value).then(() => {
          this.durable.delete(body.value.epoch)
          const { epoch, lastSequence, state } = body.value
          return ackOfScan(epoch, lastSequence, state === 'complete' ? lastSequence : 0, state === 'complete')
        })
      case 'changeBatch':
        return this.applyChanges(message.peer, body.value)
      case 'watchState':
        return this.afterChanges(() => keeper.watchState(message.peer.identity.instance, body.value))
      case 'journalReached':
        return this.afterChanges(() => keeper.journalReached(message.peer.identity.instance, body.value))
      case 'watchReport':
        keeper.watchReport(body.value)
        return undefined
      case 'checkBatch':
        return this.checkBatch(message.peer, body.value)
      case 'checkEnd':
        keeper.checkEnd(body.value)
        return undefined
      case 'barrierDone':
        return this.afterChanges(() => this.options.barriers.done(message.peer, body.value))
      default:
        throw unexpected(body.type)
    }
  }

  /** Acknowledged when it was compared: a scanner is no further ahead than its credit. */
  private async checkBatch(peer: Peer, batch: CheckBatch): Promise<undefined> {
    if (await this.keeper?.checkBatch(batch)) {
      this.server.send(peer, ackOfScan(batch.check, batch.sequence, batch.sequence, false))
    }
    return undefined
  }

  private async addEntries(peer: Peer, batch: (Body & { type: 'entryBatch' })['value']): Promise<undefined> {
    const { epoch, sequence } = batch
    const listing = { directory: batch.listedDirectory, observed: batch.listedObserved }
    if (!this.durable.has(epoch)) return undefined
    let added: ReceivedEntries
    try {
      added = this.options.store.addEntries(epoch, sequence, batch.entries, listing)
    } catch (error) {
      // Nobody can take a scan now: its scanner was told so.
      if (error instanceof StorageError) return undefined
      // The rows that were on their way when the scan was given up are dropped in silence.
      this.durable.delete(epoch)
      await this.keeper?.scanFailed(epoch, error)
      return undefined
    }
    const { received, durable } = added
    this.rowsSinceCollection += batch.entries.count
    if (this.rowsSinceCollection > ROWS_BETWEEN_COLLECTIONS) {
      this.rowsSinceCollection = 0
      collectYoung()
    }
    durable.then(
      () => {
        const known = this.durable.get(epoch)
        if (known !== undefined && sequence > known) this.durable.set(epoch, sequence)
      },
      // The end of the scan says that it failed.
      () => {},
    )
    await received
    this.server.send(peer, ackOfScan(epoch, sequence, this.durable.get(epoch) ?? 0, false))
    return undefined
  }

  /** What a watcher says speaks of the changes that it sent before: they are in the index when it is heard. */
  private async afterChanges(hear: () => void): Promise<undefined> {
    await this.options.store.changesApplied()
    hear()
    return undefined
  }

  private async applyChanges(peer: Peer, batch: (Body & { type: 'changeBatch' })['value']): Promise<undefined> {
    const { source, sequence, root } = batch
    let requests: readonly ListRequest[] = []
    try {
      // Another source says what is so now. It is acknowledged, so that it goes away.
      if (this.keeper?.isReplaced(root, source)) {
        this.options.log.warn('changes of a source that was replaced', { root, source, sequence })
        this.acknowledge(peer, batch, [])
        return undefined
      }
      const applied = await this.options.store.applyChanges(batch)
      this.options.changes.add(batch.changes.op.length)
      if (applied.gap) await this.keeper?.eventsLost(root)
      await applied.durable
      requests = applied.listRequests
    } catch (error) {
      // Without an acknowledgement the watcher keeps what it sent, sends nothing more, and gathers what comes.
      if (error instanceof StorageError) return undefined
      if (!(error instanceof InvalidInputError)) throw error
      // Sent again it would be refused again: it counts as lost, and a check finds what it said.
      this.options.log.error('changes refused', { root, source, sequence, error })
      await this.keeper?.eventsLost(root)
    }
    this.acknowledge(peer, batch, requests)
    return undefined
  }

  private acknowledge(
    peer: Peer,
    { root, source, sequence }: (Body & { type: 'changeBatch' })['value'],
    requests: readonly ListRequest[],
  ): void {
    this.server.send(peer, {
      type: 'ack',
      value: {
        epoch: 0,
        source,
        receivedSequence: sequence,
        durableSequence: sequence,
        credit: CHANGE_CREDIT,
        active: false,
        root,
        ...(requests.length > 0 ? { listRequests: refColumn(requests) } : {}),
      },
    })
  }
}

/** @param epoch of a scan, or the number of a check */
function ackOfScan(epoch: number, received: number, durable: number, active: boolean): { type: 'ack'; value: Ack } {
  return {
    type: 'ack',
    value: {
      epoch,
      source: '',
      receivedSequence: received,
      durableSequence: durable,
      credit: SCAN_CREDIT,
      active,
      root: '',
    },
  }
}
