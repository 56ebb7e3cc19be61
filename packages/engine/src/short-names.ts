import { asciiOnly, type DictionaryReader } from '@hotpath/index-format'
import { nameCharacters } from '@hotpath/query'
import { Bitset } from './bitset.js'
import { NameLengths } from './name-lengths.js'

/** Names that are kept: a share of the dictionary, at least 64, at most 262,144. */
const SHARE = 16
const LEAST_NAMES = 64
const MOST_NAMES = 262_144
/** Longest names that are kept at all. */
const LONGEST = 32
/** Names between two looks at the clock: a quarter of a millisecond. */
const SLICE_NAMES = 1_024
/** Stands before and after each key; no name has it. */
export const SLASH = 0x2f

/**
 * The shortest names of a dictionary, decoded: whatever is ranked by length finds its first names here, where all names are
 * verified in the dictionary. Names of one length stand together in dictionary order, and all names of the
 * lengths 0 … `longest` are here. Memory: the keys and 10 bytes a name, some 17 in all, and a bit for each name of the dictionary.
 */
export class ShortNames {
  /** @param ends number of names with up to so many characters, at each index */
  constructor(
    /** Keys with a slash before and after each. */
    readonly text: Buffer,
    /** Where each key starts in `text`, and the end. */
    private readonly starts: Uint32Array,
    private readonly ids: Uint32Array,
    private readonly plain: Bitset,
    private readonly ends: Uint32Array,
    /** Characters of each of them, by name id. */
    readonly lengths: NameLengths,
  ) {}

  /** Characters of the longest names here; -1 if there are none. */
  get longest(): number {
    return this.ends.length - 1
  }

  /** Places of the names of a length. */
  rangeOf(length: number): { readonly from: number; readonly to: number } {
    return { from: length === 0 ? 0 : this.ends[length - 1], to: this.ends[length] }
  }

  idAt(place: number): number {
    return this.ids[place]
  }

  keyStartAt(place: number): number {
    return this.starts[place]
  }

  keyAt(place: number): Uint8Array {
    return this.text.subarray(this.starts[place], this.starts[place + 1] - 1)
  }

  /** True if the name is ASCII without capitals: then it is its own key. */
  isPlain(place: number): boolean {
    return this.plain.has(place)
  }
}

/** Names of one length while they are gathered. */
class LengthGroup {
  bytes = Buffer.allocUnsafe(1024)
  size = 0
  readonly ids: number[] = []
  readonly keyLengths: number[] = []
  readonly plain: boolean[] = []

  add(id: number, key: Uint8Array, start: number, length: number, plain: boolean): void {
    if (this.size + length + 1 > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.size + length + 1))
      this.bytes.copy(larger, 0, 0, this.size)
      this.bytes = larger
    }
    for (let i = 0; i < length; i++) this.bytes[this.size + i] = key[start + i]
    this.bytes[this.size + length] = SLASH
    this.size += length + 1
    this.ids.push(id)
    this.keyLengths.push(length)
    this.plain.push(plain)
  }
}

/** Gathers the short names of a dictionary, a stretch at a time. Cost: each name is decoded, 0.15 µs. */
export class ShortNamesBuilder {
  private groups: LengthGroup[] = []
  private next = 0
  private kept = 0
  private longest = LONGEST
  private readonly most: number

  constructor(private readonly dictionary: DictionaryReader) {
    this.most = Math.min(MOST_NAMES, Math.max(LEAST_NAMES, Math.floor(dictionary.nameCount / SHARE)))
  }

  /** @returns the names once all were looked at, undefined if the time is over before */
  run(untilMs: number): ShortNames | undefined {
    const { dictionary } = this
    while (this.next < dictionary.nameCount) {
      const end = Math.min(dictionary.nameCount, this.next + SLICE_NAMES)
      dictionary.forEachName(this.next, ({ name, nameLength, key, keyStart, keyLength, hasStoredKey }, id) => {
        const own = name.subarray(0, nameLength)
        // A character has four bytes at most.
        const characters = nameLength > this.longest * 4 ? nameLength : nameCharacters(own)
        if (characters <= this.longest) {
          const plain = !hasStoredKey && asciiOnly(own) && startsEqual(name, key, keyStart, nameLength)
          this.groupOf(characters).add(id, key, keyStart, keyLength, plain)
          if (++this.kept > this.most) this.dropLongest()
        }
        return id + 1 < end
      })
      this.next = end
      if (end < dictionary.nameCount && performance.now() >= untilMs) return undefined
    }
    return this.finish()
  }

  private groupOf(length: number): LengthGroup {
    while (this.groups.length <= length) this.groups.push(new LengthGroup())
    return this.groups[length]
  }

  /** Whole lengths are kept, or nothing of them. */
  private dropLongest(): void {
    const group = this.groups.pop()
    this.kept -= group?.ids.length ?? 0
    this.longest = this.groups.length - 1
  }

  private finish(): ShortNames {
    const { groups, kept } = this
    // With all names here, there are none of any greater length.
    while (groups.length <= this.longest) groups.push(new LengthGroup())
    const bytes = groups.reduce((sum, group) => sum + group.size, 1)
    const text = Buffer.allocUnsafeSlow(bytes)
    const starts = new Uint32Array(kept + 1)
    const ids = new Uint32Array(kept)
    const plain = new Bitset(kept)
    const ends = new Uint32Array(groups.length)
    text[0] = SLASH
    let at = 1
    let place = 0
    groups.forEach((group, length) => {
      group.bytes.copy(text, at, 0, group.size)
      group.ids.forEach((id, i) => {
        starts[place] = at
        ids[place] = id
        if (group.plain[i]) plain.add(place)
        at += group.keyLengths[i] + 1
        place++
      })
      ends[length] = place
    })
    starts[place] = at
    this.groups = []
    const lengths = NameLengths.of(
      groups.map(group => group.ids),
      this.dictionary.nameCount,
    )
    return new ShortNames(text, starts, ids, plain, ends, lengths)
  }
}

function startsEqual(name: Uint8Array, key: Uint8Array, keyStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (name[i] !== key[keyStart + i]) return false
  return true
}
