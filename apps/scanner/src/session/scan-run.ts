import { basename } from 'node:path'
import { CancelledError, type RootSpec } from '@hotpath/model'
import { collectYoung } from '@hotpath/platform'
import {
  type Ack,
  type Bodies,
  type BodyType,
  MAX_PATH_BYTES,
  MAX_PROBLEMS,
  type Replies,
  type RequestType,
  type ScanCommand,
  type ScanEnd,
  type ScanProblem,
  type ScanProgress,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { CreditWindow } from './credit-window.js'
import type { OpenSource, ScanSource, SourceOptions } from './scan-source.js'

/** The store as a scan sees it (DealerPeer). */
export interface StorePeer {
  request<Type extends RequestType>(
    type: Type,
    value: Bodies[Type],
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Bodies[Replies[Type]]>
  send<Type extends BodyType>(type: Type, value: Bodies[Type]): Promise<void>
}

export interface ScanRunOptions {
  readonly command: ScanCommand
  readonly peer: StorePeer
  readonly open: OpenSource
  readonly source: SourceOptions
  readonly bootId: string
  /** Who observes: fresh for each start of the scanner. */
  readonly observer: string
  readonly log: Logger
}

/** The store may be replaying its log. */
const BEGIN_TIMEOUT_MS = 120_000
/** The store builds and syncs what it has not yet written; 10 M entries take half a minute. */
const END_TIMEOUT_MS = 3_600_000
/** People see no difference between this and more often. */
const PROGRESS_INTERVAL_MS = 250
/** Some 7 MB of encoded batches, which are garbage as soon as libzmq has sent them. */
const ROWS_BETWEEN_COLLECTIONS = 65_536
/** At most 512 bytes of UTF-8. */
const MAX_MESSAGE_CHARACTERS = 128

/**
 * One scan from ScanBegin to the answer of ScanEnd. Nothing is kept beyond the batch that is being sent: a scan that is
 * lost is repeated as a whole, when the store asks for it.
 */
export class ScanRun {
  readonly #options: ScanRunOptions
  readonly #signal: AbortSignal
  #window: CreditWindow | undefined
  #rowsSinceCollection = 0
  #epoch: number

  constructor(options: ScanRunOptions) {
    this.#options = options
    this.#signal = options.source.signal
    this.#epoch = options.command.epoch
  }

  get root(): RootSpec {
    return this.#options.command.root
  }

  get epoch(): number {
    return this.#epoch
  }

  /** An Ack of this epoch that answers no request. */
  acknowledge(ack: Ack): void {
    this.#window?.acknowledge(ack.receivedSequence, ack.credit)
  }

  /**
   * Scans. Resolves when the store has all of it and answers queries from it, or was told that it was aborted. Rejects
   * with CancelledError if the signal ends it, with UnavailableError or PeerLostError if the store is gone, and with the store's error.
   */
  async run(): Promise<'complete' | 'aborted'> {
    const { command, log, open, source: options } = this.#options
    const startedAt = performance.now()
    let source: ScanSource
    try {
      source = open(command.root, options)
    } catch (error) {
      log.warn('root cannot be read', { root: command.root.path, error })
      await this.#refuse(error)
      return 'aborted'
    }
    await this.#begin(source)
    const timer = setInterval(() => this.#tellProgress(source), PROGRESS_INTERVAL_MS)
    let failure: unknown
    let isSending = false
    try {
      for await (const batch of source.batches()) {
        isSending = true
        await this.#send(batch)
        isSending = false
      }
    } catch (error) {
      if (this.#signal.aborted) throw new CancelledError('the scan was cancelled')
      if (isSending) throw error
      // Not all was read: the store must not take what is missing for gone.
      failure = error
      log.error('reading failed', { root: command.root.path, error })
    } finally {
      clearInterval(timer)
    }
    const { entries, directories, errors } = source.progress()
    const tookMs = Math.round(performance.now() - startedAt)
    const state = failure === undefined ? 'complete' : 'aborted'
    log.info('scan read', { root: command.root.path, state, entries, directories, errors, tookMs })
    await this.#end(state, entries, errors, failure === undefined ? source.problems() : [problemOf(failure)])
    return state
  }

  async #begin({ volume, prefix, journal }: Pick<ScanSource, 'volume' | 'prefix' | 'journal'>): Promise<void> {
    const { command, peer, bootId, observer } = this.#options
    const { epoch, credit } = await peer.request(
      'scanBegin',
      { root: command.root, volume, prefix, epoch: command.epoch, bootId, source: observer, journal },
      { timeoutMs: BEGIN_TIMEOUT_MS, signal: this.#signal },
    )
    this.#epoch = epoch
    this.#window = new CreditWindow(credit)
  }

  async #send(
    batch: { entries: Bodies['entryBatch']['entries'] } & Pick<
      Bodies['entryBatch'],
      'listedDirectory' | 'listedObserved'
    >,
  ): Promise<void> {
    const sequence = await this.#window!.next(this.#signal)
    const { entries, listedDirectory, listedObserved } = batch
    this.#rowsSinceCollection += entries.count
    if (this.#rowsSinceCollection > ROWS_BETWEEN_COLLECTIONS) {
      this.#rowsSinceCollection = 0
      collectYoung()
    }
    await this.#options.peer.send('entryBatch', {
      epoch: this.#epoch,
      sequence,
      entries,
      listedDirectory,
      listedObserved,
    })
  }

  async #end(
    state: ScanEnd['state'],
    entries: number,
    skipped: number,
    problems: readonly ScanProblem[],
  ): Promise<void> {
    const { command, peer } = this.#options
    await peer.request(
      'scanEnd',
      {
        root: command.root.id,
        epoch: this.#epoch,
        entries,
        skipped,
        state,
        lastSequence: this.#window?.lastSequence ?? 0,
        problems: problems.slice(0, MAX_PROBLEMS).map(reportable),
      },
      { timeoutMs: END_TIMEOUT_MS, signal: this.#signal },
    )
  }

  /** A root that cannot be opened is a scan that was aborted at once: the store learns why. */
  async #refuse(error: unknown): Promise<void> {
    const { root } = this.#options.command
    const path = Buffer.from(root.path)
    const prefix =
      root.kind !== 'tree' ? new Uint8Array(0) : path.subarray(0, path.length - Buffer.byteLength(basename(root.path)))
    await this.#begin({ volume: root.id, prefix: new Uint8Array(prefix) })
    await this.#end('aborted', 0, 1, [{ ...problemOf(error), path: new Uint8Array(path) }])
  }

  #tellProgress(source: ScanSource): void {
    const progress: ScanProgress = { root: this.root.id, epoch: this.#epoch, ...source.progress() }
    // A progress that is lost is told again, and a store that is gone ends the scan by itself.
    this.#options.peer.send('scanProgress', progress).catch(() => {})
  }
}

function problemOf(error: unknown): ScanProblem {
  const message = error instanceof Error ? error.message : String(error)
  return { line: 0, path: new Uint8Array(0), message }
}

/** A problem within the limits of the contract. */
function reportable({ line, path, message }: ScanProblem): ScanProblem {
  const short = message.length > MAX_MESSAGE_CHARACTERS ? `${message.slice(0, MAX_MESSAGE_CHARACTERS - 1)}…` : message
  return { line, path: path.subarray(0, MAX_PATH_BYTES), message: short }
}
