import type { HotColumns } from '@hotpath/model'
import { checkHotHeader, encodeHotHeader, HOT_RECORD_BYTES } from './hot-file.js'
import { recordChecksum, stateOfPlace, WORDS, Word } from './hot-record.js'
import type { NodeKey } from './node-key.js'
import type { OpenColumns } from './open-buffer.js'
import { PageMarks } from './page-marks.js'
import { afterOpen, MAX_RUNS, merged, mergedHeat, type Scoring, scoreOf, standingOf, type Use } from './scoring.js'

/**
 * Records at most: 8 MB here and in each query worker. Who opens 100 new files a day gets there after seven years; then
 * the coldest eighth makes room.
 */
export const MAX_HOT_RECORDS = 262_144
const EVICTED_SHARE = 8
const FIRST_PLACES = 64
/** The record changed since replicas were told of it, and since its checksum was made. */
const CHANGED = 1
const UNSEALED = 2
/** Bytes of a page of the file: what is written at once. */
const PAGE_BYTES = 4096
const RECORDS_PER_PAGE = PAGE_BYTES / HOT_RECORD_BYTES

/** A number of a record, stable while the record is there. 0: none (the header stands there in the file). */
export type HotSlot = number

/** A page of the file. A copy: what happens to the table meanwhile is not in it. */
export interface HotPage {
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * Hot records by node, as the bytes of the file and an index in memory (open addressing, linear probing). Pure: what is
 * to be written is handed out. Cost of an open: a lookup and 32 bytes.
 */
export class HotTable {
  /** Records. */
  size = 0
  /** Records that were given up to make room. */
  evicted = 0
  /** Something of what `touch` has read: what nobody could see the compiler would not read. */
  touched = 0
  private words: Uint32Array<ArrayBuffer>
  private heats: Float32Array<ArrayBuffer>
  private bytes: Uint8Array<ArrayBuffer>
  /** Places below this have been used. */
  private end = 1
  private readonly free: HotSlot[] = []
  /** Slot of each key; 0: free. */
  private index = new Uint32Array(FIRST_PLACES * 2)
  /** Slots that replicas have not been told of, each once. */
  private changes = 0
  private changed: HotSlot[] = []
  private removed: NodeKey[] = []
  /** Bits of each slot: CHANGED, UNSEALED. */
  private flags: Uint8Array
  /** Pages to be written; those in which a place became free come last. */
  private readonly unwritten = new PageMarks()
  private taken: ReturnType<PageMarks['take']> = []

  constructor(
    readonly scoring: Scoring,
    private readonly maxRecords = MAX_HOT_RECORDS,
  ) {
    const buffer = new ArrayBuffer(FIRST_PLACES * HOT_RECORD_BYTES)
    this.words = new Uint32Array(buffer)
    this.heats = new Float32Array(buffer)
    this.bytes = new Uint8Array(buffer)
    this.bytes.set(encodeHotHeader())
    this.flags = new Uint8Array(FIRST_PLACES)
  }

  /**
   * A table of what a file holds. Damaged records are left out and counted; of two records of one node the later stays.
   * @throws CorruptFileError or UnsupportedVersionError where the header is not good
   */
  static load(file: Uint8Array, name: string, scoring: Scoring): { table: HotTable; damaged: number } {
    checkHotHeader(file, name)
    const table = new HotTable(scoring, Math.max(MAX_HOT_RECORDS, Math.floor(file.length / HOT_RECORD_BYTES)))
    let damaged = file.length % HOT_RECORD_BYTES === 0 ? 0 : 1
    table.end = Math.floor(file.length / HOT_RECORD_BYTES)
    table.reserve(table.end)
    // Large enough from the start: growing would link records that have not been looked at.
    while (table.index.length < table.end * 2) table.index = new Uint32Array(table.index.length * 2)
    table.bytes.set(file.subarray(0, table.end * HOT_RECORD_BYTES))
    for (let slot = 1; slot < table.end; slot++) {
      const state = stateOfPlace(table.bytes, slot * HOT_RECORD_BYTES)
      if (state === 'record') table.adopt(slot)
      else {
        if (state === 'damaged') damaged++
        table.clear(slot)
      }
    }
    return { table, damaged }
  }

