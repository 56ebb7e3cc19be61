import { InvalidInputError, NO_DIRECTORY } from '@hotpath/model'
import type { BuildKernels } from './build-kernels.js'
import { copyOfNames, type EncodedNames } from './encoded-names.js'
import { IdTable } from './id-table.js'
import { NameInterner } from './name-set.js'
import type { DirectoryPlace, MergeInput } from './segment-merge.js'
import { orderTree } from './tree-order.js'

/** In place of an input: no input has the directory. */
export const NO_INPUT = 0xffffffff

/** Directories of a merge, in preorder. */
export interface MergedTree {
  readonly count: number
  readonly dirIds: Uint32Array
  readonly parents: Uint32Array
  readonly ends: Uint32Array
  readonly stubs: Uint8Array
  readonly names: EncodedNames
  readonly nameIds: Uint32Array
  /** Input and local row whose columns each row takes, and for rows that are no stubs the entry that it is. */
  readonly inputs: Uint32Array
  readonly locals: Uint32Array
  /** Row of a directory id, -1 if nothing in the merge needs it. Valid in the scope of the call of `mergeTree`. */
  rowOf(dirId: number): number
}

/**
 * The directories that live entries of the inputs are or need, each once, where it is now. Everything but `rowOf` stays valid when the
 * kernels' scope ends: what the search takes goes with it.
 */
export function mergeTree(
  inputs: readonly MergeInput[],
  resolveDirectory: (dirId: number) => DirectoryPlace | undefined,
  kernels: BuildKernels,
): MergedTree {
  const chosen = new ChosenDirectories(inputs, resolveDirectory, kernels)
  for (const { reader, isDead } of inputs) {
    for (let local = 0; local < reader.dirCount; local++) {
      let needed = !reader.isStub(local) && !isDead(local)
      const last = reader.firstFile(local + 1)
      for (let file = reader.firstFile(local); file < last && !needed; file++) needed = !isDead(reader.dirCount + file)
      if (needed) chosen.need(reader.dirIdOf(local))
    }
  }
  if (chosen.count === 0) chosen.need(inputs[0].reader.dirIdOf(0))
  return chosen.inOrder()
}

/** The newest live row of each directory id, and if there is none the newest row: input and local row of each. */
class DirectoryRows {
  private readonly slots: IdTable
  private readonly inputs: Uint32Array
  private readonly locals: Uint32Array
  private readonly live: Uint32Array

  constructor(inputs: readonly MergeInput[], kernels: BuildKernels) {
    let total = 0
    for (const { reader } of inputs) total += reader.dirCount
    this.slots = new IdTable(total, kernels.words)
    this.inputs = kernels.words(total)
    this.locals = kernels.words(total)
    this.live = kernels.words(total)
    for (let input = inputs.length - 1; input >= 0; input--) {
      const { reader, isDead } = inputs[input]
      for (let local = 0; local < reader.dirCount; local++) {
        const live = !reader.isStub(local) && !isDead(local)
        const id = reader.dirIdOf(local)
        let slot = this.slots.get(id)
        if (slot >= 0 && (this.live[slot] === 1 || !live)) continue
        if (slot < 0) {
          slot = this.slots.size
          this.slots.set(id, slot)
        }
        this.inputs[slot] = input
        this.locals[slot] = local
        this.live[slot] = live ? 1 : 0
      }
    }
  }

  /** Directories. */
  get size(): number {
    return this.slots.size
  }

  /** Number of a directory, -1 if no input has it. */
  find(dirId: number): number {
    return this.slots.get(dirId)
  }

  inputOf(slot: number): number {
    return this.inputs[slot]
  }

  localOf(slot: number): number {
    return this.locals[slot]
  }

  isLive(slot: number): boolean {
    return this.live[slot] === 1
  }
}

/** Directories in the order in which they were found to be needed: a slot each. */
class ChosenDirectories {
  count = 0
  private readonly slots: IdTable
  private readonly interner: NameInterner
  private readonly rows: DirectoryRows
  /** For each input and name: interned number plus one, 0 as long as it is not known. */
  private readonly numbers: readonly Uint32Array[]
  private ids: Uint32Array
  private parentIds: Uint32Array
  private names: Uint32Array
  private fromInputs: Uint32Array
  private fromLocals: Uint32Array
  private stubs: Uint8Array

