import type { IndexedRow } from './indexed-row.js'
import { memoryBlock } from './memory-block.js'
import { allRows, BLOCK_ROWS, type RowBlock } from './row-block.js'

/** A block of the delta and which of its rows are still there. */
export interface DeltaBlock {
  readonly block: RowBlock
  readonly live: number
}

interface Slot {
  rows: IndexedRow[]
  block: RowBlock
  live: number
}

interface Place {
  readonly slot: Slot
  readonly row: number
}

/** Rows that are in memory only, newest last; they are searched block by block. */
export class RowDelta {
  private readonly slots: Slot[] = []
  /** The block of each table that has room. */
  private readonly open = new Map<string, Slot>()
  private readonly places = new Map<string, Place>()
  /** Bytes of text of the rows that are there. */
  textBytes = 0

  /** Rows that are there. */
  get count(): number {
    return this.places.size
  }

  has(table: string, key: Uint8Array): boolean {
    return this.places.has(placeKey(table, key))
  }

  /** Puts a row in the place of one with its key. Cost: the texts of a block are folded. */
  put(row: IndexedRow): void {
    this.remove(row.table, row.key)
    let slot = this.open.get(row.table)
    if (slot === undefined || slot.rows.length === BLOCK_ROWS) {
      slot = { rows: [row], block: memoryBlock([row]), live: 1 }
      this.slots.push(slot)
      this.open.set(row.table, slot)
    } else {
      slot.rows.push(row)
      slot.block = memoryBlock(slot.rows)
      slot.live |= 1 << (slot.rows.length - 1)
    }
    this.places.set(placeKey(row.table, row.key), { slot, row: slot.rows.length - 1 })
    this.textBytes += row.text.length
  }

  /** @returns false if there is no such row */
  remove(table: string, key: Uint8Array): boolean {
    const name = placeKey(table, key)
    const place = this.places.get(name)
    if (place === undefined) return false
    this.places.delete(name)
    place.slot.live &= ~(1 << place.row)
    this.textBytes -= place.slot.rows[place.row]!.text.length
    return true
  }

  *blocks(): Generator<DeltaBlock> {
    for (const { block, live } of this.slots) if (live !== 0) yield { block, live: live & allRows(block.count) }
  }

  /** The rows that are there, in no order. */
  *rows(): Generator<IndexedRow> {
    for (const { slot, row } of this.places.values()) yield slot.rows[row]!
  }
}

function placeKey(table: string, key: Uint8Array): string {
  return `${table}\0${Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')}`
}
