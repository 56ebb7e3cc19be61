import { CorruptFileError, InvalidInputError } from '@hotpath/model'
import type { BuildKernels } from './build-kernels.js'
import { KEY_RULES } from './key.js'
import { mergeFileNames } from './merge-names.js'
import { type MergedTree, mergeTree, NO_INPUT } from './merge-tree.js'
import { plainKernels } from './plain-kernels.js'
import type { SegmentSink } from './section-writer.js'
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
 * Cost: dictionaries are merged as streams, columns one at a time; about 1 µs an entry with kernels in WebAssembly, 2.5 µs with the
 * plain ones, and 45 bytes of memory.
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
  const kernels = options?.kernels ?? plainKernels
  const mapping = inputs.map(({ reader }) => new Uint32Array(reader.rowCount).fill(NOT_MERGED))
  const stats = kernels.scope(() => writeSegment(mergedSpec(inputs, resolveDirectory, mapping, kernels), sink, options))
  return { ...stats, mapping }
}

/** Fills `mapping` and returns the result's rows. A function of its own: what it needs besides is free when writing starts. */
function mergedSpec(
  inputs: readonly MergeInput[],
  resolveDirectory: (dirId: number) => DirectoryPlace | undefined,
  mapping: readonly Uint32Array[],
  kernels: BuildKernels,
): SegmentSpec {
  const { tree, runs } = kernels.scope(() => {
    const merged = mergeTree(inputs, resolveDirectory, kernels)
    return { tree: merged, runs: new DirectoryRuns(inputs, merged) }
  })
  const fileLimit = inputs.reduce((sum, { reader }) => sum + reader.fileCount, 0)
  const nameIds = kernels.words(fileLimit)
  const ids = fileNameIds(inputs, mapping)
  const names = mergeFileNames(inputs, ids, kernels)
  const { count, firstFiles } = placeFiles(tree.count, runs, ids, nameIds)
  for (let row = 0; row < tree.count; row++) {
    if (tree.stubs[row] === 0) mapping[tree.inputs[row]][tree.locals[row]] = row
  }
  // All that columns need: `tree` holds much more.
  const directories = sourcesOfDirectories(inputs, tree)
  return {
    dirCount: tree.count,
    fileCount: count,
    dirIds: tree.dirIds,
    dirParents: tree.parents,
    dirEnds: tree.ends,
    dirFirstFiles: firstFiles,
    stubs: tree.stubs,
    takeNames: namesOnce({ names: tree.names, nameIds: tree.nameIds }, { names, nameIds: nameIds.subarray(0, count) }),
    fill: (table, column, out) =>
      inputs.some(({ reader }) => reader.hasColumn(table, column)) &&
      (table === 'd'
        ? gatherDirectories(inputs, directories, column, out, kernels)
        : scatterFiles(inputs, mapping, tree.count, column, out, kernels)),
  }
}

/**
 * Old name id of each file of each input, NOT_MERGED for those that are dead. They stand in `mapping` until the files are placed: at
 * ten million rows, arrays of their own would be 40 MB more.
 */
function fileNameIds(inputs: readonly MergeInput[], mapping: readonly Uint32Array[]): Uint32Array[] {
  return inputs.map(({ reader, isDead }, input) => {
    const ids = mapping[input].subarray(reader.dirCount)
    reader.files.readNameIds(ids)
    for (let file = 0; file < ids.length; file++) if (isDead(reader.dirCount + file)) ids[file] = NOT_MERGED
    return ids
  })
}

/**
 * Files in the order of the result: for each directory the runs of the inputs merged by name, to `nameIds`.
 * @param ids new name id of each file of each input, NOT_MERGED for dead ones; in their place come the new entry ids
 */
function placeFiles(
  dirCount: number,
  runs: DirectoryRuns,
  ids: readonly Uint32Array[],
  nameIds: Uint32Array,
): { count: number; firstFiles: Uint32Array } {
  const firstFiles = new Uint32Array(dirCount + 1)
  let count = 0
  const take = (input: number, file: number): void => {
    nameIds[count] = ids[input][file]
    ids[input][file] = dirCount + count
    count++
  }
  const at = new Uint32Array(ids.length)
  for (let row = 0; row < dirCount; row++) {
    firstFiles[row] = count
    const from = runs.starts[row]
    const to = runs.starts[row + 1]
    if (to - from === 1) {
      const input = runs.inputs[from]
      const names = ids[input]
      for (let file = runs.firsts[from]; file < runs.ends[from]; file++)
        if (names[file] !== NOT_MERGED) take(input, file)
      continue
    }
    for (let run = from; run < to; run++) at[run - from] = runs.firsts[run]
    for (;;) {
      let best = -1
      let bestName = NOT_MERGED
      for (let run = from; run < to; run++) {
        const names = ids[runs.inputs[run]]
        let file = at[run - from]
        while (file < runs.ends[run] && names[file] === NOT_MERGED) file++
        at[run - from] = file
        if (file >= runs.ends[run]) continue
        const name = names[file]
        // `<=`: of equal names the newest input wins, and the older row is passed over.
        if (best < 0 || name <= bestName) {
          if (best >= 0 && name === bestName) ids[runs.inputs[best]][at[best - from]++] = NOT_MERGED
          best = run
          bestName = name
        }
      }
      if (best < 0) break
      take(runs.inputs[best], at[best - from]++)
    }
  }
  firstFiles[dirCount] = count
  return { count, firstFiles }
}

