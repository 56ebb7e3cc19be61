import type { RootSpec } from '@hotpath/model'
import type { CheckBatch, CheckCommand, CheckEnd, CheckMode, Peer } from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import type { ListRequest, Store } from '@hotpath/store'
import { type CheckCounts, type CheckResult, CheckRun } from './check-run.js'
import type { Sources } from './sources.js'

export interface CheckDeskOptions {
  readonly store: Store
  readonly sources: Pick<Sources, 'scanners' | 'commandCheck' | 'cancelCheck'>
  readonly log: Logger
  readonly scanOptions: CheckCommand['options']
  /** Has the watcher of a root list directories. */
  list(root: string, requests: readonly ListRequest[]): void
  /** Resolves when all that was asked for and all that had happened is in the index; to false if nobody can promise it. */
  settle(root: string): Promise<boolean>
}

export interface CheckPlan extends Pick<CheckCommand, 'background' | 'entriesPerSecond' | 'after'> {
  readonly mode: CheckMode
  /** See CheckRunOptions. */
  readonly racyFrom: number
  readonly counts: CheckCounts
}

export interface OpenCheck {
  readonly id: number
  readonly root: RootSpec
  readonly mode: CheckMode
  readonly scanner: Peer
  readonly run: CheckRun
}

/** The checks that run, by their numbers. */
export class CheckDesk {
  private readonly open = new Map<number, OpenCheck>()

  constructor(private readonly options: CheckDeskOptions) {}

  /**
   * Commands a check. @returns undefined if there is no scanner, or no index to compare
   * @param onEnd called once, unless the check is cancelled
   */
  start(root: RootSpec, plan: CheckPlan, onEnd: (result: CheckResult) => void): OpenCheck | undefined {
    const { store, sources, log, scanOptions } = this.options
    const [scanner] = sources.scanners()
    const directories = store.directories(root.id)
    if (scanner === undefined || directories === undefined) return undefined
    const id = store.allotEpoch()
    const { mode, racyFrom, counts, background, entriesPerSecond, after } = plan
    const run = new CheckRun({
      directories,
      mode,
      root: new Uint8Array(Buffer.from(root.path)),
      racyFrom,
      counts,
      list: requests => this.options.list(root.id, requests),
      settle: () => this.options.settle(root.id),
      onError: error => log.error('check failed', { root: root.path, mode, error }),
    })
    const check: OpenCheck = { id, root, mode, scanner, run }
    this.open.set(id, check)
    void run.finished.then(result => {
      this.open.delete(id)
      // A scanner that is not done is told that nobody listens any more.
      if (result !== 'complete') this.tellCancelled(check)
      const { unexplained } = run
      log.info('check ended', { root: root.path, mode, result, listed: run.asked.size, unexplained, ...counts })
      onEnd(result)
    })
    log.info('check starts', { root: root.path, check: id, mode, background })
    sources.commandCheck(scanner, {
      root,
      check: id,
      mode,
      options: scanOptions,
      background,
      entriesPerSecond,
      after,
    })
    return check
  }

  cancel(check: OpenCheck): void {
    if (!this.open.delete(check.id)) return
    check.run.cancel()
    this.tellCancelled(check)
  }

  /** Resolves when the batch was compared; to false where no such check runs. */
  async batch(batch: CheckBatch): Promise<boolean> {
    const check = this.open.get(batch.check)
    await check?.run.add(batch)
    return check !== undefined
  }

  end(end: CheckEnd): void {
    void this.open.get(end.check)?.run.end(end)
  }

  /** All are forgotten. */
  stop(): void {
    for (const { run } of this.open.values()) run.cancel()
    this.open.clear()
  }

  scannerLost(instance: string): void {
    for (const check of [...this.open.values()]) if (check.scanner.identity.instance === instance) check.run.fail()
  }

  private tellCancelled({ scanner, root, id }: OpenCheck): void {
    const { sources } = this.options
    if (sources.scanners().includes(scanner)) sources.cancelCheck(scanner, root.id, id)
  }
}
