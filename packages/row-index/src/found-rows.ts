import { popCount, type RowBlock } from './row-block.js'
import type { RowMatcher } from './row-matcher.js'
import { compareHits } from './row-order.js'

/** A row that was found. */
export interface RowHit {
  readonly table: string
  readonly key: Uint8Array
  readonly text: Uint8Array
}

/**
 * The first rows that a search finds, from parts each of which gives its rows in the order of hits: of each part no more are kept than are wanted,
 * and where so many begin a word no more are asked whether they do.
 */
export class FoundRows {
  private readonly begun: RowHit[] = []
  private readonly others: RowHit[] = []
  private mostBegun = 0
  private mostOthers = 0

  constructor(
    private readonly matcher: RowMatcher,
    private readonly wanted: number,
  ) {}

  /** Rows of another part come. @param most that are kept of it */
  begin(most = this.wanted): void {
    this.mostBegun = this.begun.length + most
    this.mostOthers = this.others.length + most
  }

  /** Takes rows of a block, the last first. @returns how many there are */
  add(block: RowBlock, matched: number): number {
    if (matched === 0) return 0
    if (this.begun.length < this.mostBegun) {
      const begun = this.matcher.begun(block, matched)
      collect(block, begun, this.begun, this.mostBegun)
      collect(block, matched & ~begun, this.others, this.mostOthers)
    }
    return popCount(matched)
  }

  /** Those that are wanted, from `offset` on. */
  page(offset: number): RowHit[] {
    return [...this.begun.sort(compareHits), ...this.others.sort(compareHits)].slice(offset, this.wanted)
  }
}

/** Appends the rows of a mask, the last first, until there are `most`. */
function collect(block: RowBlock, mask: number, hits: RowHit[], most: number): void {
  for (let row = block.count - 1; row >= 0 && hits.length < most; row--) {
    if ((mask & (1 << row)) !== 0) hits.push({ table: block.table, key: block.key(row), text: block.text(row) })
  }
}
