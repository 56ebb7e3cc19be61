import { Store } from './store.js'

/** Storage may be forbidden or full: then what is kept lasts as long as the page. */
function read(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null')
  } catch {
    return null
  }
}

/** A value that outlives the page. What another version, window or hand has left there is checked before it is believed. */
export class Kept<T> extends Store {
  private value: T
  private readonly key: string

  /** @param checked the value behind what was stored, or undefined if it is none */
  constructor(
    name: string,
    private readonly checked: (stored: unknown) => T | undefined,
    private readonly otherwise: T,
  ) {
    super()
    this.key = `hotpath.${name}`
    this.value = checked(read(this.key)) ?? otherwise
    addEventListener('storage', event => {
      if (event.key !== this.key) return
      this.value = this.checked(read(this.key)) ?? this.otherwise
      this.changed()
    })
  }

  get current(): T {
    return this.value
  }

  set(value: T): void {
    this.value = value
    try {
      localStorage.setItem(this.key, JSON.stringify(value))
    } catch {
      // Kept for this page alone.
    }
    this.changed()
  }

  clear(): void {
    this.value = this.otherwise
    try {
      localStorage.removeItem(this.key)
    } catch {
      // There was nothing.
    }
    this.changed()
  }
}
