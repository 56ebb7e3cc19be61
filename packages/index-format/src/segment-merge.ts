import { InvalidInputError } from '@hotpath/model'
import { KEY_RULES } from './key.js'
import { mergeFileNames } from './merge-names.js'
import { type MergedTree, mergeTree, NO_INPUT } from './merge-tree.js'
import type { SegmentSink } from './section-writer.js'
import type { Table } from './segment-layout.js'
import type { SegmentReader } from './segment-reader.js'
import { type NumberColumn, namesOnce, type SegmentSpec } from './segment-spec.js'
import { type SegmentOptions, type SegmentStats, writeSegment } from './segment-writer.js'

export interface MergeInput {
  readonly reader: SegmentReader
  /** True for tombstoned entries. Called as a plain function. */
  readonly isDead: (entry: number) => boolean
}

/** Where a directory is now. */
export interface DirectoryPlace {
  readonly parentId: number
  readonly name: Uint8Array
}

export interface MergeResult extends SegmentStats {
  /** For each input: new entry id of each old one, NOT_MERGED if it is not in the result (stubs never are). */
  readonly mapping: Uint32Array[]
}

export const NOT_MERGED = 0xffffffff

/**
 * Merges segments of one view into one: live entries, and a row for each of their ancestors. Directories that moved are
 * put where they are now. If nothing lives, the root is there as a stub.
 *
 * @param inputs oldest first; of live entries with the same (directory, name) the newest wins
 * @param resolveDirectory current place of a directory whose live entry is in none of the inputs (in the delta, in
 *   another segment, or nowhere because a list only implies it); undefined: as the newest input's row says
 * @throws InvalidInputError if there are no inputs, places are no tree, or keys were made by other rules than KEY_RULES
 *   (their order is not ours: such segments must be built again); CorruptFileError for a damaged input
 * Cost: streams dictionaries and columns; about 2.5 µs and 45 bytes of memory an entry.
 */
export function mergeSegments(
  inputs: readonly MergeInput[],
  resolveDirectory: (dirId: number) => DirectoryPlace | undefined,
  sink: SegmentSink,
  options?: SegmentOptions,
): MergeResult {
  if (inputs.length === 0) throw new InvalidInputError('segments to merge', 'at least one', 'none')
  for (const { reader } of inputs) {
    const rules = reader.keyRules
    if (rules !== KEY_RULES) throw new InvalidInputError(`keys of ${JSON.stringify(reader.file)}`, KEY_RULES, rules)
  }
  const mapping = inputs.map(({ reader }) => new Uint32Array(reader.rowCount).fill(NOT_MERGED))
  return { ...writeSegment(mergedSpec(inputs, resolveDirectory, mapping), sink, options), mapping }
}

/** Fills `mapping` and returns the result's rows. A function of its own: what it needs besides is free when writing starts. */
function mergedSpec(
  inputs: readonly MergeInput[],
  resolveDirectory: (dirId: number) => DirectoryPlace | undefined,
  mapping: readonly Uint32Array[],
): SegmentSpec {
  const tree = mergeTree(inputs, resolveDirectory)
  const { names, newIds } = mergeFileNames(inputs)
  const files = placeFiles(inputs, tree, newIds, mapping)
  for (let row = 0; row < tree.count; row++) {
    if (tree.stubs[row] === 0) mapping[tree.inputs[row]][tree.locals[row]] = row
  }
  // All that columns need: `tree` and `files` hold much more.
  const rows: Record<Table, PlacedRows> = {
    d: { count: tree.count, inputs: tree.inputs, locals: tree.locals },
    f: { count: files.count, inputs: files.inputs, locals: files.locals },
  }
  return {
    dirCount: tree.count,
    fileCount: files.count,
    dirIds: tree.dirIds,
    dirParents: tree.parents,
    dirEnds: tree.ends,
    dirFirstFiles: files.firstFiles,
    stubs: tree.stubs,
    takeNames: namesOnce({ names: tree.names, nameIds: tree.nameIds }, { names, nameIds: files.nameIds }),
    fill: (table, column, out) => fillMerged(inputs, rows[table], table, column, out),
  }
}

/** Rows of one table, each with the input and the local row that its columns come from. */
interface PlacedRows {
  readonly count: number
  readonly inputs: Uint16Array | Uint32Array
  readonly locals: Uint32Array
}

interface PlacedFiles extends PlacedRows {
  readonly nameIds: Uint32Array
  readonly firstFiles: Uint32Array
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
  const fromInputs = inputs.length <= 0x10000 ? new Uint16Array(limit) : new Uint32Array(limit)
  const fromLocals = new Uint32Array(limit)
  const firstFiles = new Uint32Array(tree.count + 1)
  const directories = inputs.map(({ reader }) => localDirectories(reader, tree))
  const at = new Uint32Array(inputs.length)
  const end = new Uint32Array(inputs.length)
  let count = 0
  for (let row = 0; row < tree.count; row++) {
    firstFiles[row] = count
    for (let i = 0; i < inputs.length; i++) {
      const { reader } = inputs[i]
      const local = directories[i][row]
      at[i] = local < 0 ? 0 : reader.firstFile(local)
      end[i] = local < 0 ? 0 : reader.firstFile(local + 1)
    }
    for (;;) {
      let best = -1
      let bestName = 0
      for (let i = 0; i < inputs.length; i++) {
        const { reader, isDead } = inputs[i]
        while (at[i] < end[i] && isDead(reader.dirCount + at[i])) at[i]++
        if (at[i] >= end[i]) continue
        const name = newIds[i][reader.files.nameIdOf(at[i])]
        // `<=`: of equal names the newest input wins, and the older row is passed over.
        if (best < 0 || name <= bestName) {
          if (best >= 0 && name === bestName) at[best]++
          best = i
          bestName = name
        }
      }
      if (best < 0) break
      nameIds[count] = bestName
      fromInputs[count] = best
      fromLocals[count] = at[best]
      mapping[best][inputs[best].reader.dirCount + at[best]] = tree.count + count
      at[best]++
      count++
    }
  }
  firstFiles[tree.count] = count
  return {
    count,
    nameIds: nameIds.subarray(0, count),
    firstFiles,
    inputs: fromInputs.subarray(0, count),
    locals: fromLocals.subarray(0, count),
  }
}

/** Local row of each directory of the tree in one input, -1 if it is not there. */
function localDirectories(reader: SegmentReader, tree: MergedTree): Int32Array {
  const locals = new Int32Array(tree.count).fill(-1)
  for (let local = 0; local < reader.dirCount; local++) {
    const row = tree.rowOf(reader.dirIdOf(local))
    if (row >= 0) locals[row] = local
  }
  return locals
}

/** A column of the result; what an input does not have is NaN (times, sizes) or 0. False if no input has it. */
function fillMerged(
  inputs: readonly MergeInput[],
  rows: PlacedRows,
  table: Table,
  column: NumberColumn,
  out: Float64Array | Uint32Array,
): boolean {
  const sources = inputs.map(({ reader }) => reader.columnSource(table, column))
  if (sources.every(source => source === undefined)) return false
  const missing = out instanceof Float64Array ? Number.NaN : 0
  for (let row = 0; row < rows.count; row++) {
    const input = rows.inputs[row]
    const source = input === NO_INPUT ? undefined : sources[input]
    out[row] = source === undefined ? missing : source(rows.locals[row])
  }
  return true
}