  /** A record that was loaded into a place joins the index. */
  private adopt(slot: HotSlot): void {
    const base = slot * WORDS
    const { words } = this
    const other = this.find(
      words[base + Word.volume],
      words[base + Word.low],
      words[base + Word.high],
      words[base + Word.birth],
    )
    if (other !== 0) {
      const [mine, theirs] = [this.useAt(slot), this.useAt(other)]
      const later = mine.opened !== theirs.opened ? mine.opened > theirs.opened : mine.runs > theirs.runs
      if (later) {
        this.setUse(other, mine)
        // Its checksum is still that of what it was.
        this.note(other)
      }
      this.clear(slot)
      this.note(slot)
      return
    }
    this.insert(slot)
  }

  /** Slot of a node, or 0. */
  find(volume: number, low: number, high: number, birth: number): HotSlot {
    const { index, words } = this
    const mask = index.length - 1
    for (let at = hashOf(volume, low, high, birth) & mask; ; at = (at + 1) & mask) {
      const slot = index[at]
      if (slot === 0) return 0
      const base = slot * WORDS
      if (
        words[base + Word.low] === low &&
        words[base + Word.high] === high &&
        words[base + Word.birth] === birth &&
        words[base + Word.volume] === volume
      )
        return slot
    }
  }

  useAt(slot: HotSlot): Use {
    const base = slot * WORDS
    const { words } = this
    return { runs: words[base + Word.runs], opened: words[base + Word.opened], heat: this.heats[base + Word.heat] }
  }

  keyAt(slot: HotSlot): NodeKey {
    const base = slot * WORDS
    const { words } = this
    return {
      volume: words[base + Word.volume],
      low: words[base + Word.low],
      high: words[base + Word.high],
      birth: words[base + Word.birth],
    }
  }

  /** Opens ever. */
  runsAt(slot: HotSlot): number {
    return this.words[slot * WORDS + Word.runs]
  }

  /** Seconds since 1970 of the last open. */
  openedAt(slot: HotSlot): number {
    return this.words[slot * WORDS + Word.opened]
  }

  scoreAt(slot: HotSlot, nowSeconds: number): number {
    return scoreOf(this.useAt(slot), nowSeconds, this.scoring)
  }

  /** Another number after each change of a record. */
  get version(): number {
    return this.changes
  }

  /** `standingOf` its use. */
  standingAt(slot: HotSlot): number | undefined {
    return standingOf(this.useAt(slot), this.scoring)
  }

  /** Every record. The table must not be changed meanwhile. */
  forEach(visit: (slot: HotSlot) => void): void {
    for (let slot = 1; slot < this.end; slot++) if (this.isRecord(slot)) visit(slot)
  }

  /** Counts opens, in their order. */
  openAll(opens: OpenColumns): void {
    this.touched = this.touch(opens)
    const { count, volume, low, high, birth, at } = opens
    for (let i = 0; i < count; i++) this.open(volume[i], low[i], high[i], birth[i], at[i])
  }

  /**
   * Reads where the records may be and what stands there, and compares nothing. Records lie anywhere in megabytes: the processor waits for
   * many of them together here, and for each by itself in `open` (0.08 instead of 0.22 ms for a thousand among 100,000).
   */
  private touch({ count, volume, low, high, birth }: OpenColumns): number {
    const { index, words } = this
    const mask = index.length - 1
    let sum = 0
    for (let i = 0; i < count; i++) {
      const place = hashOf(volume[i], low[i], high[i], birth[i]) & mask
      sum ^= words[index[place] * WORDS + Word.low]
    }
    return sum
  }

  /** Counts an open. @param at whole seconds since 1970 */
  open(volume: number, low: number, high: number, birth: number, at: number): void {
    const slot = this.find(volume, low, high, birth)
    if (slot === 0) {
      this.put({ volume, low, high, birth }, afterOpen(undefined, at, this.scoring))
      return
    }
    // As `afterOpen` has it, without objects: a thousand of them take longer than the rest.
    const base = slot * WORDS
    const { words, heats } = this
    const opened = words[base + Word.opened]
    heats[base + Word.heat] = mergedHeat(opened, heats[base + Word.heat], at, 1, this.scoring)
    if (words[base + Word.runs] < MAX_RUNS) words[base + Word.runs]++
    if (at > opened) words[base + Word.opened] = at
    this.note(slot)
  }

  /** Sets the record of a node. @returns its slot */
  put(key: NodeKey, use: Use): HotSlot {
    let slot = this.find(key.volume, key.low, key.high, key.birth)
    if (slot === 0) {
      slot = this.allot()
      this.setKey(slot, key)
      this.setUse(slot, use)
      this.insert(slot)
    } else this.setUse(slot, use)
    this.note(slot)
    return slot
  }

