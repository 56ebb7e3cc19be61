import type { BarrierDone, Peer } from '@hotpath/protocol'

/** A watcher that does not answer in this time does not hold up the clock; its roots are named as not covered. */
const TIMEOUT_MS = 5_000

interface Waiting {
  readonly peers: Set<Peer>
  readonly uncovered: Set<string>
  settle(): void
}

/** Barriers: every watcher empties its kernel queue, and its batches arrive before it says so. */
export class Barriers {
  private readonly waiting = new Map<number, Waiting>()
  private next = 1

  /**
   * @param ask sends the barrier to a watcher
   * @returns roots whose changes may be missing, named by the watchers
   */
  async pass(watchers: readonly Peer[], ask: (peer: Peer, id: number) => void): Promise<Set<string>> {
    const uncovered = new Set<string>()
    if (watchers.length === 0) return uncovered
    const id = this.next++
    await new Promise<void>(resolve => {
      const timer = setTimeout(() => finish(), TIMEOUT_MS)
      const finish = (): void => {
        clearTimeout(timer)
        this.waiting.delete(id)
        resolve()
      }
      this.waiting.set(id, { peers: new Set(watchers), uncovered, settle: finish })
      for (const peer of watchers) ask(peer, id)
    })
    return uncovered
  }

  done(peer: Peer, done: BarrierDone): void {
    const waiting = this.waiting.get(done.id)
    if (waiting === undefined) return
    for (const root of done.unwatchedRoots) waiting.uncovered.add(root)
    this.leave(waiting, peer)
  }

  watcherLost(peer: Peer): void {
    for (const waiting of [...this.waiting.values()]) this.leave(waiting, peer)
  }

  private leave(waiting: Waiting, peer: Peer): void {
    waiting.peers.delete(peer)
    if (waiting.peers.size === 0) waiting.settle()
  }
}
