import { UnavailableError } from '@hotpath/model'
import type { Ack, CancelCheck, CheckCommand, Metric } from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { CheckWalk } from '../check/check-walk.js'
import { CheckRun } from './check-run.js'
import { CommandQueue } from './command-queue.js'
import type { StorePeer } from './scan-run.js'

export interface ChecksOptions {
  readonly peer: StorePeer
  /** Left out of every tree. */
  readonly dataDir: string
  readonly excludes: readonly string[]
  readonly crossDevices: boolean
  readonly log: Logger
}

/**
 * The checks that the store commands: one that is awaited and one in the background at a time, each in a thread of its
 * own. While a scan runs they are paused, so that it has the disk to itself.
 */
export class Checks {
  readonly #options: ChecksOptions
  readonly #awaited = this.#queue()
  readonly #background = this.#queue()
  readonly #runs = new Set<CheckRun>()
  #isPaused = false
  #completed = 0
  #aborted = 0
  #failed = 0
  #toldRefusal = false

  constructor(options: ChecksOptions) {
    this.#options = options
  }

  add(command: CheckCommand): void {
    const [queue, other] = command.background ? [this.#background, this.#awaited] : [this.#awaited, this.#background]
    other.cancelRoot(command.root.id)
    queue.add(command)
  }

  cancel({ root, check }: CancelCheck): void {
    this.#awaited.cancel(root, check)
    this.#background.cancel(root, check)
  }

  /** Gives everything up; resolves when nothing runs any more. */
  async clear(): Promise<void> {
    await Promise.all([this.#awaited.clear(), this.#background.clear()])
  }

  acknowledge(ack: Ack): void {
    for (const run of this.#runs) if (run.check === ack.epoch) run.acknowledge(ack)
  }

  pause(paused: boolean): void {
    this.#isPaused = paused
    for (const run of this.#runs) run.pause(paused)
  }

  stats(): Metric[] {
    const metric = (name: string, kind: Metric['kind'], value: number): Metric => ({ name, kind, value, labels: [] })
    return [
      metric('hotpath_checks_running', 'gauge', this.#runs.size),
      metric('hotpath_checks_waiting', 'gauge', this.#awaited.waitingCount + this.#background.waitingCount),
      metric('hotpath_checks_completed_total', 'counter', this.#completed),
      metric('hotpath_checks_aborted_total', 'counter', this.#aborted),
      metric('hotpath_checks_failed_total', 'counter', this.#failed),
    ]
  }

  #queue(): CommandQueue<CheckCommand> {
    return new CommandQueue<CheckCommand>({
      maxRunning: 1,
      numberOf: ({ check }) => check,
      run: (command, signal) => this.#run(command, signal),
      onFailure: ({ root, check }, error) => {
        this.#failed++
        // The store notices the same: its peer is gone.
        if (error instanceof UnavailableError) this.#options.log.warn('check lost', { root: root.path, error })
        else this.#options.log.error('check failed', { root: root.path, check, error })
      },
    })
  }

  async #run(command: CheckCommand, signal: AbortSignal): Promise<void> {
    const { peer, dataDir, excludes, crossDevices, log } = this.#options
    const { root, mode, options, background, entriesPerSecond, after } = command
    const source = new CheckWalk({
      root: root.path,
      mode,
      excludes: [...new Set([...options.excludes, ...excludes])],
      excludedDirectories: [dataDir],
      crossDevices: options.crossFileSystems || crossDevices,
      namesOnly: options.namesOnly,
      background,
      entriesPerSecond,
      after,
      signal,
      onRefused: parts => this.#tellRefusal(parts),
    })
    const run = new CheckRun({ command, peer, source, signal, log })
    run.pause(this.#isPaused)
    this.#runs.add(run)
    try {
      if ((await run.run()) === 'complete') this.#completed++
      else this.#aborted++
    } finally {
      this.#runs.delete(run)
    }
  }

  #tellRefusal(parts: readonly string[]): void {
    if (this.#toldRefusal) return
    this.#toldRefusal = true
    this.#options.log.warn('background checks run at normal priority', { refused: parts.join(', ') })
  }
}
