import { UnavailableError } from '@hotpath/model'
import { Listeners } from './listeners.js'

/**
 * Whether the store still writes: `open`, until its first failure or until it is closed, and never again after that.
 *
 * After a failed file call nobody knows what the disk holds, so nothing more is begun or acknowledged. The first failure
 * is the one that is kept and told; what else fails because of it, or while the store closes, is no news.
 */
export class WriterState {
  private firstFailure: Error | undefined
  private closing = false
  private readonly listeners = new Listeners<[error: Error]>()

  /** The first failure that stopped the store. */
  get failure(): Error | undefined {
    return this.firstFailure
  }

  get isClosing(): boolean {
    return this.closing
  }

  get isOpen(): boolean {
    return this.firstFailure === undefined && !this.closing
  }

  /** @throws UnavailableError unless the store is open */
  check(): void {
    const { firstFailure } = this
    if (firstFailure)
      throw new UnavailableError(`the store has failed: ${firstFailure.message}`, { cause: firstFailure })
    if (this.closing) throw new UnavailableError('the store is closing')
  }

  /** Passes the work's result on; if it fails, so has the store. */
  async guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }

  /** As `guard`, for work that nobody waits for: its failure is told to the listeners only. */
  guardInBackground(work: Promise<unknown>): void {
    void this.guard(work).catch(() => {})
  }

  fail(error: Error): void {
    if (!this.isOpen) return
    this.firstFailure = error
    this.listeners.tell(error)
  }

  /** @returns false if the store is closing already */
  beginClosing(): boolean {
    if (this.closing) return false
    this.closing = true
    return true
  }

  /** Called with the failure that stops the store, once. */
  onFailure(listener: (error: Error) => void): () => void {
    return this.listeners.add(listener)
  }
}
