import type { BarrierDone, Peer } from '@hotpath/protocol'

/** A watcher that does not answer in this time does not hold up the clock; its roots are named as not covered. */
const TIMEOUT_MS = 5_000

/** What a barrier did not reach. */
export interface BarrierGaps {
  /** Roots that watchers named: they do not follow them. */
  readonly unwatched: Set<string>
  /** Watchers that did not answer: nobody knows of the changes that they hold. */
  readonly silent: readonly Peer[]
}

interface Waiting {
  readonly peers: Set<Peer>
  readonly unwatched: Set<string>
  readonly silent: Peer[]
  settle(): void
  fail(error: Error): void
}

/** Barriers: every watcher empties its kernel queue, and its batches arrive before it says so. */
export class Barriers {
  private readonly waiting = new Map<number, Waiting>()
  private next = 1

  constructor(private readonly timeoutMs = TIMEOUT_MS) {}

  /**
   * Resolves when each watcher has answered, went away, or was silent for too long. Rejects with what `fail` is given.
   *
   * @param ask sends the barrier to a watcher
   * @param timeoutMs how long a watcher may be silent
   */
  async pass(
    watchers: readonly Peer[],
    ask: (peer: Peer, id: number) => void,
    timeoutMs = this.timeoutMs,
  ): Promise<BarrierGaps> {
    const unwatched = new Set<string>()
    const silent: Peer[] = []
    if (watchers.length === 0) return { unwatched, silent }
    const id = this.next++
    await new Promise<void>((resolve, reject) => {
      const peers = new Set(watchers)
      const end = (): void => {
        clearTimeout(timer)
        this.waiting.delete(id)
      }
      const settle = (): void => {
        end()
        silent.push(...peers)
        resolve()
      }
      const fail = (error: Error): void => {
        end()
        reject(error)
      }
      const timer = setTimeout(settle, timeoutMs)
      this.waiting.set(id, { peers, unwatched, silent, settle, fail })
      for (const peer of watchers) ask(peer, id)
    })
    return { unwatched, silent }
  }

  done(peer: Peer, done: BarrierDone): void {
    const waiting = this.waiting.get(done.id)
    if (waiting === undefined || !waiting.peers.has(peer)) return
    for (const root of done.unwatchedRoots) waiting.unwatched.add(root)
    this.leave(waiting, peer)
  }

  /** No barrier that waits can be passed: what watchers send in front of their answers is not taken any more. */
  fail(error: Error): void {
    for (const waiting of [...this.waiting.values()]) waiting.fail(error)
  }

  watcherLost(peer: Peer): void {
    for (const waiting of [...this.waiting.values()]) {
      if (!waiting.peers.has(peer)) continue
      waiting.silent.push(peer)
      this.leave(waiting, peer)
    }
  }

  private leave(waiting: Waiting, peer: Peer): void {
    waiting.peers.delete(peer)
    if (waiting.peers.size === 0) waiting.settle()
  }
}
