import { type EntryColumns, InvalidInputError, KIND_MASK, KIND_STUB, Kind, NO_DIRECTORY } from '@hotpath/model'
import { IdTable } from './id-table.js'
import { NameInterner, sortNames } from './name-set.js'
import { MAX_NAME_BYTES } from './names-block.js'
import type { SegmentSink } from './section-writer.js'
import type { Table } from './segment-layout.js'
import { type NumberColumn, namesOnce, type SegmentSpec } from './segment-spec.js'
import { type SegmentOptions, type SegmentStats, writeSegment } from './segment-writer.js'
import { countingOrder, orderTree } from './tree-order.js'

/**
 * Builds a segment from rows in any order. `parent` and `directory` are directory ids of the view.
 *
 * Every ancestor of a row must be there as a row, an entry or a stub; exactly one row, the root, has no parent. A
 * directory id may come several times (an entry beats a stub, otherwise the last row wins); of rows that are no
 * directories and have the same parent and name the last wins. Directories are told apart by their ids alone.
 * @throws InvalidInputError if the rows are not a tree or a name is longer than MAX_NAME_BYTES
 * Cost: 1 M rows of real paths in 1.6 s on one idle thread of 2.5 GHz; memory about 90 bytes a row beside the input.
 */
export function buildSegment(rows: EntryColumns, sink: SegmentSink, options?: SegmentOptions): SegmentStats {
  return writeSegment(specOfRows(rows), sink, options)
}

/** The rows in the order of the file. */
export function specOfRows(rows: EntryColumns): SegmentSpec {
  requireNames(rows)
  const dirs = directoryRows(rows)
  const dirInterner = new NameInterner(dirs.length)
  const dirName = new Uint32Array(dirs.length)
  for (let slot = 0; slot < dirs.length; slot++) {
    const row = dirs.rows[slot]
    dirName[slot] = dirInterner.intern(rows.names, rows.nameOffsets[row], rows.nameOffsets[row + 1])
  }
  const dirSorted = sortNames(dirInterner)
  for (let slot = 0; slot < dirs.length; slot++) dirName[slot] = dirSorted.rank[dirName[slot]]
  const parentSlot = new Uint32Array(dirs.length)
  for (let slot = 0; slot < dirs.length; slot++) {
    const row = dirs.rows[slot]
    const parent = rows.parent[row]
    if (parent === rows.directory[row]) {
      throw new InvalidInputError(`directory ${parent}`, 'a parent', 'itself')
    }
    parentSlot[slot] = parent === NO_DIRECTORY ? slot : dirs.slotOf(parent)
  }
  const tree = orderTree(parentSlot, dirName, dirSorted.names.count)

  const dirCount = dirs.length
  const dirRows = new Uint32Array(dirCount)
  const dirIds = new Uint32Array(dirCount)
  const dirNameIds = new Uint32Array(dirCount)
  const stubs = new Uint8Array(dirCount)
  for (let local = 0; local < dirCount; local++) {
    const slot = tree.slotOfRow[local]
    const row = dirs.rows[slot]
    dirRows[local] = row
    dirIds[local] = rows.directory[row]
    dirNameIds[local] = dirName[slot]
    stubs[local] = (rows.kind[row] & KIND_STUB) !== 0 ? 1 : 0
  }

  const files = fileRows(rows)
  const fileInterner = new NameInterner(files.length)
  const fileName = new Uint32Array(files.length)
  const fileDir = new Uint32Array(files.length)
  let lastParent = NO_DIRECTORY
  let lastLocal = 0
  for (let i = 0; i < files.length; i++) {
    const row = files[i]
    fileName[i] = fileInterner.intern(rows.names, rows.nameOffsets[row], rows.nameOffsets[row + 1])
    const parent = rows.parent[row]
    if (parent === NO_DIRECTORY) throw new InvalidInputError(`file row ${row}`, 'a directory', 'none')
    if (parent !== lastParent) {
      lastParent = parent
      lastLocal = tree.rowOfSlot[dirs.slotOf(parent)]
    }
    fileDir[i] = lastLocal
  }
  const fileSorted = sortNames(fileInterner)
  for (let i = 0; i < files.length; i++) fileName[i] = fileSorted.rank[fileName[i]]
  const order = orderFiles(fileDir, dirCount, fileName, fileSorted.names.count)
  const fileCount = order.length
  const fileRow = new Uint32Array(fileCount)
  const fileNameIds = new Uint32Array(fileCount)
  const dirFirstFiles = new Uint32Array(dirCount + 1)
  for (let i = 0; i < fileCount; i++) {
    fileRow[i] = files[order[i]]
    fileNameIds[i] = fileName[order[i]]
    dirFirstFiles[fileDir[order[i]] + 1]++
  }
  for (let local = 0; local < dirCount; local++) dirFirstFiles[local + 1] += dirFirstFiles[local]

  return {
    dirCount,
    fileCount,
    dirIds,
    dirParents: tree.parents,
    dirEnds: tree.ends,
    dirFirstFiles,
    stubs,
    takeNames: namesOnce(
      { names: dirSorted.names, nameIds: dirNameIds },
      { names: fileSorted.names, nameIds: fileNameIds },
    ),
    fill: (table, column, out) => fillFromRows(rows, table === 'd' ? dirRows : fileRow, table, column, out),
  }
}

