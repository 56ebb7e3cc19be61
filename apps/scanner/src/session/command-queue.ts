import { CancelledError, type RootSpec } from '@hotpath/model'

interface Command {
  readonly root: RootSpec
}

interface Job<C extends Command> {
  readonly command: C
  readonly controller: AbortController
  readonly lane: string | undefined
}

export interface CommandQueueOptions<C extends Command> {
  /** At a time. */
  readonly maxRunning: number
  /** Commands of one lane run one after the other. Undefined: of none. */
  laneOf?(command: C): string | undefined
  /** What a command is cancelled by, beside its root. */
  numberOf(command: C): number
  /** Ends when the signal is aborted. What it rejects with is given to `onFailure`, except for CancelledError after an abort. */
  run(command: C, signal: AbortSignal): Promise<void>
  onFailure(command: C, error: unknown): void
  /** Nothing is running or waiting any more. */
  onIdle?(): void
}

/** Commands of the store, in order, a few at a time. For each root the latest command counts. */
export class CommandQueue<C extends Command> {
  readonly #waiting: Job<C>[] = []
  readonly #running = new Map<Job<C>, Promise<void>>()

  constructor(private readonly options: CommandQueueOptions<C>) {}

  get running(): readonly C[] {
    return [...this.#running.keys()].map(({ command }) => command)
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  /** Takes a command; an earlier one of the same root is given up. One that is here already (same number) changes nothing. */
  add(command: C): void {
    const { numberOf } = this.options
    const same = (job: Job<C>) => job.command.root.id === command.root.id
    const jobs = [...this.#running.keys(), ...this.#waiting].filter(job => !job.controller.signal.aborted)
    if (jobs.some(job => same(job) && numberOf(job.command) === numberOf(command))) return
    this.#abort(same)
    const lane = this.options.laneOf?.(command)
    this.#waiting.push({ command, controller: new AbortController(), lane })
    this.#startNext()
  }

  cancel(root: string, number: number): void {
    this.#abort(({ command }) => command.root.id === root && this.options.numberOf(command) === number)
  }

  /** Gives up whatever there is for a root. */
  cancelRoot(root: string): void {
    this.#abort(({ command }) => command.root.id === root)
  }

  /** Gives everything up; resolves when nothing runs any more. */
  async clear(): Promise<void> {
    this.#abort(() => true)
    await Promise.all(this.#running.values())
  }

  #abort(which: (job: Job<C>) => boolean): void {
    for (const job of [...this.#waiting.filter(which)]) this.#waiting.splice(this.#waiting.indexOf(job), 1)
    for (const job of [...this.#running.keys()].filter(which)) job.controller.abort()
  }

  #startNext(): void {
    while (this.#running.size < this.options.maxRunning) {
      const jobs = [...this.#running.keys()]
      // The former one of the same root must have ended: it still sends under its number.
      const isFree = ({ command, lane }: Job<C>) =>
        !jobs.some(other => other.command.root.id === command.root.id || (lane !== undefined && other.lane === lane))
      const job = this.#waiting.find(isFree)
      if (job === undefined) break
      this.#waiting.splice(this.#waiting.indexOf(job), 1)
      this.#running.set(job, this.#run(job))
    }
  }

  async #run(job: Job<C>): Promise<void> {
    try {
      await this.options.run(job.command, job.controller.signal)
    } catch (error) {
      if (!(error instanceof CancelledError && job.controller.signal.aborted))
        this.options.onFailure(job.command, error)
    }
    this.#running.delete(job)
    this.#startNext()
    if (this.#running.size === 0 && this.#waiting.length === 0) this.options.onIdle?.()
  }
}
