import { Kind } from '@hotpath/model'
import type { Entry } from '@hotpath/query'
import { bytesOfLatin1, NameTable } from './oracle-names.js'

/** A moment as filters and sorts see it; NaN seconds: unknown. */
export interface Moment {
  readonly seconds: number
  readonly ticks: number
}

export const UNKNOWN: Moment = { seconds: Number.NaN, ticks: 0 }

/** What is known of one entry; a size of NaN is unknown. */
export interface EntryFacts {
  readonly kind: Kind
  readonly size: number
  readonly modified: Moment
  readonly created: Moment
  readonly accessed: Moment
  readonly changed: Moment
  readonly attributes: number
}

/** The place above first components. */
export const NO_PLACE = -1
/** More names than any source of these tests has: (place, name) in one number that a double holds exactly. */
const MAX_NAMES = 2 ** 26

/**
 * The truth about a source: its entries as a plain tree of names. A *place* is a directory, or a path that is only implied
 * by what lies below it. Paths are latin1 strings: one character a byte.
 */
export class EntryTable {
  readonly names = new NameTable()
  /** Place above each place (or NO_PLACE), and its name. A place has a greater number than the one above it. */
  readonly placeParent: number[] = []
  readonly placeName: number[] = []
  /** Place that holds each entry (or NO_PLACE), its name, and what is known of it. */
  readonly parent: number[] = []
  readonly name: number[] = []
  readonly facts: EntryFacts[] = []
  /** Id of the volume, where it is known. */
  volume = ''

  private readonly nameBytes = new Map<string, Uint8Array>()
  private readonly placeNumbers = new Map<number, number>()
  private readonly placesByPath = new Map<string, number>()
  private readonly entryNumbers = new Map<number, number>()

  get count(): number {
    return this.parent.length
  }

  /** Adds an entry, or replaces what is known of the one with this path. */
  set(path: string, facts: EntryFacts): void {
    const { directory, name: raw } = splitPath(path)
    const parent = directory === undefined ? NO_PLACE : this.makePlace(directory)
    const name = this.names.numberOf(raw)
    const key = childKey(parent, name)
    const known = this.entryNumbers.get(key)
    if (known !== undefined) {
      this.facts[known] = facts
      return
    }
    this.entryNumbers.set(key, this.count)
    this.parent.push(parent)
    this.name.push(name)
    this.facts.push(facts)
  }

  /** Number of the entry with this path. */
  find(path: string): number | undefined {
    const { directory, name: raw } = splitPath(path)
    const parent = directory === undefined ? NO_PLACE : this.placesByPath.get(directory)
    const name = this.names.find(raw)
    return parent === undefined || name === undefined ? undefined : this.entryNumbers.get(childKey(parent, name))
  }

  pathOf(entry: number): string {
    return joined(this.componentsOf(entry))
  }

  pathOfPlace(place: number): string {
    return joined(this.componentsOfPlace(place))
  }

  /** Bytes of a name, made once: a million entries share those of their directories. */
  private bytesOf(name: string): Uint8Array {
    let bytes = this.nameBytes.get(name)
    if (bytes === undefined) {
      bytes = bytesOfLatin1(name)
      this.nameBytes.set(name, bytes)
    }
    return bytes
  }

  /** The entry as the naive matcher and the naive orders take it. */
  entry(entry: number): Entry {
    return {
      components: this.componentsOf(entry).map(name => this.bytesOf(name)),
      ...this.facts[entry]!,
      volume: this.volume,
    }
  }

  /** The place that an entry is; undefined if nothing lies in it. */
  placeOf(entry: number): number | undefined {
    return this.placeNumbers.get(childKey(this.parent[entry]!, this.name[entry]!))
  }

  /** True if the place that holds an entry is an entry. */
  hasParent(entry: number): boolean {
    const place = this.parent[entry]!
    if (place === NO_PLACE) return false
    const above = this.entryNumbers.get(childKey(this.placeParent[place]!, this.placeName[place]!))
    return above !== undefined && this.isDirectory(above)
  }

  isDirectory(entry: number): boolean {
    return this.facts[entry]!.kind === Kind.directory
  }

  /** Bytes that filters and sorts go by. */
  sizeOf(entry: number): number {
    return this.isDirectory(entry) ? 0 : this.facts[entry]!.size
  }

  private componentsOf(entry: number): string[] {
    return [...this.componentsOfPlace(this.parent[entry]!), this.names.raw[this.name[entry]!]!]
  }

  private componentsOfPlace(place: number): string[] {
    const components: string[] = []
    for (let at = place; at !== NO_PLACE; at = this.placeParent[at]!)
      components.push(this.names.raw[this.placeName[at]!]!)
    return components.reverse()
  }

  /** `path` is a directory as `splitPath` cuts it off: that of `/` is empty. */
  private makePlace(path: string): number {
    const known = this.placesByPath.get(path)
    if (known !== undefined) return known
    const slash = path.lastIndexOf('/')
    const parent = slash < 0 ? NO_PLACE : this.makePlace(path.slice(0, slash))
    const name = this.names.numberOf(path.slice(slash + 1))
    const key = childKey(parent, name)
    const place = this.placeNumbers.get(key) ?? this.placeParent.length
    if (place === this.placeParent.length) {
      this.placeNumbers.set(key, place)
      this.placeParent.push(parent)
      this.placeName.push(name)
    }
    this.placesByPath.set(path, place)
    return place
  }
}

function splitPath(path: string): { directory: string | undefined; name: string } {
  if (path === '/') return { directory: undefined, name: '' }
  const slash = path.lastIndexOf('/')
  return { directory: slash < 0 ? undefined : path.slice(0, slash), name: path.slice(slash + 1) }
}

function joined(components: readonly string[]): string {
  return components.length === 1 && components[0] === '' ? '/' : components.join('/')
}

function childKey(parent: number, name: number): number {
  return (parent + 1) * MAX_NAMES + name
}