function requireNames(rows: EntryColumns): void {
  for (let row = 0; row < rows.count; row++) {
    const length = rows.nameOffsets[row + 1] - rows.nameOffsets[row]
    if (!(length >= 0 && length <= MAX_NAME_BYTES)) {
      throw new InvalidInputError(`the name of row ${row}`, `at most ${MAX_NAME_BYTES} bytes`, `${length}`)
    }
  }
}

interface DirectoryRows {
  readonly length: number
  /** Row of each slot. */
  readonly rows: Uint32Array
  slotOf(directoryId: number): number
}

/** One slot for each directory id: its entry row if there is one, else its last stub. */
function directoryRows(rows: EntryColumns): DirectoryRows {
  const slotOfId = new IdTable()
  const chosen: number[] = []
  for (let row = 0; row < rows.count; row++) {
    if ((rows.kind[row] & KIND_MASK) !== Kind.directory) continue
    const id = rows.directory[row]
    if (id === NO_DIRECTORY) throw new InvalidInputError(`directory row ${row}`, 'a directory id', '0')
    const slot = slotOfId.get(id)
    if (slot < 0) {
      slotOfId.set(id, chosen.length)
      chosen.push(row)
    } else if ((rows.kind[row] & KIND_STUB) === 0 || (rows.kind[chosen[slot]] & KIND_STUB) !== 0) chosen[slot] = row
  }
  return {
    length: chosen.length,
    rows: Uint32Array.from(chosen),
    slotOf(id) {
      const slot = slotOfId.get(id)
      if (slot < 0) throw new InvalidInputError('directory rows', `a row for directory ${id}`, 'none')
      return slot
    },
  }
}

function fileRows(rows: EntryColumns): Uint32Array {
  const files = new Uint32Array(rows.count)
  let count = 0
  for (let row = 0; row < rows.count; row++) {
    if ((rows.kind[row] & KIND_MASK) !== Kind.directory) files[count++] = row
  }
  return files.subarray(0, count)
}

/** Files by (directory, name), the last of equal ones kept. */
function orderFiles(dir: Uint32Array, dirCount: number, name: Uint32Array, nameCount: number): Uint32Array {
  const byName = countingOrder(name, nameCount)
  const dirOfByName = new Uint32Array(byName.length)
  for (let i = 0; i < byName.length; i++) dirOfByName[i] = dir[byName[i]]
  const byDir = countingOrder(dirOfByName, dirCount)
  let kept = 0
  for (let i = 0; i < byDir.length; i++) {
    const file = byName[byDir[i]]
    if (kept > 0 && dir[byDir[kept - 1]] === dir[file] && name[byDir[kept - 1]] === name[file]) kept--
    byDir[kept++] = file
  }
  return byDir.subarray(0, kept)
}

function fillFromRows(
  rows: EntryColumns,
  order: Uint32Array,
  table: Table,
  column: NumberColumn,
  out: Float64Array | Uint32Array,
): boolean {
  const source = rowColumn(rows, table, column)
  if (source === undefined) return false
  if (column === 'kind') for (let i = 0; i < order.length; i++) out[i] = source[order[i]] & KIND_MASK
  else for (let i = 0; i < order.length; i++) out[i] = source[order[i]]
  return true
}

function rowColumn(rows: EntryColumns, table: Table, column: NumberColumn): ArrayLike<number> | undefined {
  switch (column) {
    case 'size':
      return table === 'f' ? rows.size : undefined
    case 'kind':
      return table === 'f' ? rows.kind : undefined
    case 'attributes':
      return rows.attributes
    case 'refLow':
      return rows.ref?.low
    case 'refHigh':
      return rows.ref?.high
    case 'refBirth':
      return rows.ref?.birth
    case 'modifiedSeconds':
      return rows.modified?.seconds
    case 'modifiedTicks':
      return rows.modified?.ticks
    case 'changedSeconds':
      return rows.changed?.seconds
    case 'changedTicks':
      return rows.changed?.ticks
    case 'createdSeconds':
      return rows.created?.seconds
    case 'createdTicks':
      return rows.created?.ticks
    case 'accessedSeconds':
      return rows.accessed?.seconds
    case 'accessedTicks':
      return rows.accessed?.ticks
  }
}
