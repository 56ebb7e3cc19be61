import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import type { EncodedNames } from './encoded-names.js'
import { asciiOnly } from './key.js'
import { NameInterner, sortNames } from './name-set.js'
import { NamesBlockCursor } from './names-block.js'
import {
  BYTE_CLASSES,
  forEachWord,
  MAX_WORD_BYTES,
  MAX_WORD_CHARACTERS,
  MIN_WORD_BYTES,
  SMALL_CLASS,
  wordKey,
} from './words.js'

/**
 * The distinct words of the names of a segment, sorted by bytes and front-coded: word i is the first shared[i] bytes of
 * the word before it and the next lengths[i] bytes of `suffixes`. Two bytes a word and its suffix: 2.6 MB for ten million
 * entries of real paths.
 */
export interface WordList {
  readonly count: number
  readonly shared: Uint8Array
  readonly lengths: Uint8Array
  readonly suffixes: Uint8Array
}

/** Gathers the words of dictionaries. Cost: some 0.3 µs a name; what a name shares with the one before is not looked at. */
export class WordCollector {
  private readonly interner = new NameInterner()
  private readonly cursor = new NamesBlockCursor()

  /** @param blockOffsets start of each block of names in `bytes`, and the end of the last */
  add({ bytes, blockOffsets }: Pick<EncodedNames, 'bytes' | 'blockOffsets'>): void {
    const { cursor } = this
    for (let block = 0; block + 1 < blockOffsets.length; block++) {
      cursor.open(bytes, blockOffsets[block], blockOffsets[block + 1])
      while (cursor.next()) {
        const { name, nameLength } = cursor
        // From the start of the run of letters that reaches into what is new.
        let from = cursor.sharedLength
        while (from > 0 && BYTE_CLASSES[name[from - 1]] >= SMALL_CLASS) from--
        forEachWord(name, from, nameLength, this.addWord)
      }
    }
  }

  private readonly addWord = (start: number, end: number): void => {
    const { cursor } = this
    const length = end - start
    if (length < MIN_WORD_BYTES || length > MAX_WORD_BYTES) return
    if (!cursor.hasStoredKey && asciiOnly(cursor.name, start, end)) {
      // The key of the name is its ASCII letters lowered, so that of the word stands in it.
      if (length <= MAX_WORD_CHARACTERS) this.interner.intern(cursor.key, start, end)
      return
    }
    const key = wordKey(cursor.name, start, end)
    if (key) this.interner.intern(key, 0, key.length)
  }

  finish(): WordList {
    const { interner } = this
    const { bytes, blockOffsets, count } = sortNames(interner).names
    const shared = new Uint8Array(count)
    const lengths = new Uint8Array(count)
    const suffixes = new Uint8Array(interner.offsets[interner.count])
    const previous = new Uint8Array(MAX_WORD_BYTES)
    let previousLength = 0
    let word = 0
    let at = 0
    const { cursor } = this
    for (let block = 0; block + 1 < blockOffsets.length; block++) {
      cursor.open(bytes, blockOffsets[block], blockOffsets[block + 1])
      for (; cursor.next(); word++) {
        const { name, nameLength } = cursor
        let same = 0
        while (same < previousLength && same < nameLength && name[same] === previous[same]) same++
        shared[word] = same
        lengths[word] = nameLength - same
        for (let i = same; i < nameLength; i++) {
          previous[i] = name[i]
          suffixes[at++] = name[i]
        }
        previousLength = nameLength
      }
    }
    return { count, shared, lengths, suffixes: suffixes.slice(0, at) }
  }
}

/** The list as a section: `shared`, `lengths` and `suffixes` one after the other, as raw DEFLATE (RFC 1951). */
export function encodeWordList({ shared, lengths, suffixes }: WordList): Uint8Array {
  return deflateRawSync(Buffer.concat([shared, lengths, suffixes]), { level: constants.Z_BEST_COMPRESSION })
}

/**
 * Undoes `encodeWordList`; undefined if the bytes are not such a list of `count` words with `suffixBytes` bytes of suffixes.
 * Cost: 10 ns a byte of the list.
 */
export function decodeWordList(bytes: Uint8Array, count: number, suffixBytes: number): WordList | undefined {
  const size = count * 2 + suffixBytes
  if (size === 0) return { count, shared: NOTHING, lengths: NOTHING, suffixes: NOTHING }
  let list: Uint8Array
  try {
    list = Uint8Array.from(inflateRawSync(bytes, { maxOutputLength: size }))
  } catch {
    return undefined
  }
  if (list.length !== size) return undefined
  const shared = list.subarray(0, count)
  const lengths = list.subarray(count, count * 2)
  let length = 0
  let sum = 0
  for (let word = 0; word < count; word++) {
    if (shared[word] > length) return undefined
    length = shared[word] + lengths[word]
    if (length > MAX_WORD_BYTES || length < MIN_WORD_BYTES) return undefined
    sum += lengths[word]
  }
  return sum === suffixBytes ? { count, shared, lengths, suffixes: list.subarray(count * 2) } : undefined
}

const NOTHING = new Uint8Array(0)
