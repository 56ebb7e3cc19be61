import { lackOf, StorageError, UnavailableError } from '@hotpath/model'
import { Listeners } from './listeners.js'

/**
 * Whether the store still writes: `open`, until its first failure or until it is closed, and never again after that.
 *
 * After a failed file call nobody knows what the disk holds, so nothing more is begun or acknowledged: the store only
 * reads from then on. The first failure is the one that is kept and told; what else fails because of it, or while the
 * store closes, is no news.
 */
export class WriterState {
  private firstFailure: Error | undefined
  private refusal: StorageError | undefined
  private closing = false
  private readonly listeners = new Listeners<[error: Error]>()

  /** The first failure that stopped the store. */
  get failure(): Error | undefined {
    return this.firstFailure
  }

  /** What whoever wants to write is told since the failure. */
  get storageError(): StorageError | undefined {
    return this.refusal
  }

  get isClosing(): boolean {
    return this.closing
  }

  get isOpen(): boolean {
    return this.firstFailure === undefined && !this.closing
  }

  /** @throws StorageError after a failure, UnavailableError while the store closes */
  check(): void {
    this.checkStorage()
    if (this.closing) throw new UnavailableError('the store is closing')
  }

  /** @throws StorageError after a failure */
  checkStorage(): void {
    // A new one each time: it is thrown in many places, and each stack is its own.
    const { refusal } = this
    if (!refusal) return
    throw new StorageError(refusal.state, refusal.message, { cause: this.firstFailure, lack: refusal.lack })
  }

  /** Passes the work's result on; if it fails, so has the store. @throws what `fail` returns */
  async guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      throw this.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** As `guard`, for work that nobody waits for: its failure is told to the listeners only. */
  guardInBackground(work: Promise<unknown>): void {
    void this.guard(work).catch(() => {})
  }

  /** @returns what those are told who wait for what failed */
  fail(error: Error): Error {
    if (this.isOpen) {
      this.firstFailure = error
      const lack = lackOf(error)
      const state = lack === 'room' ? 'full' : 'failed'
      this.refusal = new StorageError(state, `the store has failed: ${error.message}`, { cause: error, lack })
      this.listeners.tell(error)
    }
    return this.refusal ?? error
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
