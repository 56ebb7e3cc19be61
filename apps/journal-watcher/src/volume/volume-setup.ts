import type { RootSetupHost, RootSetupOptions } from '../root-setup-options.js'
import type { RootStates } from '../root-states.js'
import type { WatchedRoot } from '../watched-root.js'
import { followVolume } from './follow-volume.js'
import type { VolumeListener } from './volume-tree.js'

/** Sets up roots that are volumes: each is followed by its change journal, from where that is known on. */
export class VolumeSetup {
  readonly #options: RootSetupOptions
  readonly #host: Pick<RootSetupHost, 'woken' | 'workWaits'>
  readonly #states: RootStates

  constructor(options: RootSetupOptions, host: Pick<RootSetupHost, 'woken' | 'workWaits'>, states: RootStates) {
    this.#options = options
    this.#host = host
    this.#states = states
  }

  /** Tells in what state the root is; of one that cannot be continued first that events were lost. */
  setUp(root: WatchedRoot): void {
    const { spec, options, journal: known } = root
    const { excludes, journalPace } = this.#options
    const volume = {
      path: spec.path,
      excludes: [...new Set([...options.excludes, ...excludes])],
      known,
      streams: options.streams,
      pace: journalPace,
    }
    const followed = followVolume(volume, this.#listenerOf(root))
    root.journal = undefined
    const loss = typeof followed === 'string' ? known && followed : followed.loss
    if (loss !== undefined) this.#states.lost(root, loss)
    if (typeof followed === 'string') {
      this.#states.unwatched(root, followed)
      return
    }
    root.tree = followed.tree
    root.state = { ...root.state, journal: followed.tree.from }
    this.#states.armed(root)
    this.#host.workWaits()
  }

  #listenerOf(root: WatchedRoot): VolumeListener {
    const { sink } = this.#options
    return {
      emit: changes => sink.changes(root.spec.id, root.source, changes),
      hasRoom: () => sink.hasRoom,
      woken: () => this.#host.woken(),
      lost: reason => {
        root.lostReason ??= reason
        this.#host.workWaits()
      },
      lastSequence: () => sink.lastSequence?.(root.source) ?? 0,
      reached: (from, journal) => sink.journalReached?.({ root: root.spec.id, from, journal }),
    }
  }
}
