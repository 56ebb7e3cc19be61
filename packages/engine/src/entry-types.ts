import { keyOf } from '@hotpath/index-format'
import { FILE_CLASSES, type FileClass } from '@hotpath/query'

/** What statistics count entries by: the macros of the language in this order, so that what is in several counts for the first. */
export const ENTRY_TYPES = [
  'audio',
  'video',
  'picture',
  'document',
  'code',
  'archive',
  'executable',
  'folder',
  'other',
] as const
export type EntryType = (typeof ENTRY_TYPES)[number]

export const FOLDER_TYPE = ENTRY_TYPES.indexOf('folder')
export const OTHER_TYPE = ENTRY_TYPES.indexOf('other')

const CLASSES: readonly FileClass[] = ['audio', 'video', 'pic', 'doc', 'code', 'zip', 'exe']
const DOT = 0x2e
/** Bytes of an extension that fit into a number. */
const SHORT = 6

const shortExtensions = new Map<number, number>()
const longExtensions = new Map<string, number>()
for (const [type, name] of CLASSES.entries()) {
  for (const extension of FILE_CLASSES[name].split(';')) {
    const bytes = keyOf(Buffer.from(extension))
    const known: Map<number | string, number> = bytes.length <= SHORT ? shortExtensions : longExtensions
    const id = idOf(bytes, 0, bytes.length)
    if (!known.has(id)) known.set(id, type)
  }
}

function idOf(bytes: Uint8Array, from: number, to: number): number | string {
  if (to - from > SHORT) return Buffer.from(bytes.subarray(from, to)).toString('latin1')
  let id = 0
  for (let i = from; i < to; i++) id = id * 256 + bytes[i]
  return id
}

/** Longest extension that a macro has. */
const LONGEST = Math.max(...[...longExtensions.keys()].map(text => text.length), SHORT)

/** Type (its place in ENTRY_TYPES) of something that is no directory, by the key of its name: key[start … end). */
export function typeOfKey(key: Uint8Array, start: number, end: number): number {
  const least = Math.max(start, end - LONGEST - 1)
  for (let dot = end - 1; dot >= least; dot--) {
    if (key[dot] !== DOT) continue
    if (dot === end - 1) return OTHER_TYPE
    const known: ReadonlyMap<number | string, number> = end - dot - 1 <= SHORT ? shortExtensions : longExtensions
    return known.get(idOf(key, dot + 1, end)) ?? OTHER_TYPE
  }
  return OTHER_TYPE
}
