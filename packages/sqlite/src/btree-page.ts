import type { CorruptFileError } from '@hotpath/model'
import { uint16At, uint32At } from './big-endian.js'
import { damage } from './damage.js'
import { DATABASE_HEADER_BYTES } from './database-header.js'
import { type PageSource, pageAt, pageOffset } from './page-source.js'
import { varintEnd, varintRowid, varintSize } from './varint.js'

/**
 * A page of a b-tree (sqlite.org, "Database File Format", 1.6); on page 1 after the header of the database:
 *
 *   offset  size  field
 *        0     1  kind         2 interior index, 5 interior table, 10 leaf index, 13 leaf table
 *        3     2  cells
 *        8     4  right-most child, interior pages only
 *     8/12   2*n  where each cell starts, in the order of the keys
 */
const LEAF_HEADER_BYTES = 8
const INTERIOR_HEADER_BYTES = 12
const KINDS = new Map<number, PageKind>([
  [2, { table: false, leaf: false }],
  [5, { table: true, leaf: false }],
  [10, { table: false, leaf: true }],
  [13, { table: true, leaf: true }],
])
/** SQLite's own limit of the bytes of a row. */
const MAX_PAYLOAD_BYTES = 2 ** 31 - 1

export interface PageKind {
  /** Of a table with rowids; else of an index, as which tables without rowids are stored. */
  readonly table: boolean
  readonly leaf: boolean
}

/** A cell with a record. */
export interface Cell {
  /** A number where that is exact; 0 in pages of an index. */
  readonly rowid: number | bigint
  /** Where on its page it starts, and where what is on the page ends. */
  readonly start: number
  readonly end: number
  /** Bytes of the record, and where on the page the first of them are. */
  readonly payloadBytes: number
  readonly payloadStart: number
  readonly localBytes: number
  /** Page with the rest of the record, or 0. */
  readonly overflow: number
}

/** One page of a b-tree. All that it returns lies within the page. */
export class BtreePage implements PageKind {
  readonly table: boolean
  readonly leaf: boolean
  readonly cellCount: number
  readonly #headerEnd: number
  readonly #pointers: number

  /** @throws CorruptFileError where it is no such page */
  constructor(
    readonly source: PageSource,
    readonly no: number,
    readonly bytes: Uint8Array,
  ) {
    const at = no === 1 ? DATABASE_HEADER_BYTES : 0
    const kind = KINDS.get(bytes[at]!)
    if (kind === undefined) throw this.damage(at, 'a kind of b-tree page (2, 5, 10, 13)', bytes[at])
    this.table = kind.table
    this.leaf = kind.leaf
    this.cellCount = uint16At(bytes, at + 3)
    this.#headerEnd = at
    this.#pointers = at + (kind.leaf ? LEAF_HEADER_BYTES : INTERIOR_HEADER_BYTES)
    if (this.#pointers + 2 * this.cellCount > source.usableSize)
      throw this.damage(at + 3, `cells whose pointers fit into ${source.usableSize} bytes`, this.cellCount)
  }

  static at(source: PageSource, no: number, from = 0): BtreePage {
    return new BtreePage(source, no, pageAt(source, no, from))
  }

  damage(at: number, expected: string, found: unknown): CorruptFileError {
    return damage(
      { file: this.source.file, offset: pageOffset(this.source, this.no), bytes: this.bytes },
      at,
      expected,
      found,
    )
  }

  /** Children of an interior page: one for each cell, and the right-most. */
  get childCount(): number {
    return this.leaf ? 0 : this.cellCount + 1
  }

  childAt(index: number): number {
    const at = index < this.cellCount ? this.#cellStart(index) : this.#headerEnd + 8
    const child = uint32At(this.bytes, at)
    if (child < 2 || child > this.source.pageCount)
      throw this.damage(at, `a child of the ${this.source.pageCount} pages of the database`, child)
    return child
  }

  /** Key of cell `index` of an interior page of a table: the greatest rowid below its child. */
  separatorAt(index: number): number | bigint {
    const at = this.#cellStart(index) + 4
    this.#endOf(at)
    return varintRowid(this.bytes, at)
  }

  /** The record in cell `index`; interior pages of tables have none. */
  cellAt(index: number): Cell {
    const start = this.#cellStart(index)
    const sizeAt = this.leaf ? start : start + 4
    const sizeEnd = this.#endOf(sizeAt)
    const payloadBytes = varintSize(this.bytes, sizeAt)
    const payloadStart = this.table ? this.#endOf(sizeEnd) : sizeEnd
    if (payloadBytes > MAX_PAYLOAD_BYTES || payloadBytes > this.source.pageCount * this.source.pageSize)
      throw this.damage(sizeAt, 'a record that fits into the database', payloadBytes)
    const localBytes = localPayload(payloadBytes, this.source.usableSize, this.table)
    const whole = localBytes === payloadBytes
    const end = payloadStart + localBytes + (whole ? 0 : 4)
    if (end > this.source.usableSize)
      throw this.damage(start, `a cell that ends within ${this.source.usableSize} bytes`, end)
    return {
      rowid: this.table ? varintRowid(this.bytes, sizeEnd) : 0,
      start,
      end,
      payloadBytes,
      payloadStart,
      localBytes,
      overflow: whole ? 0 : uint32At(this.bytes, end - 4),
    }
  }

  #cellStart(index: number): number {
    const at = this.#pointers + 2 * index
    const start = uint16At(this.bytes, at)
    // Interior cells start with a child of four bytes; the shortest leaf cell takes as many.
    if (start < this.#pointers + 2 * this.cellCount || start + 4 > this.source.usableSize)
      throw this.damage(at, `a cell within ${this.source.usableSize} bytes and after the pointers`, start)
    return start
  }

  #endOf(at: number): number {
    const end = varintEnd(this.bytes, at, this.source.usableSize)
    if (end === 0) throw this.damage(at, 'a varint within the page', 'its end')
    return end
  }
}

/** How many bytes of a record of `payload` bytes are on the page of the tree; the others overflow ("Database File Format", 1.6). */
export function localPayload(payload: number, usable: number, table: boolean): number {
  const most = table ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23
  if (payload <= most) return payload
  const least = Math.floor(((usable - 12) * 32) / 255) - 23
  const fitting = least + ((payload - least) % (usable - 4))
  return fitting <= most ? fitting : least
}