/** Where each value of a list of counts starts in their sum. */
function starts(counts: readonly number[]): number[] {
  let sum = 0
  return counts.map(count => {
    sum += count
    return sum - count
  })
}

/** The files of each directory of the tree in each input that has some, oldest input first. */
class DirectoryRuns {
  /** Runs of row r are [starts[r], starts[r + 1]). */
  readonly starts: Uint32Array
  readonly inputs: Uint32Array
  readonly firsts: Uint32Array
  readonly ends: Uint32Array

  /** @throws CorruptFileError if a file is in no directory, or in several */
  constructor(inputs: readonly MergeInput[], tree: MergedTree) {
    for (const { reader } of inputs) requireRuns(reader)
    const rows = inputs.map(({ reader }) => {
      const rowOf = new Int32Array(reader.dirCount)
      for (let local = 0; local < reader.dirCount; local++) {
        const empty = reader.firstFile(local) >= reader.firstFile(local + 1)
        rowOf[local] = empty ? -1 : tree.rowOf(reader.dirIdOf(local))
      }
      return rowOf
    })
    this.starts = new Uint32Array(tree.count + 1)
    for (const rowOf of rows) for (const row of rowOf) if (row >= 0) this.starts[row + 1]++
    for (let row = 0; row < tree.count; row++) this.starts[row + 1] += this.starts[row]
    const next = this.starts.slice(0, tree.count)
    const count = this.starts[tree.count]
    this.inputs = new Uint32Array(count)
    this.firsts = new Uint32Array(count)
    this.ends = new Uint32Array(count)
    inputs.forEach(({ reader }, input) => {
      for (let local = 0; local < reader.dirCount; local++) {
        const row = rows[input][local]
        if (row < 0) continue
        const run = next[row]++
        // Rows are merged from one run of each input: with two of one, that would not end.
        if (run > this.starts[row] && this.inputs[run - 1] === input) {
          throw new CorruptFileError(reader.file, 0, `directory ${reader.dirIdOf(local)} once`, 'twice')
        }
        this.inputs[run] = input
        this.firsts[run] = reader.firstFile(local)
        this.ends[run] = reader.firstFile(local + 1)
      }
    })
  }
}

/** @throws CorruptFileError if the runs of the directories are not the files, one run after the other */
function requireRuns(reader: SegmentReader): void {
  let end = 0
  for (let local = 0; local < reader.dirCount; local++) {
    const first = reader.firstFile(local)
    if (first !== end || reader.firstFile(local + 1) < first) {
      throw new CorruptFileError(reader.file, 0, `files from ${end} on in directory ${local}`, `${first}`)
    }
    end = reader.firstFile(local + 1)
  }
  if (end !== reader.fileCount) {
    throw new CorruptFileError(reader.file, 0, `${reader.fileCount} files in directories`, `${end}`)
  }
}

/** Where the columns of each directory come from: a position in the inputs' directories one after the other, their sum if there is none. */
function sourcesOfDirectories(inputs: readonly MergeInput[], tree: MergedTree): Uint32Array {
  const counts = inputs.map(({ reader }) => reader.dirCount)
  const first = starts([...counts, 0])
  const sources = new Uint32Array(tree.count)
  for (let row = 0; row < tree.count; row++) {
    const input = tree.inputs[row]
    sources[row] = input === NO_INPUT ? first[inputs.length] : first[input] + tree.locals[row]
  }
  return sources
}

/** A column of directories; what an input does not have is NaN (times, sizes) or 0. */
function gatherDirectories(
  inputs: readonly MergeInput[],
  sources: Uint32Array,
  column: NumberColumn,
  out: Float64Array | Uint32Array,
  kernels: BuildKernels,
): true {
  const first = starts([...inputs.map(({ reader }) => reader.dirCount), 0])
  kernels.scope(() => {
    const total = first[inputs.length]
    const values = valuesLike(out, total + 1, kernels)
    values[total] = missingIn(out)
    inputs.forEach(({ reader }, input) => {
      const own = values.subarray(first[input], first[input + 1])
      if (!reader.readColumn('d', column, own)) own.fill(missingIn(out))
    })
    kernels.gather(values, sources, out)
  })
  return true
}

/**
 * The same of files, one input after the other: columns of all of them together would be the most that a merge needs.
 * @param mapping new entry id of each entry of each input
 */
function scatterFiles(
  inputs: readonly MergeInput[],
  mapping: readonly Uint32Array[],
  dirCount: number,
  column: NumberColumn,
  out: Float64Array | Uint32Array,
  kernels: BuildKernels,
): true {
  inputs.forEach(({ reader }, input) => {
    kernels.scope(() => {
      const own = valuesLike(out, reader.fileCount, kernels)
      if (!reader.readColumn('f', column, own)) own.fill(missingIn(out))
      const ids = mapping[input].subarray(reader.dirCount)
      for (let file = 0; file < ids.length; file++) {
        const id = ids[file]
        if (id !== NOT_MERGED) out[id - dirCount] = own[file]
      }
    })
  })
  return true
}

function valuesLike(out: Float64Array | Uint32Array, count: number, kernels: BuildKernels): Float64Array | Uint32Array {
  return out instanceof Float64Array ? kernels.doubles(count) : kernels.words(count)
}

/** What stands for an unknown value. */
function missingIn(out: Float64Array | Uint32Array): number {
  return out instanceof Float64Array ? Number.NaN : 0
}
