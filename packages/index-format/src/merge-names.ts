import type { BuildKernels, MergedDictionaries } from './build-kernels.js'
import type { DictionaryReader } from './dictionary-reader.js'
import { type EncodedNames, NamesEncoder } from './encoded-names.js'
import { NamesBlockCursor } from './names-block.js'
import { type MergeInput, NOT_MERGED } from './segment-merge.js'

/** Marks the names that live files have. `ids`: name of each file of each input, NOT_MERGED for dead ones. */
function usedNames(inputs: readonly MergeInput[], ids: readonly Uint32Array[]): Uint8Array[] {
  return inputs.map(({ reader }, i) => {
    const used = new Uint8Array(reader.files.nameCount)
    for (const id of ids[i]) if (id !== NOT_MERGED) used[id] = 1
    return used
  })
}

/**
 * Merges the file dictionaries, keeping names with live files, and puts new name ids in place of the old ones in `ids`.
 * Cost: one pass over each, no sorting.
 */
export function mergeFileNames(
  inputs: readonly MergeInput[],
  ids: readonly Uint32Array[],
  kernels: BuildKernels,
): EncodedNames {
  const used = usedNames(inputs, ids)
  const merged =
    kernels.mergeNames(
      inputs.map(({ reader }) => reader.files.nameBytes),
      used,
    ) ?? mergeByWalking(inputs, used)
  ids.forEach((names, input) => {
    const newIds = merged.newIds[input]
    for (let file = 0; file < names.length; file++) if (names[file] !== NOT_MERGED) names[file] = newIds[names[file]]
  })
  return merged.names
}

/** The plain way, and the one that says what is wrong with a damaged dictionary. @throws CorruptFileError */
function mergeByWalking(inputs: readonly MergeInput[], used: readonly Uint8Array[]): MergedDictionaries {
  const newIds = inputs.map(({ reader }) => new Uint32Array(reader.files.nameCount))
  const walkers = inputs.map(({ reader }, i) => new NameWalker(reader.files, used[i]))
  let longest = 0
  for (const { reader } of inputs) longest = Math.max(longest, reader.files.nameCount)
  const encoder = new NamesEncoder(longest)
  for (let id = 0; ; id++) {
    let best = -1
    for (let i = 0; i < walkers.length; i++) {
      if (!walkers[i].done && (best < 0 || walkers[i].compare(walkers[best]) < 0)) best = i
    }
    if (best < 0) break
    const { cursor } = walkers[best]
    encoder.add(cursor.name, 0, cursor.nameLength, cursor.key, cursor.keyStart, cursor.keyLength)
    for (let i = 0; i < walkers.length; i++) {
      const walker = walkers[i]
      if (i === best || walker.done || walker.compare(walkers[best]) !== 0) continue
      newIds[i][walker.id] = id
      walker.next()
    }
    newIds[best][walkers[best].id] = id
    walkers[best].next()
  }
  return { names: encoder.finish(), newIds }
}

/** Walks the used names of a dictionary in order. */
class NameWalker {
  id = -1
  done = false
  readonly cursor = new NamesBlockCursor()

  constructor(
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
      this.dictionary.advance(this.cursor, this.id)
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
