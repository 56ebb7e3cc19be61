import { type EntryColumns, KIND_MASK, Kind, type RefColumn, type TimeColumn } from '@hotpath/model'
import { birthOf } from '@hotpath/scanner'
import { Random } from '@hotpath/testing'

/** 2024-01-01: when the made-up file system was filled; entries are made in the order of the list, one every 100 µs. */
const MADE_SECONDS = 1_704_067_200
const TICKS_PER_SECOND = 10_000_000
const TICKS_PER_ENTRY = 1_000
/** A file is changed up to a second after it was made: permissions, owner, the rename to its place. */
const CHANGED_TICKS = 10_000_000
/** Inodes start here, and this part of them is skipped: others made files meanwhile. */
const FIRST_INODE = 12
const SKIPPED_SHARE = 0.1
/** Windows attributes as scanners make them up: of a directory and of any other entry. */
const DIRECTORY_ATTRIBUTES = 0x10
const FILE_ATTRIBUTES = 0x20

/**
 * Turns the rows of a list into those of a tree: inodes, times of creation and change, attributes, and 100 ns ticks in all
 * three times, in the way in which a file system is filled. Ticks of modification times are drawn for every row, which is
 * the worst case: what was unpacked from an archive has whole seconds.
 */
export class TreeColumns {
  private readonly random: Random
  private inode = FIRST_INODE
  private made = 0

  constructor(seed: number) {
    this.random = new Random(seed)
  }

  of(rows: EntryColumns): EntryColumns {
    const { count, kind } = rows
    const { random } = this
    const ref: RefColumn = {
      low: new Uint32Array(count),
      high: new Uint32Array(count),
      birth: new Uint32Array(count),
    }
    const created = timeColumn(count)
    const changed = timeColumn(count)
    const modified: TimeColumn = {
      seconds: rows.modified?.seconds ?? new Float64Array(count).fill(MADE_SECONDS),
      ticks: Uint32Array.from({ length: count }, () => random.below(TICKS_PER_SECOND)),
    }
    const attributes = new Uint32Array(count)
    for (let i = 0; i < count; i++) {
      this.inode++
      while (random.chance(SKIPPED_SHARE)) this.inode++
      this.made += random.below(TICKS_PER_ENTRY * 2)
      setTime(created, i, this.made)
      setTime(changed, i, this.made + random.below(CHANGED_TICKS))
      ref.low[i] = this.inode
      ref.birth[i] = birthOf(created.seconds[i]!, created.ticks[i]!, 0)
      attributes[i] = (kind[i]! & KIND_MASK) === Kind.directory ? DIRECTORY_ATTRIBUTES : FILE_ATTRIBUTES
    }
    return { ...rows, modified, changed, created, attributes, ref }
  }
}

function timeColumn(count: number): TimeColumn {
  return { seconds: new Float64Array(count), ticks: new Uint32Array(count) }
}

function setTime({ seconds, ticks }: TimeColumn, index: number, sinceMade: number): void {
  seconds[index] = MADE_SECONDS + Math.floor(sinceMade / TICKS_PER_SECOND)
  ticks[index] = sinceMade % TICKS_PER_SECOND
}
