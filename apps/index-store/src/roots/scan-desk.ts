import { InvalidInputError } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import type { ScanBegin, ScanEnd, ScanOptions, ScanProgress } from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import type { ListRequest, Store } from '@hotpath/store'
import { listFileFacts } from './list-file.js'
import type { ScanReason } from './root-life.js'
import type { RootState } from './root-state.js'
import type { Sources } from './sources.js'

export interface ScanDeskOptions {
  readonly store: Store
  readonly sources: Sources
  readonly log: Logger
  readonly scanOptions: ScanOptions
  /** @throws InvalidInputError for an unknown root */
  stateOf(root: string): RootState
  /** The scan of a root reads from now on. */
  began(state: RootState): void
  /** The scan of a root is over; `missing`: what its generation wants listed. */
  ended(state: RootState, complete: boolean, missing: readonly ListRequest[]): void
}

/** The scans that were commanded, at most one of each root: `RootState.scan` is the one that counts. */
export class ScanDesk {
  constructor(private readonly options: ScanDeskOptions) {}

  /** @returns false if there is no scanner */
  start(state: RootState, reason: ScanReason): boolean {
    const { store, sources, log, scanOptions } = this.options
    const [scanner] = sources.scanners()
    if (scanner === undefined) return false
    const epoch = store.allotEpoch()
    state.scan = { epoch, scanner: scanner.identity.instance, progress: undefined }
    log.info('scan starts', { root: state.spec.path, epoch, reason })
    sources.commandScan(scanner, state.spec, epoch, scanOptions)
    return true
  }

  /** What was sent of it goes when another one begins, or when the scanner says that it has ended. */
  cancel(state: RootState): void {
    const { sources } = this.options
    if (!state.scan) return
    for (const peer of sources.scanners()) sources.cancelScan(peer, state.spec.id, state.scan.epoch)
    state.scan = undefined
  }

  /** Opens a scan in the store. @throws InvalidInputError if nobody asked for it */
  async begin(begin: ScanBegin): Promise<number> {
    const { store, stateOf, began } = this.options
    const state = stateOf(begin.root.id)
    if (state.scan?.epoch !== begin.epoch) {
      throw new InvalidInputError('scan', `epoch ${state.scan?.epoch ?? 'none'}`, `${begin.epoch}`)
    }
    await store.addRoot(state.spec, {
      volume: begin.volume,
      prefix: begin.prefix,
      virtualRoot: state.spec.kind === 'list',
    })
    const epoch = await store.beginScan(state.spec.id, {
      epoch: begin.epoch,
      bootId: begin.bootId,
      startedAt: monotonicMicros(),
      partial: true,
      journal: begin.journal,
    })
    if (state.scan?.epoch === epoch) began(state)
    return epoch
  }

  /** Makes a finished scan the active generation. */
  async finish(end: ScanEnd): Promise<void> {
    const { store, log, stateOf } = this.options
    const state = stateOf(end.root)
    if (end.state === 'aborted') {
      await this.end(state, end.epoch)
      return
    }
    if (state.scan?.epoch !== end.epoch) throw new InvalidInputError('scan', 'an open epoch', `${end.epoch}`)
    for (const problem of end.problems) {
      log.warn('not indexed', {
        root: state.spec.path,
        line: problem.line,
        path: Buffer.from(problem.path).toString(),
        problem: problem.message,
      })
    }
    try {
      const { entries, listRequests } = await store.endScan(end.epoch, {
        lastSequence: end.lastSequence,
        skipped: end.skipped,
        ...(state.spec.kind === 'list' ? { listFile: listFileFacts(state.spec.path) } : {}),
      })
      log.info('scan finished', { root: state.spec.path, epoch: end.epoch, entries, skipped: end.skipped })
      await this.end(state, end.epoch, listRequests)
    } catch (error) {
      await this.end(state, end.epoch)
      throw error
    }
  }

  /** What a scanner sent cannot be taken. */
  async fail(state: RootState, epoch: number, error: unknown): Promise<void> {
    const { log, sources } = this.options
    log.error('scan failed', { root: state.spec.path, epoch, error })
    for (const peer of sources.scanners()) sources.cancelScan(peer, state.spec.id, epoch)
    await this.end(state, epoch)
  }

  /** The scanner of a root is gone. */
  async lost(state: RootState): Promise<void> {
    if (state.scan) await this.end(state, state.scan.epoch)
  }

  /** @returns false if it is not of the scan that counts */
  progress(state: RootState | undefined, progress: ScanProgress): boolean {
    if (state?.scan?.epoch !== progress.epoch) return false
    state.scan.progress = progress
    return true
  }

  /** @param missing undefined: the scan was not completed */
  private async end(state: RootState, epoch: number, missing?: readonly ListRequest[]): Promise<void> {
    if (!missing) await this.options.store.abortScan(epoch)
    if (state.scan?.epoch !== epoch) return
    state.scan = undefined
    this.options.ended(state, missing !== undefined, missing ?? [])
  }
}
