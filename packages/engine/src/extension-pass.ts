import { type ByteStrings, type DictionaryReader, NameInterner, varintLength, writeVarint } from '@hotpath/index-format'
import { NameExtensions, type NameLists, type Ranks } from './name-extensions.js'

/** Blocks whose names are looked at in one step: 0.6 ms. */
const SLICE_BLOCKS = 256
/** Names that are put into lists in one step: 0.3 ms. */
const SLICE_NAMES = 32_768
/** Extensions that are sorted in one step, and merged in one: 0.5 ms. */
const SORTED_PIECE = 512
const MERGED_TEXTS = 4_096
/** The largest number in two bytes. */
const LARGEST_SHORT = 0xffff

/**
 * The extensions of the names of a dictionary, found out when they are first asked for and kept. The pass over all names
 * (80 ns each) is made of steps, and goes on where it stopped: searches that are cancelled share it, and a query worker does the
 * rest of it between searches.
 */
export class ExtensionPass {
  private steps: Generator<undefined, NameExtensions> | undefined
  private found: NameExtensions | undefined

  constructor(private readonly dictionary: DictionaryReader) {}

  get isDone(): boolean {
    return this.found !== undefined
  }

  /** @param checkCancelled called between steps; what it throws loses nothing of what is done */
  extensions(checkCancelled: () => void): NameExtensions {
    while (this.found === undefined) {
      checkCancelled()
      this.step()
    }
    return this.found
  }

  /** @returns true when all names have been looked at; false if the time came first (performance.now()) */
  run(untilMs: number): boolean {
    while (this.found === undefined) {
      if (performance.now() > untilMs) return false
      this.step()
    }
    return true
  }

  private step(): void {
    const steps = this.steps ?? pass(this.dictionary)
    // After damage there is nothing to go on with.
    this.steps = undefined
    const { done, value } = steps.next()
    if (done) this.found = value
    else this.steps = steps
  }
}

/** Stops after each slice of work. */
function* pass(dictionary: DictionaryReader): Generator<undefined, NameExtensions> {
  const { nameCount, blockCount } = dictionary
  const numbering = new Numbering(nameCount)
  expectSlice(dictionary, 0)
  for (let from = 0; from < blockCount; from += SLICE_BLOCKS) {
    expectSlice(dictionary, from + SLICE_BLOCKS)
    dictionary.forEachKey(from, Math.min(blockCount, from + SLICE_BLOCKS), numbering.add)
    yield
  }
  const order = yield* sortedNumbers(numbering.extensions)
  const texts = textsInOrder(numbering.extensions, order)
  yield
  const ranks = numbering.numbers
  const lists = new ListBuilder(order.length)
  const rankOfNumber = new Uint32Array(order.length + 1).fill(order.length)
  order.forEach((number, rank) => {
    rankOfNumber[number + 1] = rank
  })
  for (let from = 0; from < nameCount; from += SLICE_NAMES) {
    const to = Math.min(nameCount, from + SLICE_NAMES)
    for (let id = from; id < to; id++) ranks[id] = rankOfNumber[ranks[id]]
    lists.measure(ranks, from, to)
    yield
  }
  lists.allocate()
  for (let from = 0; from < nameCount; from += SLICE_NAMES) {
    lists.write(ranks, from, Math.min(nameCount, from + SLICE_NAMES))
    yield
  }
  return new NameExtensions(texts, ranks, lists)
}

/** Has the names of a slice read ahead while the segment is cold. */
function expectSlice(dictionary: DictionaryReader, from: number): void {
  if (!dictionary.isCold) return
  const count = Math.max(0, Math.min(dictionary.blockCount - from, SLICE_BLOCKS))
  dictionary.expectBlocks(Uint32Array.from({ length: count }, (_, i) => from + i))
}

/** Numbers the extensions of names in the order of their first appearance. */
class Numbering {
  readonly extensions = new NameInterner()
  /** Number of each name's extension plus one; 0 without one. */
  numbers: Ranks
  private nameId = 0

  constructor(nameCount: number) {
    this.numbers = new Uint16Array(nameCount)
  }

