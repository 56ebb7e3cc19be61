import { InvalidInputError, NO_DIRECTORY } from '@hotpath/model'
import type { DictionaryReader } from './dictionary-reader.js'
import { makeKeys, NameInterner, type NameSet, sortNames } from './name-set.js'
import { NamesBlockCursor } from './names-block.js'
import type { SegmentSink } from './section-writer.js'
import { BLOCK_NAMES, type Table } from './segment-layout.js'
import type { SegmentReader } from './segment-reader.js'
import type { NumberColumn, SegmentSpec } from './segment-spec.js'
import { type SegmentStats, writeSegment } from './segment-writer.js'
import { orderTree } from './tree-order.js'

export interface MergeInput {
  readonly reader: SegmentReader
  /** True for tombstoned entries. */
  isDead(entry: number): boolean
}

/** Where a directory is now. */
export interface DirectoryPlace {
  readonly parentId: number
  readonly name: Uint8Array
}

export interface MergeResult extends SegmentStats {
  /** For each input: new entry id of each old one, NOT_MERGED if it is not in the result. */
  readonly mapping: Uint32Array[]
}

export const NOT_MERGED = 0xffffffff

/** Row of a directory: input × row, or a stub that no input's live row describes. */
interface DirectoryChoice {
  readonly parentId: number
  readonly name: Uint8Array
  /** Input and local row whose columns are taken; -1: none. */
  readonly input: number
  readonly local: number
  readonly stub: boolean
}

/**
 * Merges segments of one view into one: live entries, and a row for each of their ancestors. Directories that moved are
 * put where they are now.
 *
 * @param inputs oldest first; of live entries with the same (directory, name) the newest wins
 * @param resolveDirectory current place of a directory whose live entry is in none of the inputs (in the delta, in
 *   another segment, or nowhere because a list only implies it); undefined: as the newest input's stub says
 * Cost: streams dictionaries and columns; memory about 30 bytes an entry plus the distinct names.
 */
export function mergeSegments(
  inputs: readonly MergeInput[],
  resolveDirectory: (dirId: number) => DirectoryPlace | undefined,
  sink: SegmentSink,
): MergeResult {
  const tree = mergeTree(inputs, resolveDirectory)
  const names = mergeFileNames(inputs)
  const mapping = inputs.map(input => new Uint32Array(input.reader.rowCount).fill(NOT_MERGED))
  const files = placeFiles(inputs, tree, names.newIds, mapping)
  tree.choices.forEach((choice, row) => {
    if (choice.input >= 0 && !choice.stub) mapping[choice.input][choice.local] = row
  })
  const spec: SegmentSpec = {
    dirCount: tree.choices.length,
    fileCount: files.count,
    dirIds: tree.dirIds,
    dirParents: tree.parents,
    dirEnds: tree.ends,
    dirFirstFiles: files.firstFiles,
    stubs: tree.stubs,
    dirNames: tree.names,
    dirNameIds: tree.nameIds,
    fileNames: names.set,
    fileNameIds: files.nameIds,
    fill: (table, column, out) => fillMerged(inputs, tree.choices, files, table, column, out),
  }
  return { ...writeSegment(spec, sink), mapping }
}

interface MergedTree {
  /** In preorder. */
  readonly choices: DirectoryChoice[]
  readonly dirIds: Uint32Array
  readonly parents: Uint32Array
  readonly ends: Uint32Array
  readonly stubs: Uint8Array
  readonly names: NameSet
  readonly nameIds: Uint32Array
  rowOf(dirId: number): number
}

