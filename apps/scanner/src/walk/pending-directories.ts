import type { IgnoreRules, IgnoreScope } from '../exclusion/ignore-scope.js'

/** Directories of one parent that were found and are still to be read. Compact: some 25 bytes each and the name. */
export interface PendingGroup {
  /** Path of the parent, relative to the root. */
  readonly parentPath: Uint8Array
  readonly names: Uint8Array
  /** Name i is names[offsets[i] … offsets[i + 1]). */
  readonly offsets: Uint32Array
  readonly numbers: Uint32Array
  readonly inodeLow: Uint32Array
  readonly inodeHigh: Uint32Array
  /** Of the directories: the same for all. */
  readonly device: number
  readonly salt: number
  /** What holds in the parent. */
  readonly scope: IgnoreScope | null
  /** The first `count` are left; they are taken from the end. */
  count: number
}

/** A group on its way to another thread. */
export interface DonatedGroup extends Omit<PendingGroup, 'scope'> {
  readonly rules: readonly IgnoreRules[]
}

/** Collects the directories of one parent. */
export class PendingGroupBuilder {
  #names = new Uint8Array(1024)
  #offsets = new Uint32Array(65)
  #numbers = new Uint32Array(64)
  #inodeLow = new Uint32Array(64)
  #inodeHigh = new Uint32Array(64)
  #count = 0

  get count(): number {
    return this.#count
  }

  add(names: Uint8Array, start: number, end: number, number: number, inodeLow: number, inodeHigh: number): void {
    const at = this.#count++
    if (at === this.#numbers.length) {
      this.#offsets = enlarged(this.#offsets, new Uint32Array(2 * at + 1))
      this.#numbers = enlarged(this.#numbers, new Uint32Array(2 * at))
      this.#inodeLow = enlarged(this.#inodeLow, new Uint32Array(2 * at))
      this.#inodeHigh = enlarged(this.#inodeHigh, new Uint32Array(2 * at))
    }
    const from = this.#offsets[at]!
    const to = from + end - start
    if (to > this.#names.length) this.#names = enlarged(this.#names, new Uint8Array(2 * to))
    for (let i = start, j = from; i < end; ) this.#names[j++] = names[i++]!
    this.#offsets[at + 1] = to
    this.#numbers[at] = number
    this.#inodeLow[at] = inodeLow
    this.#inodeHigh[at] = inodeHigh
  }

  /** What was added, as a group of its own; begins a new one. */
  take(parentPath: Uint8Array, device: number, salt: number, scope: IgnoreScope | null): PendingGroup {
    const count = this.#count
    this.#count = 0
    return {
      parentPath,
      names: this.#names.slice(0, this.#offsets[count]!),
      offsets: this.#offsets.slice(0, count + 1),
      numbers: this.#numbers.slice(0, count),
      inodeLow: this.#inodeLow.slice(0, count),
      inodeHigh: this.#inodeHigh.slice(0, count),
      device,
      salt,
      scope,
      count,
    }
  }
}

/** A group of one directory. */
export function groupOfOne(
  parentPath: Uint8Array,
  name: Uint8Array,
  number: number,
  inodeLow: number,
  inodeHigh: number,
  device: number,
  salt: number,
  scope: IgnoreScope | null,
): PendingGroup {
  const builder = new PendingGroupBuilder()
  builder.add(name, 0, name.length, number, inodeLow, inodeHigh)
  return builder.take(parentPath, device, salt, scope)
}

/** Path of a directory of a group, relative to the root. */
export function pathInGroup(group: PendingGroup, index: number): Uint8Array {
  const { parentPath, names, offsets } = group
  return joinPath(parentPath, names.subarray(offsets[index]!, offsets[index + 1]!))
}

/** A path relative to the root from that of the directory (empty: the root) and a name; a copy. */
export function joinPath(directory: Uint8Array, name: Uint8Array): Uint8Array {
  if (directory.length === 0) return name.slice()
  const path = new Uint8Array(directory.length + 1 + name.length)
  path.set(directory)
  path[directory.length] = 0x2f
  path.set(name, directory.length + 1)
  return path
}

/** Splits off the first half of what is left of a group, at least one; the group keeps the rest, perhaps nothing. */
export function splitGroup(group: PendingGroup): { given: PendingGroup; kept: PendingGroup } {
  const middle = Math.ceil(group.count / 2)
  const part = (from: number, to: number): PendingGroup => ({
    ...group,
    names: group.names.slice(group.offsets[from]!, group.offsets[to]!),
    offsets: group.offsets.slice(from, to + 1).map(offset => offset - group.offsets[from]!),
    numbers: group.numbers.slice(from, to),
    inodeLow: group.inodeLow.slice(from, to),
    inodeHigh: group.inodeHigh.slice(from, to),
    count: to - from,
  })
  return { given: part(0, middle), kept: part(middle, group.count) }
}

/** The directories of a group with these indexes, in this order. */
export function pickFromGroup(group: PendingGroup, indexes: Uint32Array): PendingGroup {
  const offsets = new Uint32Array(indexes.length + 1)
  for (const [to, from] of indexes.entries())
    offsets[to + 1] = offsets[to]! + group.offsets[from + 1]! - group.offsets[from]!
  const names = new Uint8Array(offsets[indexes.length]!)
  for (const [to, from] of indexes.entries())
    names.set(group.names.subarray(group.offsets[from]!, group.offsets[from + 1]!), offsets[to]!)
  const pick = (column: Uint32Array) => indexes.map(from => column[from]!)
  return {
    ...group,
    names,
    offsets,
    numbers: pick(group.numbers),
    inodeLow: pick(group.inodeLow),
    inodeHigh: pick(group.inodeHigh),
    count: indexes.length,
  }
}

function enlarged<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
