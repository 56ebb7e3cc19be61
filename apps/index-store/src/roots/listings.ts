import type { Peer } from '@hotpath/protocol'
import type { ListRequest, Store } from '@hotpath/store'
import { listCommand } from './list-command.js'
import type { Sources } from './sources.js'

/** Barriers of one settling: each finds the listings that the one before has made known. */
const MAX_ROUNDS = 16

/** What the store wants to have listed, and when that is done. */
export class Listings {
  constructor(
    private readonly store: Pick<Store, 'directories' | 'listRequests'>,
    private readonly sources: Pick<Sources, 'watchers' | 'commandList' | 'passBarrier'>,
  ) {}

  /** Directories of a root whose contents nobody has told. */
  missing(root: string): ListRequest[] {
    return this.store.directories(root) ? this.store.listRequests(root) : []
  }

  /** Tells watchers to list directories. */
  ask(root: string, requests: readonly ListRequest[]): void {
    if (requests.length === 0) return
    const command = listCommand(root, requests)
    for (const peer of this.sources.watchers()) this.sources.commandList(peer, command)
  }

  /**
   * Resolves when all that happened to a root is in the index, with the contents of what came; to false if nobody knows.
   *
   * @param watcher who follows the root now
   */
  async settle(root: string, watcher: () => Peer | undefined): Promise<boolean> {
    let former = ''
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const peer = watcher()
      if (!peer || !(await this.sources.passBarrier(peer, root))) return false
      const requests = this.missing(root)
      const asked = JSON.stringify(requests.map(({ ref }) => ref))
      // What the watcher cannot list, it never will.
      if (requests.length === 0 || asked === former) return true
      former = asked
      this.ask(root, requests)
    }
    return true
  }
}
