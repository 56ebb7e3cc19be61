import type { NameExpression } from './name-expression.js'
import type { NameVerdicts } from './name-verdicts.js'
import { AnywhereFilter } from './row-filter.js'
import type { RowSet } from './row-set.js'
import { storedTotalWhenWritten } from './stored-total.js'
import type { TableRows } from './table-rows.js'

/** ns to read a row's name id and look up a verdict that is known, or that no candidate block can overturn. */
const LOOKUP_NS = 18
/** ns to verify a block of names: by itself, and as one of many. */
const BLOCK_ALONE_NS = 900
const BLOCK_NS = 500
/** ns to find a row of a name that matched. */
const EXPAND_NS = 6

/** Blocks verified to estimate what all of them hold: some 15 µs. */
const SAMPLE_BLOCKS = 32

/** Rows whose name passes an expression. */
export class NamesFilter extends AnywhereFilter {
  readonly verdicts: NameVerdicts
  /** Entries whose names passed when the segment was written, if it stores that. */
  readonly storedTotal: number | undefined
  private rows: RowSet | undefined
  private estimated: number | undefined

  constructor(
    private readonly table: TableRows,
    readonly expression: NameExpression,
  ) {
    super()
    this.verdicts = table.matcher.verdicts(expression, table.work)
    this.storedTotal = storedTotalWhenWritten(table.segment, table.table, expression)
  }

  get estimate(): number {
    this.estimated ??= Math.min(this.table.rowCount, this.storedTotal ?? this.estimateBySample())
    return this.estimated
  }

  /** Blocks differ: a needle may be in one name of a block or in all of them, and candidates may be false. */
  private estimateBySample(): number {
    const { verdicts, table } = this
    const { nameCount } = table.dictionary
    const blocks = Math.min(SAMPLE_BLOCKS, verdicts.candidateCount)
    if (blocks === 0) return 0
    if (blocks === verdicts.candidateCount) return this.countInFew()
    const names = Math.max(verdicts.sample(blocks), 0.5)
    return (names / blocks) * verdicts.candidateCount * (table.rowCount / nameCount)
  }

  /** Few names may have most of the rows. */
  private countInFew(): number {
    const { verdicts, table } = this
    let count = 0
    for (let id = verdicts.next(0); id >= 0; id = verdicts.next(id + 1)) count += table.dictionary.rowCountOf(id)
    return count
  }

  get testNs(): number {
    return LOOKUP_NS + this.undecidedShare * BLOCK_ALONE_NS
  }

  get allNs(): number {
    return this.rows ? 0 : this.verdicts.undecidedBlocks * BLOCK_NS + this.estimate * EXPAND_NS
  }

  test(row: number): boolean {
    return this.verdicts.has(this.table.nameIdOf(row))
  }

  all(): RowSet {
    this.rows ??= this.table.matcher.rowsOf(this.verdicts, this.table.work)
    return this.rows
  }

  private get undecidedShare(): number {
    const { blockCount } = this.table.dictionary
    return blockCount === 0 ? 0 : this.verdicts.undecidedBlocks / blockCount
  }
}
