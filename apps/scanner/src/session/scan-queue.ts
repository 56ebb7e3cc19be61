import { CancelledError } from '@hotpath/model'
import type { CancelScan, ScanCommand } from '@hotpath/protocol'

/** Scans at a time: a long one of a tree does not hold up a list, and more would compete for the same disk. */
const MAX_RUNNING = 2

interface Job {
  readonly command: ScanCommand
  readonly controller: AbortController
}

export interface ScanQueueOptions {
  /** Scans; ends when the signal is aborted. What it rejects with is given to `onFailure`, except for CancelledError after an abort. */
  scan(command: ScanCommand, signal: AbortSignal): Promise<void>
  onFailure(command: ScanCommand, error: unknown): void
  /** Nothing is running or waiting any more. */
  onIdle(): void
}

/** Commands to scan, in order, a few at a time. For each root the latest command counts. */
export class ScanQueue {
  readonly #waiting: Job[] = []
  readonly #running = new Map<Job, Promise<void>>()

  constructor(private readonly options: ScanQueueOptions) {}

  get running(): readonly ScanCommand[] {
    return [...this.#running.keys()].map(({ command }) => command)
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  /** Takes a command; an earlier one of the same root is given up. One that is here already (same epoch) changes nothing. */
  add(command: ScanCommand): void {
    const same = (job: Job) => job.command.root.id === command.root.id
    const jobs = [...this.#running.keys(), ...this.#waiting].filter(job => !job.controller.signal.aborted)
    if (jobs.some(job => same(job) && job.command.epoch === command.epoch)) return
    this.#abort(same)
    this.#waiting.push({ command, controller: new AbortController() })
    this.#startNext()
  }

  cancel({ root, epoch }: CancelScan): void {
    this.#abort(({ command }) => command.root.id === root && command.epoch === epoch)
  }

  /** Gives everything up; resolves when nothing runs any more. */
  async clear(): Promise<void> {
    this.#abort(() => true)
    await Promise.all(this.#running.values())
  }

  #abort(which: (job: Job) => boolean): void {
    for (const job of [...this.#waiting.filter(which)]) this.#waiting.splice(this.#waiting.indexOf(job), 1)
    for (const job of [...this.#running.keys()].filter(which)) job.controller.abort()
  }

  #startNext(): void {
    while (this.#running.size < MAX_RUNNING) {
      // The former scan of the same root must have ended: it still sends under its epoch.
      const isFree = ({ command }: Job) => !this.running.some(({ root }) => root.id === command.root.id)
      const job = this.#waiting.find(isFree)
      if (job === undefined) break
      this.#waiting.splice(this.#waiting.indexOf(job), 1)
      this.#running.set(job, this.#run(job))
    }
  }

  async #run(job: Job): Promise<void> {
    try {
      await this.options.scan(job.command, job.controller.signal)
    } catch (error) {
      if (!(error instanceof CancelledError && job.controller.signal.aborted))
        this.options.onFailure(job.command, error)
    }
    this.#running.delete(job)
    this.#startNext()
    if (this.#running.size === 0 && this.#waiting.length === 0) this.options.onIdle()
  }
}
