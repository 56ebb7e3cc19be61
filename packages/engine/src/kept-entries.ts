import { NameRanks } from './name-ranks.js'
import { PathRanks } from './path-ranks.js'
import type { RankedRows } from './ranked-rows.js'
import type { TableRows } from './table-rows.js'

/** Rows of one source in an order, each found by its place: what a search leaves for the next one. */
export interface KeptEntries {
  readonly length: number
  readonly bytes: number
  /** Row by place. @param table where the rows are, if they are of a segment */
  open(table: TableRows | undefined): (place: number) => number
}

export class SortedEntries implements KeptEntries {
  constructor(private readonly rows: Uint32Array) {}

  get length(): number {
    return this.rows.length
  }

  get bytes(): number {
    return this.rows.byteLength
  }

  open(): (place: number) => number {
    return place => this.rows[place]
  }
}

/** By name and path. */
export class EntriesByName implements KeptEntries {
  constructor(
    private readonly positions: RankedRows,
    private readonly descending: boolean,
  ) {}

  get length(): number {
    return this.positions.length
  }

  get bytes(): number {
    return this.positions.bytes
  }

  open(table: TableRows): (place: number) => number {
    const ranks = new NameRanks(table, this.positions, this.descending)
    return place => ranks.at(place)
  }
}

export class EntriesByPath implements KeptEntries {
  constructor(
    private readonly rows: RankedRows,
    private readonly descending: boolean,
  ) {}

  get length(): number {
    return this.rows.length
  }

  get bytes(): number {
    return this.rows.bytes
  }

  open(table: TableRows): (place: number) => number {
    const ranks = new PathRanks(table, this.rows, this.descending)
    return place => ranks.at(place)
  }
}
