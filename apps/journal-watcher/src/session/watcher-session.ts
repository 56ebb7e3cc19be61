import { bootId, monotonicMicros } from '@hotpath/platform'
import {
  type Ack,
  type Body,
  DealerPeer,
  type HealthCheck,
  type Identity,
  type ListCommand,
  type Metric,
  type Tap,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { ChangeWatcher } from '../change-watcher.js'
import type { FollowingOptions } from '../root-setup-options.js'
import { Outbox } from './outbox.js'

export interface WatcherSessionOptions extends FollowingOptions {
  /** Ingest socket of the store. */
  readonly endpoint: string
  readonly identity: Identity
  readonly tap?: Tap
}

/**
 * The watcher at work: follows what the store commands, and tells it what it observed. Watches outlive sessions: what
 * happens while the store is away is kept and sent when it is back.
 */
export class WatcherSession {
  readonly #log: Logger
  readonly #peer: DealerPeer
  readonly #outbox: Outbox
  readonly #watcher: ChangeWatcher
  #connected = false

  constructor(options: WatcherSessionOptions) {
    const { endpoint, identity, tap, ...following } = options
    const { log } = following
    this.#log = log
    this.#outbox = new Outbox(bootId(), () => this.#watcher.roomAvailable())
    const outbox = this.#outbox
    this.#watcher = new ChangeWatcher({
      ...following,
      sink: {
        get hasRoom() {
          return outbox.hasRoom
        },
        changes: (root, source, changes) => outbox.add(root, source, changes),
        lastSequence: source => outbox.lastSequence(source),
        // Without a session it is told when there is one.
        state: state => void this.#peer.send('watchState', state).catch(() => {}),
        journalReached: reached => {
          if (this.#connected) this.#peer.send('journalReached', reached).catch(() => {})
        },
        report: report => {
          if (this.#connected) this.#peer.send('watchReport', report).catch(() => {})
        },
        barrierDone: done => outbox.addBarrier(done),
      },
      source: identity.instance,
      log: log.child('journal-watcher.watch'),
    })
    this.#peer = new DealerPeer({
      endpoint,
      identity,
      expects: 'store',
      onMessage: body => this.#receive(body),
      onWelcome: (welcome, restarted) => {
        this.#connected = true
        log.info('store connected', { instance: welcome.instance, restarted })
        for (const state of this.#watcher.states()) this.#peer.send('watchState', state).catch(() => {})
        outbox.connected(this.#peer)
      },
      onPeerLost: reason => {
        this.#connected = false
        log.warn('store lost', { reason, batches: outbox.batchCount })
        outbox.disconnected()
        this.#watcher.forgetBarriers()
      },
      log: log.child('journal-watcher.store-link'),
      ...(tap === undefined ? {} : { tap }),
    })
  }

  /** Connects in the background and waits for commands. */
  start(): void {
    this.#peer.start()
  }

  async stop(): Promise<void> {
    this.#watcher.stop()
    await this.#peer.stop('the journal watcher stops')
  }

  health(): HealthCheck[] {
    const checks = [{ name: 'store', ok: this.#connected, detail: this.#connected ? '' : 'the store does not answer' }]
    for (const { root, state, reason } of this.#watcher.states())
      if (state !== 'armed') checks.push({ name: `watch ${root}`, ok: false, detail: reason })
    return checks
  }

  stats(): Metric[] {
    const { present, absent, listed, errors, roots, losses, watches } = this.#watcher.stats()
    const metric = (kind: Metric['kind'], name: string, value: number): Metric => ({ name, kind, value, labels: [] })
    return [
      metric('gauge', 'hotpath_watch_roots', roots),
      metric('gauge', 'hotpath_watch_inotify_watches', watches),
      metric('gauge', 'hotpath_watch_waiting_rows', this.#outbox.rowCount),
      metric('counter', 'hotpath_watch_present_total', present),
      metric('counter', 'hotpath_watch_absent_total', absent),
      metric('counter', 'hotpath_watch_listed_total', listed),
      metric('counter', 'hotpath_watch_errors_total', errors),
      metric('counter', 'hotpath_watch_losses_total', losses),
    ]
  }

  #receive(body: Body): void {
    switch (body.type) {
      case 'watchCommand':
        this.#watcher.watch(body.value.root, body.value.options, body.value.journal)
        break
      case 'unwatchCommand':
        this.#watcher.unwatch(body.value.root)
        break
      case 'barrier':
        this.#watcher.barrier(body.value.id)
        break
      case 'listCommand':
        this.#list(body.value)
        break
      case 'ack':
        this.#acknowledge(body.value)
        break
      default:
        this.#log.warn('unexpected message', { type: body.type })
    }
  }

  #acknowledge(ack: Ack): void {
    const madeAt = this.#outbox.acknowledge(ack)
    this.#watcher.durable(ack.root, ack.source, ack.durableSequence)
    const requests = ack.listRequests
    if (requests === undefined) return
    const nowhere = new Uint8Array(0)
    for (let i = 0; i < requests.low.length; i++) {
      const ref = { low: requests.low[i]!, high: requests.high[i]!, birth: requests.birth[i]! }
      this.#watcher.list(ack.root, nowhere, ref, madeAt, true)
    }
  }

  #list({ root, pathOffsets, paths, refs }: ListCommand): void {
    const now = monotonicMicros()
    for (let i = 0; i < refs.low.length; i++) {
      const ref = { low: refs.low[i]!, high: refs.high[i]!, birth: refs.birth[i]! }
      this.#watcher.list(root, paths.slice(pathOffsets[i]!, pathOffsets[i + 1]!), ref, now, false)
    }
  }
}