function mergeTree(
  inputs: readonly MergeInput[],
  resolveDirectory: (dirId: number) => DirectoryPlace | undefined,
): MergedTree {
  const choices = new Map<number, DirectoryChoice>()
  const choiceOf = (dirId: number): DirectoryChoice => {
    let choice = choices.get(dirId)
    if (choice === undefined) {
      choice = chooseDirectory(inputs, dirId, resolveDirectory)
      choices.set(dirId, choice)
    }
    return choice
  }
  const need = (dirId: number): void => {
    for (let id = dirId; id !== NO_DIRECTORY && !choices.has(id); ) id = choiceOf(id).parentId
  }
  inputs.forEach(({ reader, isDead }) => {
    for (let local = 0; local < reader.dirCount; local++) {
      if (!reader.isStub(local) && !isDead(local)) need(reader.dirIdOf(local))
      else {
        const last = reader.firstFile(local + 1)
        for (let file = reader.firstFile(local); file < last; file++) {
          if (!isDead(reader.dirCount + file)) {
            need(reader.dirIdOf(local))
            break
          }
        }
      }
    }
  })
  if (choices.size === 0) need(inputs[0].reader.dirIdOf(0))

  const slots = [...choices]
  const slotOf = new Map<number, number>()
  slots.forEach(([dirId], slot) => {
    slotOf.set(dirId, slot)
  })
  const interner = new NameInterner(slots.length)
  const interned = Uint32Array.from(slots, ([, choice]) => interner.intern(choice.name, 0, choice.name.length))
  const { set, rank } = sortNames(interner)
  const slotRank = interned.map(name => rank[name])
  const parentSlot = Uint32Array.from(slots, ([, choice], slot) => {
    if (choice.parentId === NO_DIRECTORY) return slot
    const parent = slotOf.get(choice.parentId)
    if (parent === undefined) throw new InvalidInputError('merged directories', `directory ${choice.parentId}`, 'none')
    return parent
  })
  const order = orderTree(parentSlot, slotRank, set.count)
  return {
    choices: Array.from(order.slotOfRow, slot => slots[slot][1]),
    dirIds: order.slotOfRow.map(slot => slots[slot][0]),
    parents: order.parents,
    ends: order.ends,
    stubs: Uint8Array.from(order.slotOfRow, slot => (slots[slot][1].stub ? 1 : 0)),
    names: set,
    nameIds: order.slotOfRow.map(slot => slotRank[slot]),
    rowOf: dirId => {
      const slot = slotOf.get(dirId)
      return slot === undefined ? -1 : order.rowOfSlot[slot]
    },
  }
}

/** The live entry row of a directory, or a stub in its current place with an input's columns where there are any. */
function chooseDirectory(
  inputs: readonly MergeInput[],
  dirId: number,
  resolveDirectory: (dirId: number) => DirectoryPlace | undefined,
): DirectoryChoice {
  let fallback: DirectoryChoice | undefined
  for (let input = inputs.length - 1; input >= 0; input--) {
    const { reader, isDead } = inputs[input]
    const local = reader.findDir(dirId)
    if (local < 0) continue
    const parent = reader.parentOf(local)
    const stub = reader.isStub(local) || isDead(local)
    const choice = {
      parentId: parent < 0 ? NO_DIRECTORY : reader.dirIdOf(parent),
      name: reader.nameOf(local),
      input,
      local,
      stub,
    }
    if (!stub) return choice
    fallback ??= choice
  }
  const place = resolveDirectory(dirId)
  if (place !== undefined) {
    return { ...place, input: fallback?.input ?? -1, local: fallback?.local ?? -1, stub: true }
  }
  if (fallback === undefined) throw new InvalidInputError('merged directories', `a place of directory ${dirId}`, 'none')
  return fallback
}

/** Merges the file dictionaries, keeping names with live files. `newIds[input][old]` = new name id. */
function mergeFileNames(inputs: readonly MergeInput[]): { set: NameSet; newIds: Uint32Array[] } {
  const used = inputs.map(({ reader, isDead }) => {
    const names = new Uint8Array(reader.files.nameCount)
    for (let file = 0; file < reader.fileCount; file++) {
      if (!isDead(reader.dirCount + file)) names[reader.files.nameIdOf(file)] = 1
    }
    return names
  })
  const newIds = inputs.map(({ reader }) => new Uint32Array(reader.files.nameCount))
  const walkers = inputs.map(({ reader }, i) => new NameWalker(reader, reader.files, used[i]))
  let bytes = new Uint8Array(1 << 16)
  let offsets = new Uint32Array(1 << 12)
  let count = 0
  for (;;) {
    let best = -1
    for (let i = 0; i < walkers.length; i++) {
      if (!walkers[i].done && (best < 0 || walkers[i].compare(walkers[best]) < 0)) best = i
    }
    if (best < 0) break
    const { cursor } = walkers[best]
    const start = offsets[count]
    if (start + cursor.nameLength > bytes.length) {
      const larger = new Uint8Array(Math.ceil(bytes.length * 1.5) + cursor.nameLength)
      larger.set(bytes)
      bytes = larger
    }
    for (let i = 0; i < cursor.nameLength; i++) bytes[start + i] = cursor.name[i]
    if (count + 1 === offsets.length) {
      const larger = new Uint32Array(offsets.length * 2)
      larger.set(offsets)
      offsets = larger
    }
    offsets[count + 1] = start + cursor.nameLength
    for (let i = walkers.length - 1; i >= 0; i--) {
      const walker = walkers[i]
      if (i !== best && !walker.done && walker.compare(walkers[best]) === 0) {
        newIds[i][walker.id] = count
        walker.next()
      }
    }
    newIds[best][walkers[best].id] = count
    walkers[best].next()
    count++
  }
  const trimmed = { bytes: bytes.subarray(0, offsets[count]), offsets: offsets.subarray(0, count + 1) }
  return { set: { count, ...trimmed, ...makeKeys(trimmed.bytes, trimmed.offsets, count) }, newIds }
}