  remove(slot: HotSlot): void {
    this.removed.push(this.keyAt(slot))
    this.unindex(slot)
    this.clear(slot)
    this.note(slot)
  }

  /**
   * The record of one node becomes that of another, or is added to the one that it has. In the file that is one record
   * written, or the sum and then the free place.
   * @returns false if `from` has no record
   */
  move(from: NodeKey, to: NodeKey): boolean {
    const slot = this.find(from.volume, from.low, from.high, from.birth)
    if (slot === 0) return false
    const other = this.find(to.volume, to.low, to.high, to.birth)
    if (other === slot) return true
    if (other !== 0) {
      this.setUse(other, merged(this.useAt(slot), this.useAt(other), this.scoring))
      this.note(other)
      this.remove(slot)
      return true
    }
    this.removed.push(from)
    this.unindex(slot)
    this.setKey(slot, to)
    this.insert(slot)
    this.note(slot)
    return true
  }

  /** What another table had to tell; nothing of it is handed out again. */
  apply(columns: HotColumns): void {
    for (let i = 0; i < columns.count; i++) {
      const key = {
        volume: columns.volume[i],
        low: columns.ref.low[i],
        high: columns.ref.high[i],
        birth: columns.ref.birth[i],
      }
      if (columns.runs[i] > 0) {
        this.put(key, { runs: columns.runs[i], opened: columns.opened[i], heat: columns.heat[i] })
        continue
      }
      const slot = this.find(key.volume, key.low, key.high, key.birth)
      if (slot !== 0) this.remove(slot)
    }
    this.takeChanges()
    this.unwritten.clear()
  }

  /** What changed since this was last called, for replicas. */
  takeChanges(): HotColumns {
    const { changed, removed, flags } = this
    this.changed = []
    this.removed = []
    let count = 0
    for (const slot of changed) {
      flags[slot] &= ~CHANGED
      if (this.isRecord(slot)) changed[count++] = slot
    }
    changed.length = count
    return this.columnsOf(removed, changed)
  }

  /**
   * Numbers of the pages that changed since this was last called. Those in which a place became free come last, so that
   * what took over its record is in the file by then.
   */
  takeUnwritten(): number[] {
    this.taken = this.unwritten.take()
    return this.taken.map(({ page }) => page)
  }

  /** The pages that were taken last could not be written: they come again. */
  putBackUnwritten(): void {
    for (const { page, isLast } of this.taken) this.unwritten.mark(page, isLast)
    this.taken = []
  }

  /** A page as it is now. Cost: its bytes, and a checksum for each record that changed since the page was last asked for. */
  page(number: number): HotPage {
    const first = number * RECORDS_PER_PAGE
    const end = Math.min(first + RECORDS_PER_PAGE, this.end)
    for (let slot = first; slot < end; slot++) {
      if ((this.flags[slot] & UNSEALED) === 0) continue
      this.flags[slot] &= ~UNSEALED
      if (this.isRecord(slot)) this.words[slot * WORDS] = recordChecksum(this.bytes, slot * HOT_RECORD_BYTES)
    }
    return {
      offset: first * HOT_RECORD_BYTES,
      bytes: this.bytes.slice(first * HOT_RECORD_BYTES, end * HOT_RECORD_BYTES),
    }
  }

  /** Every record, for a replica that has none. */
  snapshot(): HotColumns {
    const slots: HotSlot[] = []
    this.forEach(slot => {
      slots.push(slot)
    })
    return this.columnsOf([], slots)
  }

  /** A node that lost its record and got one again comes twice: the last word is the right one. */
  private columnsOf(removed: readonly NodeKey[], slots: readonly HotSlot[]): HotColumns {
    const count = removed.length + slots.length
    const u32 = (): Uint32Array => new Uint32Array(count)
    const ref = { low: u32(), high: u32(), birth: u32() }
    const columns = { count, volume: u32(), ref, runs: u32(), opened: u32(), heat: new Float64Array(count) }
    const { words, heats } = this
    const { volume, runs, opened, heat } = columns
    const { low, high, birth } = ref
    removed.forEach((key, i) => {
      volume[i] = key.volume
      low[i] = key.low
      high[i] = key.high
      birth[i] = key.birth
    })
    let i = removed.length
    for (const slot of slots) {
      const base = slot * WORDS
      volume[i] = words[base + Word.volume]
      low[i] = words[base + Word.low]
      high[i] = words[base + Word.high]
      birth[i] = words[base + Word.birth]
      runs[i] = words[base + Word.runs]
      opened[i] = words[base + Word.opened]
      heat[i] = heats[base + Word.heat]
      i++
    }
    return columns
  }