  constructor(
    private readonly inputs: readonly MergeInput[],
    private readonly resolveDirectory: (dirId: number) => DirectoryPlace | undefined,
    private readonly kernels: BuildKernels,
  ) {
    this.rows = new DirectoryRows(inputs, kernels)
    // Arrays that grow leave the smaller ones to the collector, which is in no hurry.
    const limit = this.rows.size + 1
    this.slots = new IdTable(limit, kernels.words)
    this.numbers = inputs.map(({ reader }) => new Uint32Array(reader.dirs.nameCount))
    this.interner = new NameInterner(limit >>> 2)
    this.ids = kernels.words(limit)
    this.parentIds = kernels.words(limit)
    this.names = kernels.words(limit)
    this.fromInputs = kernels.words(limit)
    this.fromLocals = kernels.words(limit)
    this.stubs = new Uint8Array(limit)
  }

  /** Takes in a directory and its ancestors. */
  need(dirId: number): void {
    for (let id = dirId; id !== NO_DIRECTORY && this.slots.get(id) < 0; ) id = this.choose(id)
  }

  /** Adds a directory: its live row, or a stub in its current place. @returns id of the parent */
  private choose(dirId: number): number {
    const { rows } = this
    const row = rows.find(dirId)
    if (row >= 0 && rows.isLive(row)) return this.addRow(dirId, rows.inputOf(row), rows.localOf(row), 0)
    const place = this.resolveDirectory(dirId)
    if (place !== undefined) {
      const name = this.interner.intern(place.name, 0, place.name.length)
      const [input, local] = row < 0 ? [NO_INPUT, 0] : [rows.inputOf(row), rows.localOf(row)]
      return this.add(dirId, place.parentId, name, input, local, 1)
    }
    if (row < 0) throw new InvalidInputError('merged directories', `a place of directory ${dirId}`, 'none')
    return this.addRow(dirId, rows.inputOf(row), rows.localOf(row), 1)
  }

  /** Adds a directory as an input's row has it. */
  private addRow(dirId: number, input: number, local: number, stub: number): number {
    const { reader } = this.inputs[input]
    const parent = reader.parentOf(local)
    const name = this.internName(input, reader.dirs.nameIdOf(local))
    return this.add(dirId, parent < 0 ? NO_DIRECTORY : reader.dirIdOf(parent), name, input, local, stub)
  }

  /** Interned number of a name of an input; each is decoded once. */
  private internName(input: number, nameId: number): number {
    const known = this.numbers[input]
    if (known[nameId] === 0) {
      const cursor = this.inputs[input].reader.dirs.seek(nameId)
      known[nameId] = this.interner.intern(cursor.name, 0, cursor.nameLength) + 1
    }
    return known[nameId] - 1
  }

  private add(dirId: number, parentId: number, name: number, input: number, local: number, stub: number): number {
    if (parentId === dirId) throw new InvalidInputError(`directory ${dirId}`, 'a parent', 'itself')
    const slot = this.count++
    if (slot === this.ids.length) this.grow()
    this.slots.set(dirId, slot)
    this.ids[slot] = dirId
    this.parentIds[slot] = parentId
    this.names[slot] = name
    this.fromInputs[slot] = input
    this.fromLocals[slot] = local
    this.stubs[slot] = stub
    return parentId
  }

  private grow(): void {
    const larger = (array: Uint32Array): Uint32Array => {
      const copy = this.kernels.words(array.length * 2)
      copy.set(array)
      return copy
    }
    this.ids = larger(this.ids)
    this.parentIds = larger(this.parentIds)
    this.names = larger(this.names)
    this.fromInputs = larger(this.fromInputs)
    this.fromLocals = larger(this.fromLocals)
    const stubs = new Uint8Array(this.ids.length)
    stubs.set(this.stubs)
    this.stubs = stubs
  }

  inOrder(): MergedTree {
    const { count, slots } = this
    const { names, rank } = this.kernels.sortNames(this.interner, this.interner.count)
    const ranks = this.names.subarray(0, count).map(name => rank[name])
    const parentSlots = new Uint32Array(count)
    for (let slot = 0; slot < count; slot++) {
      const parent = this.parentIds[slot]
      parentSlots[slot] = parent === NO_DIRECTORY ? slot : slots.get(parent)
    }
    const order = orderTree(parentSlots, ranks, names.count)
    const inRows = (values: Uint32Array): Uint32Array => order.slotOfRow.map(slot => values[slot])
    return {
      count,
      dirIds: inRows(this.ids),
      parents: order.parents,
      ends: order.ends,
      stubs: Uint8Array.from(order.slotOfRow, slot => this.stubs[slot]),
      names: copyOfNames(names),
      nameIds: inRows(ranks),
      inputs: inRows(this.fromInputs),
      locals: inRows(this.fromLocals),
      rowOf: dirId => {
        const slot = slots.get(dirId)
        return slot < 0 ? -1 : order.rowOfSlot[slot]
      },
    }
  }
}
