import type { ManifestRoot } from '@hotpath/index-format'
import { InvalidInputError, type RootSpec } from '@hotpath/model'
import { Listeners } from './listeners.js'
import { RootState } from './root-state.js'
import type { RootPlace } from './store-types.js'

/**
 * The roots that the store knows, in the order in which they were added, and which of them must be scanned. In memory
 * only: who changes something here writes the manifest.
 */
export class Roots implements Iterable<RootState> {
  private readonly scanListeners = new Listeners<[root: string, reason: string]>()

  /** @param byId what opening found */
  constructor(private readonly byId = new Map<string, RootState>()) {}

  [Symbol.iterator](): Iterator<RootState> {
    return this.byId.values()
  }

  /** @throws InvalidInputError if there is none of this id */
  get(id: string): RootState {
    const root = this.byId.get(id)
    if (!root) throw new InvalidInputError('root', 'one that was added', JSON.stringify(id))
    return root
  }

  find(id: string): RootState | undefined {
    return this.byId.get(id)
  }

  /** The root of this id, or all. What happens to the roots meanwhile does not change the list. */
  select(id?: string): RootState[] {
    return id === undefined ? [...this] : [this.get(id)]
  }

  /**
   * @returns false: it was here before, and stays as it is
   * @throws InvalidInputError if the id is another root's
   */
  add(spec: RootSpec, { volume, prefix, virtualRoot }: RootPlace): boolean {
    const known = this.byId.get(spec.id)?.spec
    if (known === undefined) {
      this.byId.set(spec.id, new RootState(spec, volume, prefix, virtualRoot))
      return true
    }
    if (known.kind === spec.kind && known.path === spec.path) return false
    throw new InvalidInputError('root', `${known.kind} ${known.path} under this id`, `${spec.kind} ${spec.path}`)
  }

  /** The root is no longer found; jobs that know it see that it was removed. */
  remove(root: RootState): void {
    this.byId.delete(root.spec.id)
    root.removed = true
  }

  /** The root whose open scan has this epoch. */
  scannedBy(epoch: number): RootState | undefined {
    for (const root of this) if (root.scan?.epoch === epoch) return root
    return undefined
  }

  needScan(root: RootState, reason: string): void {
    root.scanReason = reason
    this.scanListeners.tell(root.spec.id, reason)
  }

  /** Called when a root comes to need a scan. */
  onScanNeeded(listener: (root: string, reason: string) => void): () => void {
    return this.scanListeners.add(listener)
  }

  /** First log file that each root's checkpoint needs. */
  replayFrom(): number[] {
    return [...this].flatMap(({ durable }) => (durable ? [durable.replayFrom] : []))
  }

  /** @param nowMs milliseconds since 1970 */
  toManifest(nowMs: number): ManifestRoot[] {
    return [...this].map(root => root.toManifest(nowMs))
  }
}
