import type { RootSpec } from '@hotpath/model'
import { UnavailableError } from '@hotpath/model'
import { bootId, releaseMemory } from '@hotpath/platform'
import {
  type Body,
  DealerPeer,
  type HealthCheck,
  type Identity,
  type Metric,
  type ScanCommand,
  type Tap,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { deviceBehind } from '../volume/raw-volume.js'
import { WalkPool } from '../walk/walk-pool.js'
import { Checks } from './checks.js'
import { CommandQueue } from './command-queue.js'
import { ListSource } from './list-source.js'
import { openVolume } from './open-volume.js'
import { ScanRun } from './scan-run.js'
import type { ScanSource, SourceOptions } from './scan-source.js'
import { TreeSource } from './tree-source.js'

export interface ScannerOptions {
  /** Ingest socket of the store. */
  readonly endpoint: string
  readonly identity: Identity
  /** Left out of every tree. */
  readonly dataDir: string
  readonly excludes: readonly string[]
  readonly crossDevices: boolean
  readonly threads: number
  /** Whether a tree is likely to be scanned. */
  readonly expectsTrees: boolean
  readonly log: Logger
  readonly tap?: Tap
}

/** Scans at a time: a long one of a tree does not hold up a list, and more would compete for the same processors. */
const MAX_RUNNING = 2

/**
 * The scanner at work: does what the store commands. A session that ends takes its scans with it, and the store of the
 * next session (which may be another process, with nothing of what was sent) commands what it needs under new epochs.
 */
export class Scanner {
  readonly #options: ScannerOptions
  readonly #peer: DealerPeer
  readonly #queue: CommandQueue<ScanCommand>
  readonly #checks: Checks
  readonly #runs = new Map<ScanCommand, ScanRun>()
  readonly #bootId = bootId()
  readonly #pool = new WalkPool()
  readonly #finishedOnce: Promise<void>
  #finish = () => {}
  #connected = false
  #completed = 0
  #aborted = 0
  #failed = 0

  constructor(options: ScannerOptions) {
    this.#options = options
    const { endpoint, identity, log, tap } = options
    this.#peer = new DealerPeer({
      endpoint,
      identity,
      expects: 'store',
      onMessage: body => this.#receive(body),
      onWelcome: (welcome, restarted) => {
        this.#connected = true
        log.info('store connected', { instance: welcome.instance, restarted })
      },
      onPeerLost: reason => {
        this.#connected = false
        log.warn('store lost', { reason, scans: this.#runs.size })
        void this.#queue.clear()
        void this.#checks.clear()
      },
      log: log.child('scanner.store-link'),
      ...(tap === undefined ? {} : { tap }),
    })
    const { dataDir, excludes, crossDevices } = options
    this.#checks = new Checks({ peer: this.#peer, dataDir, excludes, crossDevices, log })
    this.#queue = new CommandQueue<ScanCommand>({
      maxRunning: MAX_RUNNING,
      laneOf: ({ root }) => laneOf(root),
      numberOf: ({ epoch }) => epoch,
      run: (command, signal) => this.#scan(command, signal),
      onFailure: (command, error) => {
        this.#failed++
        // The store notices the same (its peer is gone, or it gave the error) and commands again.
        if (error instanceof UnavailableError) log.warn('scan lost', { root: command.root.path, error })
        else log.error('scan failed', { root: command.root.path, epoch: command.epoch, error })
      },
      onIdle: () => {
        if (this.#completed + this.#aborted > 0) this.#finish()
      },
    })
    this.#finishedOnce = new Promise(resolve => {
      this.#finish = resolve
    })
  }

  /** Connects in the background and waits for commands. Threads for trees start at once: the first command comes soon. */
  start(): void {
    if (this.#options.expectsTrees) this.#pool.warm(this.#options.threads)
    this.#peer.start()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#queue.clear(), this.#checks.clear()])
    await this.#pool.close()
    await this.#peer.stop('the scanner stops')
  }

  /** Settles when at least one scan was brought to its end and nothing is left to do. */
  get finishedOnce(): Promise<void> {
    return this.#finishedOnce
  }

  health(): HealthCheck[] {
    const detail = this.#connected ? '' : 'the store does not answer'
    return [{ name: 'store', ok: this.#connected, detail }]
  }

  stats(): Metric[] {
    const metric = (name: string, kind: Metric['kind'], value: number): Metric => ({ name, kind, value, labels: [] })
    return [
      metric('hotpath_scans_running', 'gauge', this.#queue.running.length),
      metric('hotpath_scans_waiting', 'gauge', this.#queue.waitingCount),
      metric('hotpath_scans_completed_total', 'counter', this.#completed),
      metric('hotpath_scans_aborted_total', 'counter', this.#aborted),
      metric('hotpath_scans_failed_total', 'counter', this.#failed),
      ...this.#checks.stats(),
    ]
  }

  #receive(body: Body): void {
    switch (body.type) {
      case 'scanCommand':
        this.#options.log.info('scan commanded', { root: body.value.root.path, epoch: body.value.epoch })
        this.#queue.add(body.value)
        break
      case 'cancelScan':
        this.#options.log.info('scan cancelled', { ...body.value })
        this.#queue.cancel(body.value.root, body.value.epoch)
        break
      case 'checkCommand': {
        const { root, check, mode, background } = body.value
        this.#options.log.info('check commanded', { root: root.path, check, mode, background })
        this.#checks.add(body.value)
        break
      }
      case 'cancelCheck':
        this.#options.log.info('check cancelled', { ...body.value })
        this.#checks.cancel(body.value)
        break
      case 'ack':
        this.#checks.acknowledge(body.value)
        for (const run of this.#runs.values()) if (run.epoch === body.value.epoch) run.acknowledge(body.value)
        break
      default:
        this.#options.log.warn('unexpected message', { type: body.type })
    }
  }

  async #scan(command: ScanCommand, signal: AbortSignal): Promise<void> {
    const { excludes, crossDevices, threads, dataDir, log, identity } = this.#options
    const run = new ScanRun({
      command,
      peer: this.#peer,
      open: openSource,
      source: {
        excludes: [...new Set([...command.options.excludes, ...excludes])],
        excludedDirectories: [dataDir],
        crossDevices: command.options.crossFileSystems || crossDevices,
        threads: command.options.threads > 0 ? command.options.threads : threads,
        namesOnly: command.options.namesOnly,
        streams: command.options.streams === true,
        idle: command.options.idle === true,
        access: command.options.access === true,
        signal,
        pool: this.#pool,
      },
      bootId: this.#bootId,
      observer: identity.instance,
      log,
    })
    this.#runs.set(command, run)
    this.#checks.pause(true)
    try {
      const state = await run.run()
      if (state === 'complete') this.#completed++
      else this.#aborted++
    } finally {
      this.#runs.delete(command)
      if (this.#runs.size === 0) {
        this.#checks.pause(false)
        releaseMemory()
      }
    }
  }
}

/** Volumes on one disk that turns are read one after the other: its head would go to and fro. Others do not wait for each other. */
function laneOf({ kind, path }: RootSpec): string | undefined {
  const device = kind === 'volume' ? deviceBehind(path) : undefined
  return device?.rotational === true ? device.name : undefined
}

/** Opens a root by its kind. */
export function openSource(root: RootSpec, options: SourceOptions): ScanSource {
  switch (root.kind) {
    case 'tree':
      return new TreeSource(root, options)
    case 'list':
      return new ListSource(root, options)
    case 'volume':
      return openVolume(root, options)
  }
}
