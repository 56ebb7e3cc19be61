import { randomBytes } from 'node:crypto'
import { processMemory } from '@hotpath/platform'
import {
  ControlServer,
  DealerPeer,
  type Endpoints,
  type Identity,
  type SocketName,
  socketEndpoints,
  TapHub,
} from '@hotpath/protocol'
import { type Logger, processMetrics, type StageName } from '@hotpath/service'
import type { Console } from './console.js'
import { watchIndexing } from './indexing-watch.js'
import { Progress } from './progress.js'
import type { Supervisor } from './supervisor.js'

const CONTROL_SOCKETS: Readonly<Record<StageName, SocketName>> = {
  scanner: 'scanner-control',
  'journal-watcher': 'watcher-control',
  'index-store': 'store-control',
  gateway: 'gateway-control',
}

export interface SystemLinkOptions {
  readonly runtimeDir: string
  readonly supervisor: Supervisor
  readonly log: Logger
  /** Aborted when the system begins to stop. */
  readonly stopping: AbortSignal
  /** Somebody asks over the control socket that all stops. */
  onShutdown(reason: string): void
}

/**
 * What the supervisor says and hears over sockets: its control socket, pings, the state of the index. A module of its
 * own that is loaded when the index answers: zeromq and protobuf take 60 ms.
 */
export class SystemLink {
  private readonly endpoints: Endpoints
  private readonly identity: Identity
  private readonly control: ControlServer
  private readonly peers = new Map<StageName, DealerPeer>()
  private readonly tap = new TapHub()

  constructor({ runtimeDir, supervisor, log, stopping, onShutdown }: SystemLinkOptions) {
    const instance = `supervisor-${randomBytes(8).toString('hex')}`
    this.endpoints = socketEndpoints(runtimeDir)
    this.identity = { stage: 'supervisor', instance, pid: process.pid }
    this.control = new ControlServer({
      endpoint: this.endpoints['supervisor-control'],
      identity: this.identity,
      health: () => ({ state: stopping.aborted ? 'stopping' : 'ready', checks: supervisor.health() }),
      stats: () => [...processMetrics(processMemory()), ...supervisor.stats()],
      shutdown: onShutdown,
      tap: this.tap,
      log: log.child('supervisor.control'),
    })
  }

  start(): Promise<void> {
    return this.control.start()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.peers.values()].map(peer => peer.stop()))
    await this.control.stop()
  }

  /** Resolves when the stage has answered; rejects when `signal` is aborted first. */
  async ping(stage: StageName, signal: AbortSignal): Promise<void> {
    await this.peerOf(stage).request('ping', {}, { signal })
  }

  /** A connection that stays: one made for each ping costs some ten milliseconds on both sides. */
  private peerOf(stage: StageName): DealerPeer {
    const known = this.peers.get(stage)
    if (known !== undefined) return known
    const endpoint = this.endpoints[CONTROL_SOCKETS[stage]]
    const peer = new DealerPeer({ endpoint, identity: this.identity, tap: this.tap })
    peer.start()
    this.peers.set(stage, peer)
    return peer
  }

  /** Shows how far the first scan is, until it is done or `signal` is aborted; `tell` gets the same in a few words. */
  async showIndexing(console: Console, signal: AbortSignal, tell: (text: string) => void): Promise<void> {
    const progress = new Progress()
    let isShown = false
    await watchIndexing(this.endpoints, this.identity, signal, news => {
      if (signal.aborted) return
      const nowMs = performance.now()
      if (news.state === 'indexing') {
        isShown = true
        tell(`indexing, ${news.progress.entries.toLocaleString('en-US')} entries so far`)
        progress.update(news.progress, nowMs)
        console.progress(progress.line(console.columns), nowMs)
        return
      }
      console.endProgress()
      const entries = news.entries.toLocaleString('en-US')
      tell(`${entries} entries indexed`)
      console.line(isShown ? progress.summary(news.entries, nowMs) : `the index holds ${entries} entries`)
    })
  }
}
