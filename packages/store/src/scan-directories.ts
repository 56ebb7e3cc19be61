import { InvalidInputError, KIND_STUB, NO_DIRECTORY, type NodeRef } from '@hotpath/model'

/** Numbers above are refused before a table of their size is allocated; ten million entries have a million directories. */
export const MAX_SCAN_DIRECTORY = 1 << 27

const UNKNOWN = 0
const STUB = 1
const ENTRY = 2

/**
 * The directories of a scan: the scan's own numbers → directory ids of the view, and where each is, so that a slice can
 * be given stubs for ancestors that other slices hold. About 60 bytes a directory; dropped when the scan ends.
 */
export class ScanDirectories {
  /** Ids 1 … count are taken. */
  count = 0
  private idOfNumber = new Uint32Array(1024)
  private parents = new Uint32Array(1024)
  private states = new Uint8Array(1024)
  private nameStarts = new Uint32Array(1024)
  private nameLengths = new Uint16Array(1024)
  private names = new Uint8Array(1 << 14)
  private namesEnd = 0
  private low = new Uint32Array(1024)
  private high = new Uint32Array(1024)
  private birth = new Uint32Array(1024)
  private listed = new Float64Array(1024).fill(Number.NaN)
  /** Slice (1 …) that holds a row of the directory last. */
  private inSlice = new Uint16Array(1024)
  /** Slice (1 …) in which the directory first had a child. */
  private firstChildSlice = new Uint16Array(1024)
  /** Open addressing over ids of entries that have a ref. */
  private refTable = new Uint32Array(2048)
  private refCount = 0

  /** Directory id of a scan's number, or NO_DIRECTORY. */
  idOf(number: number): number {
    return number < this.idOfNumber.length ? this.idOfNumber[number] : NO_DIRECTORY
  }

  /** From now on `number` stands for the directory `id`. */
  alias(number: number, id: number): void {
    this.reserveNumber(number)
    this.idOfNumber[number] = id
  }

  /** Id for a number that may be new. @throws InvalidInputError */
  intern(number: number): number {
    this.reserveNumber(number)
    let id = this.idOfNumber[number]
    if (id === NO_DIRECTORY) {
      id = ++this.count
      if (id >= this.parents.length) this.grow()
      this.idOfNumber[number] = id
    }
    return id
  }

  /** Notes a row of the directory; an entry is never made a stub again. */
  define(id: number, parent: number, kind: number, names: Uint8Array, from: number, to: number): void {
    const state = (kind & KIND_STUB) !== 0 ? STUB : ENTRY
    if (this.states[id] === ENTRY && state === STUB) return
    this.parents[id] = parent
    if (this.states[id] === UNKNOWN) {
      if (this.namesEnd + to - from > this.names.length) {
        const larger = new Uint8Array(Math.max(this.namesEnd + to - from, this.names.length * 2))
        larger.set(this.names)
        this.names = larger
      }
      this.names.set(names.subarray(from, to), this.namesEnd)
      this.nameStarts[id] = this.namesEnd
      this.nameLengths[id] = to - from
      this.namesEnd += to - from
    }
    this.states[id] = state
  }

  isKnown(id: number): boolean {
    return this.states[id] !== UNKNOWN
  }

  /** Directories that are only implied. */
  hasImplied(): boolean {
    for (let id = 1; id <= this.count; id++) if (this.states[id] === STUB) return true
    return false
  }

  parentOf(id: number): number {
    return this.parents[id]
  }

  nameOf(id: number): Uint8Array {
    return this.names.subarray(this.nameStarts[id], this.nameStarts[id] + this.nameLengths[id])
  }

  refOf(id: number): NodeRef | undefined {
    const ref = { low: this.low[id], high: this.high[id], birth: this.birth[id] }
    return ref.low === 0 && ref.high === 0 && ref.birth === 0 ? undefined : ref
  }

