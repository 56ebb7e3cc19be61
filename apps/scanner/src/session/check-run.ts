import { CancelledError } from '@hotpath/model'
import type { Ack, CheckCommand, CheckEnd } from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import type { CheckCounters } from '../check/check-messages.js'
import type { CheckedDirectories } from '../check/checked-directories.js'
import { CreditWindow } from './credit-window.js'
import type { StorePeer } from './scan-run.js'

/** What a check reads (CheckWalk). Iterate over it once. */
export interface CheckSource extends AsyncIterable<CheckedDirectories> {
  /** When it has ended. */
  readonly counters: CheckCounters
  pause(paused: boolean): void
}

export interface CheckRunOptions {
  readonly command: CheckCommand
  readonly peer: StorePeer
  readonly source: CheckSource
  readonly signal: AbortSignal
  readonly log: Logger
}

/** Batches that may be on their way before the first Ack says how many. */
export const FIRST_CREDIT = 4

/** One check from its command to CheckEnd. Nothing is kept beyond the batch that is being sent. */
export class CheckRun {
  readonly #options: CheckRunOptions
  readonly #window = new CreditWindow(FIRST_CREDIT)

  constructor(options: CheckRunOptions) {
    this.#options = options
  }

  get check(): number {
    return this.#options.command.check
  }

  acknowledge(ack: Ack): void {
    this.#window.acknowledge(ack.receivedSequence, ack.credit)
  }

  pause(paused: boolean): void {
    this.#options.source.pause(paused)
  }

  /**
   * Checks. Resolves when CheckEnd is sent. Rejects with CancelledError if the signal ends it, after which nothing more
   * is sent, and with UnavailableError or PeerLostError if the store is gone.
   */
  async run(): Promise<CheckEnd['state']> {
    const { command, peer, source, signal, log } = this.#options
    const startedAt = performance.now()
    let state: CheckEnd['state'] = 'complete'
    let isSending = false
    try {
      for await (const batch of source) {
        isSending = true
        const sequence = await this.#window.next(signal)
        await peer.send('checkBatch', { check: this.check, sequence, ...batch })
        isSending = false
      }
    } catch (error) {
      if (signal.aborted) throw new CancelledError('the check was cancelled')
      if (isSending) throw error
      // Not all was read: the store must not take what it was not told for gone.
      state = 'aborted'
      log.warn('checking failed', { root: command.root.path, error })
    }
    const tookMs = Math.round(performance.now() - startedAt)
    const { counters } = source
    log.info('checked', { root: command.root.path, mode: command.mode, state, ...counters, tookMs })
    await peer.send('checkEnd', {
      root: command.root.id,
      check: this.check,
      state,
      ...counters,
      lastSequence: this.#window.lastSequence,
    })
    return state
  }
}