  /** Takes the next name, by its key: key[start … end). */
  readonly add = (key: Uint8Array, start: number, end: number): void => {
    let dot = end - 1
    while (dot >= start && key[dot] !== 0x2e) dot--
    if (dot >= start && dot < end - 1) {
      const number = this.extensions.intern(key, dot + 1, end) + 1
      if (number > LARGEST_SHORT && this.numbers instanceof Uint16Array) this.numbers = new Uint32Array(this.numbers)
      this.numbers[this.nameId] = number
    }
    this.nameId++
  }
}

/** Numbers of extensions in the order of their bytes: pieces are sorted, and merged. Stops after each slice of work. */
function* sortedNumbers({ count, bytes, offsets }: NameInterner): Generator<undefined, Uint32Array> {
  let order = Uint32Array.from({ length: count }, (_, number) => number)
  let merged = new Uint32Array(count)
  // One character a byte: strings compare as the bytes do.
  const texts: string[] = []
  for (let from = 0; from < count; from += SORTED_PIECE) {
    const to = Math.min(count, from + SORTED_PIECE)
    for (let number = from; number < to; number++) {
      const text = bytes.subarray(offsets[number], offsets[number + 1])
      texts.push(Buffer.from(text.buffer, text.byteOffset, text.length).toString('latin1'))
    }
    order.subarray(from, to).sort((a, b) => (texts[a] < texts[b] ? -1 : 1))
    yield
  }
  for (let length = SORTED_PIECE; length < count; length *= 2) {
    for (let from = 0; from < count; from += length * 2) {
      const middle = Math.min(count, from + length)
      const end = Math.min(count, middle + length)
      let left = from
      let right = middle
      for (let at = from; at < end; at++) {
        const takesLeft = left < middle && (right === end || texts[order[left]] < texts[order[right]])
        merged[at] = takesLeft ? order[left++] : order[right++]
        if (at % MERGED_TEXTS === 0) yield
      }
    }
    const sorted = merged
    merged = order
    order = sorted
  }
  return order
}

function textsInOrder({ count, bytes, offsets }: NameInterner, order: Uint32Array): ByteStrings {
  const texts = { bytes: new Uint8Array(offsets[count]), offsets: new Uint32Array(count + 1) }
  let end = 0
  for (let rank = 0; rank < count; rank++) {
    for (let i = offsets[order[rank]]; i < offsets[order[rank] + 1]; i++) texts.bytes[end++] = bytes[i]
    texts.offsets[rank + 1] = end
  }
  return texts
}

/** Lists the names of each rank: first measures all lists, then writes them. */
class ListBuilder implements NameLists {
  gaps = new Uint8Array(0)
  readonly starts: Uint32Array
  readonly sizes: Uint32Array
  /** The name that each list ends with so far, plus one. */
  private readonly ends: Uint32Array
  /** Where each list is written on. */
  private places = new Uint32Array(0)

  /** @param extensionCount names have the ranks 0 … extensionCount */
  constructor(extensionCount: number) {
    this.starts = new Uint32Array(extensionCount + 2)
    this.sizes = new Uint32Array(extensionCount + 1)
    this.ends = new Uint32Array(extensionCount + 1)
  }

  /** Takes names [from, to), which follow those before them. */
  measure(ranks: Ranks, from: number, to: number): void {
    const { starts, sizes, ends } = this
    for (let id = from; id < to; id++) {
      const rank = ranks[id]
      starts[rank + 1] += varintLength(id - ends[rank])
      sizes[rank]++
      ends[rank] = id + 1
    }
  }

  /** All names were measured: they can be written. */
  allocate(): void {
    const { starts } = this
    for (let rank = 1; rank < starts.length; rank++) starts[rank] += starts[rank - 1]
    this.gaps = new Uint8Array(starts[starts.length - 1])
    this.places = starts.slice()
    this.ends.fill(0)
  }

  /** Writes names [from, to), which follow those before them. */
  write(ranks: Ranks, from: number, to: number): void {
    const { gaps, places, ends } = this
    for (let id = from; id < to; id++) {
      const rank = ranks[id]
      places[rank] = writeVarint(gaps, places[rank], id - ends[rank])
      ends[rank] = id + 1
    }
  }
}
