import type { DictionaryReader } from './dictionary-reader.js'
import { type EncodedNames, NamesEncoder } from './encoded-names.js'
import { NamesBlockCursor } from './names-block.js'
import type { MergeInput } from './segment-merge.js'

/** File names of a merge. */
export interface MergedNames {
  readonly names: EncodedNames
  /** newIds[input][old name id] = name id in the merge; names without a live file have none. */
  readonly newIds: readonly Uint32Array[]
}

/** Merges the file dictionaries, keeping names with live files. Cost: one pass over each, no sorting. */
export function mergeFileNames(inputs: readonly MergeInput[]): MergedNames {
  const used = inputs.map(({ reader, isDead }) => {
    const names = new Uint8Array(reader.files.nameCount)
    for (let file = 0; file < reader.fileCount; file++) {
      if (!isDead(reader.dirCount + file)) names[reader.files.nameIdOf(file)] = 1
    }
    return names
  })
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