/** Walks the used names of a dictionary in order. */
class NameWalker {
  id = -1
  done = false
  readonly cursor = new NamesBlockCursor()

  constructor(
    private readonly reader: SegmentReader,
    private readonly dictionary: DictionaryReader,
    private readonly used: Uint8Array,
  ) {
    this.next()
  }

  next(): void {
    do {
      this.id++
      if (this.id === this.dictionary.nameCount) {
        this.done = true
        return
      }
      if (this.id % BLOCK_NAMES === 0) {
        const { start, end } = this.dictionary.blockRange(this.id / BLOCK_NAMES)
        this.cursor.open(this.reader.frame.bytes, start, end)
      }
      this.cursor.next()
    } while (this.used[this.id] === 0)
  }

  /** Dictionary order of the two current names. */
  compare(other: NameWalker): number {
    const a = this.cursor
    const b = other.cursor
    const keys = Math.min(a.keyLength, b.keyLength)
    for (let i = 0; i < keys; i++) {
      const difference = a.key[a.keyStart + i] - b.key[b.keyStart + i]
      if (difference !== 0) return difference
    }
    if (a.keyLength !== b.keyLength) return a.keyLength - b.keyLength
    const length = Math.min(a.nameLength, b.nameLength)
    for (let i = 0; i < length; i++) if (a.name[i] !== b.name[i]) return a.name[i] - b.name[i]
    return a.nameLength - b.nameLength
  }
}

interface PlacedFiles {
  readonly count: number
  readonly nameIds: Uint32Array
  readonly firstFiles: Uint32Array
  /** Where each file comes from. */
  readonly inputs: Uint8Array
  readonly rows: Uint32Array
}

/** Files in the order of the result: for each directory the runs of the inputs merged by name. Fills `mapping`. */
function placeFiles(
  inputs: readonly MergeInput[],
  tree: MergedTree,
  newIds: readonly Uint32Array[],
  mapping: readonly Uint32Array[],
): PlacedFiles {
  let limit = 0
  for (const { reader } of inputs) limit += reader.fileCount
  const nameIds = new Uint32Array(limit)
  const fromInput = new Uint8Array(limit)
  const fromRow = new Uint32Array(limit)
  const firstFiles = new Uint32Array(tree.choices.length + 1)
  const at = new Uint32Array(inputs.length)
  const end = new Uint32Array(inputs.length)
  let count = 0
  for (let row = 0; row < tree.choices.length; row++) {
    firstFiles[row] = count
    const dirId = tree.dirIds[row]
    for (let i = 0; i < inputs.length; i++) {
      const { reader } = inputs[i]
      const local = reader.findDir(dirId)
      at[i] = local < 0 ? 0 : reader.firstFile(local)
      end[i] = local < 0 ? 0 : reader.firstFile(local + 1)
    }
    for (;;) {
      let best = -1
      let bestName = 0
      for (let i = 0; i < inputs.length; i++) {
        const { reader, isDead } = inputs[i]
        while (at[i] < end[i] && isDead(reader.dirCount + at[i])) at[i]++
        if (at[i] === end[i]) continue
        const name = newIds[i][reader.files.nameIdOf(at[i])]
        // `<=`: of equal names the newest input wins; the older row is passed over below.
        if (best < 0 || name <= bestName) {
          if (best >= 0 && name === bestName) at[best]++
          best = i
          bestName = name
        }
      }
      if (best < 0) break
      nameIds[count] = bestName
      fromInput[count] = best
      fromRow[count] = at[best]
      mapping[best][inputs[best].reader.dirCount + at[best]] = tree.choices.length + count
      at[best]++
      count++
    }
  }
  firstFiles[tree.choices.length] = count
  return {
    count,
    nameIds: nameIds.subarray(0, count),
    firstFiles,
    inputs: fromInput.subarray(0, count),
    rows: fromRow.subarray(0, count),
  }
}

function fillMerged(
  inputs: readonly MergeInput[],
  choices: readonly DirectoryChoice[],
  files: PlacedFiles,
  table: Table,
  column: NumberColumn,
  out: Float64Array | Uint32Array,
): boolean {
  const sources = inputs.map(({ reader }) => reader.columnSource(table, column))
  if (sources.every(source => source === undefined)) return false
  const missing = out instanceof Float64Array ? Number.NaN : 0
  if (table === 'd') {
    choices.forEach((choice, row) => {
      const source = choice.input < 0 ? undefined : sources[choice.input]
      out[row] = source === undefined ? missing : source(choice.local)
    })
  } else {
    for (let i = 0; i < files.count; i++) {
      const source = sources[files.inputs[i]]
      out[i] = source === undefined ? missing : source(files.rows[i])
    }
  }
  return true
}
