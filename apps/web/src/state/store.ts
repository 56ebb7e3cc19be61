import { useSyncExternalStore } from 'react'

/** Something that changes outside of React: components read its members and are drawn again when it says so. */
export class Store {
  private readonly listeners = new Set<() => void>()
  private count = 0

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** Another number after each change. */
  readonly version = (): number => this.count

  protected changed(): void {
    this.count++
    for (const listener of this.listeners) listener()
  }
}

export function useStore<S extends Store>(store: S): S {
  useSyncExternalStore(store.subscribe, store.version)
  return store
}
