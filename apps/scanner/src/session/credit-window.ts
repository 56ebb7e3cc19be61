import { CancelledError } from '@hotpath/model'

/** How many batches may be on their way: numbers of batches go up to what was received and the credit beyond that. */
export class CreditWindow {
  #sent = 0
  #limit: number
  #wake: (() => void) | undefined

  constructor(credit: number) {
    this.#limit = credit
  }

  /** Number of the last batch that was sent; 0: none. */
  get lastSequence(): number {
    return this.#sent
  }

  /** The store has taken all batches up to `received` and has room for `credit` more. */
  acknowledge(received: number, credit: number): void {
    // Credit may shrink, but what was allowed once may be on its way already.
    this.#limit = Math.max(this.#limit, received + credit)
    this.#wake?.()
    this.#wake = undefined
  }

  /** The number of the next batch, as soon as it may be sent. Rejects with CancelledError when the signal is aborted. */
  async next(signal: AbortSignal): Promise<number> {
    while (this.#sent >= this.#limit) {
      if (signal.aborted) throw new CancelledError('the scan was cancelled')
      await new Promise<void>(resolve => {
        const wake = () => {
          signal.removeEventListener('abort', wake)
          resolve()
        }
        this.#wake = wake
        signal.addEventListener('abort', wake)
      })
    }
    return ++this.#sent
  }
}
