import type { WatchState } from '@hotpath/protocol'
import type { RootSetupOptions } from './root-setup-options.js'
import type { WatchedRoot } from './watched-root.js'

/** Characters of a reason: well below the 512 bytes of a message. */
const MAX_REASON = 160

/** In what state roots are, and who is told. */
export class RootStates {
  /** Of events, of all roots. */
  losses = 0

  constructor(private readonly options: Pick<RootSetupOptions, 'sink' | 'log'>) {}

  /** Everything of the root is followed now. */
  armed(root: WatchedRoot): void {
    this.#set(root, 'armed', root.reserve)
  }

  unwatched(root: WatchedRoot, reason: string): void {
    this.#set(root, 'unwatched', reason)
  }

  /** Events were lost: the state of whoever relied on them. */
  lost(root: WatchedRoot, reason: string): void {
    this.losses++
    this.#set(root, 'lost', reason)
  }

  tell(root: WatchedRoot): void {
    const { path } = root.spec
    const { state, mechanism, reason } = root.state
    this.options.log.info('watch', { root: path, state, mechanism, reason })
    this.options.sink.state(root.state)
  }

  #set(root: WatchedRoot, state: WatchState['state'], reason: string): void {
    const mechanism = state === 'unwatched' ? 'none' : (root.tree?.mechanism ?? 'none')
    const former = root.state
    root.state = {
      ...root.state,
      state,
      mechanism,
      reason: reason.slice(0, MAX_REASON),
      mounts: state === 'armed' ? root.followed : undefined,
      ...(state !== 'armed' && { journal: undefined }),
      ...(state === 'lost' && {
        term: former.term + 1,
        continuesSource: '',
        continuesTerm: 0,
        wholeUntil: root.wholeUntil,
      }),
    }
    // Failing as before is no news.
    if (former.state !== state || former.mechanism !== mechanism || former.reason !== root.state.reason) this.tell(root)
  }
}
