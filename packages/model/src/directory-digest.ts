import { Kind } from './entry-columns.js'
import type { EntryRow, Time } from './entry-row.js'

/** What of an entry is compared: what a scan of a tree tells of it, but for the time of access, which reading changes. */
export type DigestedRow = Pick<EntryRow, 'kind' | 'size' | 'modified' | 'changed' | 'ref'>

const LOW_SEED = 0x9e3779b9
const HIGH_SEED = 0x85ebca6b
const TWO_32 = 2 ** 32

/**
 * Sum, in no order, of a digest of 64 bits for each entry of one directory: two observers of the same entries get the same
 * sum, however each of them finds its entries. It tells apart what chance makes different, not what somebody forges.
 */
export class DirectoryDigest {
  /** Entries. */
  count = 0
  /** Halves of the sum, u32. */
  low = 0
  high = 0

  /** Cost: some ten operations for each byte of the name. */
  add(name: Uint8Array, row: DigestedRow): void {
    let low = LOW_SEED
    let high = HIGH_SEED
    const mix = (word: number) => {
      low = step(low, word)
      high = step(high, Math.imul(word, 0xc2b2ae35) ^ low)
    }
    for (const byte of name) mix(byte)
    mix(name.length)
    mix(row.kind)
    // Directories have no size of their own in an index.
    const size = row.kind === Kind.directory || Number.isNaN(row.size) ? -1 : row.size
    mix((size % TWO_32) | 0)
    mix(Math.floor(size / TWO_32) | 0)
    mixTime(mix, row.modified)
    mixTime(mix, row.changed)
    mix(row.ref?.low ?? 0)
    mix(row.ref?.high ?? 0)
    mix(row.ref?.birth ?? 0)
    this.count++
    this.low = (this.low + finish(low)) >>> 0
    this.high = (this.high + finish(high)) >>> 0
  }

  reset(): void {
    this.count = 0
    this.low = 0
    this.high = 0
  }
}

function mixTime(mix: (word: number) => void, time: Time | undefined): void {
  const known = time !== undefined && !Number.isNaN(time.seconds)
  const seconds = known ? time.seconds : -1
  mix((seconds % TWO_32) | 0)
  mix(Math.floor(seconds / TWO_32) | 0)
  mix(known ? time.ticks : 0xffffffff)
}

function step(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0xcc9e2d51)
  return (mixed << 15) | (mixed >>> 17)
}

/** Final mixing of MurmurHash3 (public domain, Austin Appleby): every bit of the input changes half of the output's. */
function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
