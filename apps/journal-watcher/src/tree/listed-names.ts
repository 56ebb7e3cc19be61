import { keyOf as dictionaryKeyOf } from '@hotpath/index-format'
import { bytesOfKey, keyOf } from './paths.js'

/** Some names of a directory: all from `from` on (empty: from the first) and before `before` (empty: to the last). */
export interface NamesPart {
  readonly from: Uint8Array
  readonly before: Uint8Array
  readonly names: readonly Uint8Array[]
}

/** Stands before the name in what is sorted; no name and no key has this character. */
const SEPARATOR = '\0'

/**
 * The names of one directory, given out in parts that follow each other in dictionary order without a gap. Names that are
 * looked at meanwhile are taken in, so a part holds every name of its range that anybody was told of.
 *
 * Memory, estimated: 70 bytes and twice the name for each name that was not given out. Cost: a sort, of 300,000 names 0.9 s on a
 * busy machine.
 */
export class ListedNames {
  /** Key, separator and name, one character a byte: sorted as text they are in dictionary order. */
  #sorted: string[] = []
  /** Of the first one that was not given out. */
  #next = 0
  /** Where the next part begins. */
  #from = ''
  readonly #late = new Set<string>()
  #isDone = false

  /**
   * @param partNames names of a part
   * @param maxNames names that are kept at most
   */
  constructor(
    private readonly partNames: number,
    private readonly maxNames: number,
  ) {}

  /** The last part was given out. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Adds a name before the first part is taken; false if there are too many. */
  add(name: Uint8Array): boolean {
    this.#sorted.push(sortable(name))
    return this.#sorted.length <= this.maxNames
  }

  /** Call it when all names were added. */
  sort(): void {
    this.#sorted.sort()
  }

  /** Takes in a name that was looked at since; false if there are too many. */
  note(name: Uint8Array): boolean {
    const text = sortable(name)
    if (text >= this.#from) this.#late.add(text)
    return this.#sorted.length - this.#next + this.#late.size <= this.maxNames
  }

  next(): NamesPart {
    if (this.#late.size > 0) this.#takeIn()
    const sorted = this.#sorted
    const end = Math.min(this.#next + this.partNames, sorted.length)
    const names = sorted.slice(this.#next, end).map(nameIn)
    const from = this.#from
    this.#next = end
    this.#isDone = end === sorted.length
    this.#from = sorted[end] ?? ''
    return { from: nameIn(from), before: nameIn(this.#from), names }
  }

  #takeIn(): void {
    const late = [...this.#late].sort()
    this.#late.clear()
    const merged: string[] = []
    let at = 0
    for (let next = this.#next; next < this.#sorted.length; next++) {
      const name = this.#sorted[next]!
      while (at < late.length && late[at]! < name) merged.push(late[at++]!)
      if (late[at] === name) at++
      merged.push(name)
    }
    while (at < late.length) merged.push(late[at++]!)
    this.#sorted = merged
    this.#next = 0
  }
}

function sortable(name: Uint8Array): string {
  return keyOf(dictionaryKeyOf(name)) + SEPARATOR + keyOf(name)
}

function nameIn(text: string): Uint8Array {
  return bytesOfKey(text.slice(text.indexOf(SEPARATOR) + 1))
}