  /** Sets the node of a directory. @returns the other directory that was last said to be this node, or NO_DIRECTORY */
  setRef(id: number, ref: NodeRef): number {
    this.low[id] = ref.low
    this.high[id] = ref.high
    this.birth[id] = ref.birth
    if (this.refCount * 2 >= this.refTable.length) this.rehash()
    const at = this.refSlot(ref)
    const found = this.refTable[at]
    if (found === NO_DIRECTORY) this.refCount++
    this.refTable[at] = id
    return found === id ? NO_DIRECTORY : found
  }

  /** Makes `id` the directory that setRef reports for its node. */
  prefer(id: number): void {
    const ref = this.refOf(id)
    if (ref) this.refTable[this.refSlot(ref)] = id
  }

  /** Entries whose listing never began; none if the source tells no listing times. */
  unlisted(): number[] {
    const found: number[] = []
    let told = false
    for (let id = 1; id <= this.count; id++) {
      if (!Number.isNaN(this.listed[id])) told = true
      else if (this.states[id] === ENTRY) found.push(id)
    }
    return told ? found : []
  }

  setListed(id: number, time: number): void {
    this.listed[id] = time
  }

  /** Monotonic microseconds at which the listing began, NaN if it is not known. */
  listedAt(id: number): number {
    return id <= this.count ? this.listed[id] : Number.NaN
  }

  isInSlice(id: number, slice: number): boolean {
    return this.inSlice[id] === slice
  }

  putInSlice(id: number, slice: number): void {
    this.inSlice[id] = slice
  }

  /** Notes that the directory has a child in `slice`. @returns the first slice in which it had one */
  childIn(id: number, slice: number): number {
    if (this.firstChildSlice[id] === 0) this.firstChildSlice[id] = slice
    return this.firstChildSlice[id]
  }

  private reserveNumber(number: number): void {
    if (!(number >= 1 && number <= MAX_SCAN_DIRECTORY)) {
      throw new InvalidInputError('directory number', `1 … ${MAX_SCAN_DIRECTORY}`, `${number}`)
    }
    if (number < this.idOfNumber.length) return
    const larger = new Uint32Array(Math.max(number + 1, this.idOfNumber.length * 2))
    larger.set(this.idOfNumber)
    this.idOfNumber = larger
  }

  private refSlot(ref: NodeRef): number {
    const mask = this.refTable.length - 1
    let hash = Math.imul(ref.low, 0x9e3779b1) ^ Math.imul(ref.high, 0x85ebca6b) ^ Math.imul(ref.birth, 0xc2b2ae35)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    for (let at = (hash ^ (hash >>> 13)) & mask; ; at = (at + 1) & mask) {
      const id = this.refTable[at]
      if (id === NO_DIRECTORY) return at
      if (this.low[id] === ref.low && this.high[id] === ref.high && this.birth[id] === ref.birth) return at
    }
  }

  private rehash(): void {
    const old = this.refTable
    this.refTable = new Uint32Array(old.length * 2)
    for (const id of old) {
      const ref = id === NO_DIRECTORY ? undefined : this.refOf(id)
      if (ref) this.refTable[this.refSlot(ref)] = id
    }
  }

  private grow(): void {
    const length = this.parents.length * 2
    const copy = <T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(to: T, from: T): T => {
      to.set(from)
      return to
    }
    this.parents = copy(new Uint32Array(length), this.parents)
    this.states = copy(new Uint8Array(length), this.states)
    this.nameStarts = copy(new Uint32Array(length), this.nameStarts)
    this.nameLengths = copy(new Uint16Array(length), this.nameLengths)
    this.low = copy(new Uint32Array(length), this.low)
    this.high = copy(new Uint32Array(length), this.high)
    this.birth = copy(new Uint32Array(length), this.birth)
    this.listed = copy(new Float64Array(length).fill(Number.NaN), this.listed)
    this.inSlice = copy(new Uint16Array(length), this.inSlice)
    this.firstChildSlice = copy(new Uint16Array(length), this.firstChildSlice)
  }
}