  private isRecord(slot: HotSlot): boolean {
    return this.words[slot * WORDS + Word.runs] !== 0
  }

  private note(slot: HotSlot): void {
    this.changes++
    const before = this.flags[slot]
    if ((before & CHANGED) === 0) this.changed.push(slot)
    this.flags[slot] = before | CHANGED | UNSEALED
    this.unwritten.mark(Math.floor(slot / RECORDS_PER_PAGE), !this.isRecord(slot))
  }

  private setKey(slot: HotSlot, { volume, low, high, birth }: NodeKey): void {
    const base = slot * WORDS
    const { words } = this
    words[base + Word.volume] = volume
    words[base + Word.low] = low
    words[base + Word.high] = high
    words[base + Word.birth] = birth
  }

  private setUse(slot: HotSlot, { runs, opened, heat }: Use): void {
    const base = slot * WORDS
    this.words[base + Word.runs] = runs
    this.words[base + Word.opened] = opened
    this.heats[base + Word.heat] = heat
  }

  /** The place is free again. */
  private clear(slot: HotSlot): void {
    this.words.fill(0, slot * WORDS, (slot + 1) * WORDS)
    this.free.push(slot)
  }

  private allot(): HotSlot {
    if (this.size >= this.maxRecords) this.evict()
    const free = this.free.pop()
    if (free !== undefined) return free
    const slot = this.end++
    this.reserve(this.end)
    return slot
  }

  /** Gives up the coldest records, as of the last open of any. */
  private evict(): void {
    let latest = 0
    const slots: HotSlot[] = []
    this.forEach(slot => {
      slots.push(slot)
      latest = Math.max(latest, this.openedAt(slot))
    })
    const scores = new Map(slots.map(slot => [slot, this.scoreAt(slot, latest)]))
    slots.sort((a, b) => (scores.get(a) ?? 0) - (scores.get(b) ?? 0) || this.openedAt(a) - this.openedAt(b))
    const count = Math.max(1, Math.floor(slots.length / EVICTED_SHARE))
    for (const slot of slots.slice(0, count)) this.remove(slot)
    this.evicted += count
  }

  private reserve(places: number): void {
    if (places * WORDS <= this.words.length) return
    const buffer = new ArrayBuffer(Math.max(places, (this.words.length / WORDS) * 2) * HOT_RECORD_BYTES)
    const bytes = new Uint8Array(buffer)
    bytes.set(this.bytes)
    this.bytes = bytes
    this.words = new Uint32Array(buffer)
    this.heats = new Float32Array(buffer)
    const flags = new Uint8Array(this.words.length / WORDS)
    flags.set(this.flags)
    this.flags = flags
  }

  private insert(slot: HotSlot): void {
    this.size++
    if (this.size * 2 > this.index.length) {
      this.index = new Uint32Array(this.index.length * 2)
      this.forEach(other => {
        if (other !== slot) this.link(other)
      })
    }
    this.link(slot)
  }

  private link(slot: HotSlot): void {
    const { index } = this
    const mask = index.length - 1
    let at = this.hashAt(slot) & mask
    while (index[at] !== 0) at = (at + 1) & mask
    index[at] = slot
  }

  /** Takes a record out of the index; those behind it close the gap. */
  private unindex(slot: HotSlot): void {
    const { index } = this
    const mask = index.length - 1
    let gap = this.hashAt(slot) & mask
    while (index[gap] !== slot) gap = (gap + 1) & mask
    for (let at = (gap + 1) & mask; index[at] !== 0; at = (at + 1) & mask) {
      // One that stands at or after its own place without the gap between must stay.
      const home = this.hashAt(index[at]) & mask
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      index[gap] = index[at]
      gap = at
    }
    index[gap] = 0
    this.size--
  }

  private hashAt(slot: HotSlot): number {
    const base = slot * WORDS
    const { words } = this
    return hashOf(words[base + Word.volume], words[base + Word.low], words[base + Word.high], words[base + Word.birth])
  }
}

/** Avalanche of the parts of a key. Refs are counters and volumes few: sums of them would collide. */
function hashOf(volume: number, low: number, high: number, birth: number): number {
  let hash = Math.imul(low ^ volume, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 15) ^ birth, 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 13) ^ high, 0xc2b2ae3d)
  return (hash ^ (hash >>> 16)) >>> 0
}
