import { keyOf } from '@hotpath/index-format'
import { type Entry, isDirectory, nameOf, sizeOf } from './entry.js'

/** What the naive matcher has to know of the other entries of an index. */
export interface NaiveContext {
  /** Entries directly in a directory. */
  childrenOf(directory: Entry): readonly Entry[]
  /** True if the directory that holds the entry is itself an entry of the same root. */
  hasParent(entry: Entry): boolean
  /** Entries, this one among them, whose names have the same key. */
  countOfName(entry: Entry): number
  /** Entries that are no directories, this one among them, of the same known size; 0 if its size is not known. */
  countOfSize(entry: Entry): number
}

/** Counts everything in all entries of an index, once. */
export function naiveContext(entries: readonly Entry[]): NaiveContext {
  const directories = new Set<string>()
  const children = new Map<string, Entry[]>()
  const names = new Map<string, number>()
  const sizes = new Map<number, number>()
  for (const entry of entries) {
    if (isDirectory(entry)) directories.add(label(entry, entry.components))
    else if (!Number.isNaN(sizeOf(entry))) sizes.set(sizeOf(entry), (sizes.get(sizeOf(entry)) ?? 0) + 1)
    names.set(nameLabel(entry), (names.get(nameLabel(entry)) ?? 0) + 1)
    const above = label(entry, entry.components.slice(0, -1))
    const siblings = children.get(above)
    if (siblings) siblings.push(entry)
    else children.set(above, [entry])
  }
  return {
    childrenOf: directory => children.get(label(directory, directory.components)) ?? [],
    hasParent: entry => directories.has(label(entry, entry.components.slice(0, -1))),
    countOfName: entry => names.get(nameLabel(entry)) ?? 0,
    countOfSize: entry => sizes.get(sizeOf(entry)) ?? 0,
  }
}

/** A path of a root as text. No component holds a `/`. */
function label({ root }: Entry, components: readonly Uint8Array[]): string {
  return `${root ?? ''}:${components.length}:${components.map(textOf).join('/')}`
}

function nameLabel(entry: Entry): string {
  return textOf(keyOf(nameOf(entry)))
}

/** Bytes as a string of one character a byte. */
function textOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
