import { CancelledError, type RowChange, type RowKey } from '@hotpath/model'
import {
  lastRowid,
  type PageSource,
  rowsBehind,
  sameColumns,
  sameKeys,
  type TableShape,
  type TextEncoding,
} from '@hotpath/sqlite'
import type { AuditPlan } from './audit-plan.js'
import { type AuditEntry, readAuditRow } from './audit-rows.js'
import { RowChains } from './row-chains.js'
import { digestOf, RowSum } from './row-sums.js'

/** One state of a database with what of it is audited. */
export interface AuditedState {
  readonly source: PageSource
  readonly encoding: TextEncoding
  readonly tables: readonly TableShape[]
  readonly plan: AuditPlan
}

/**
 * The changes between two states that both have an audit table, with all their steps: those that the audit has kept since the first state, table by table in place of what the pages say.
 *
 * Pages are what is true. The steps of a table are told if they add up to what its pages say (`RowSum`), and fit onto each other; if not (somebody
 * wrote without triggers, the owner let go of steps that were not told yet), what the pages say is told, as it is of tables that are not audited in both states
 * or not all the time between. Reads the steps twice.
 */
export class AuditedChanges {
  /** Whether steps of the audit are told; known with the first change. */
  isAudited = false
  /** By table, of those that have steps or changes. */
  readonly #checks = new Map<string, TableCheck | undefined>()

  /**
   * @param difference all changes by pages, table by table
   * @param again the same, from another difference
   * @param isStopped before anything is told; then CancelledError is thrown
   */
  constructor(
    private readonly before: AuditedState,
    private readonly after: AuditedState,
    private readonly difference: { changes(): Iterable<RowChange> },
    private readonly again: () => Iterable<RowChange>,
    private readonly isStopped: () => boolean,
  ) {}

  *changes(): Generator<RowChange> {
    if (!this.#addUp()) {
      yield* this.difference.changes()
      return
    }
    let others = false
    for (const change of this.difference.changes()) {
      this.#goOn()
      const check = this.#checkOf(change.table)
      if (check === undefined) others = true
      else check.subtract(change)
    }
    others ||= [...this.#checks.values()].some(check => check?.isRight === false)
    for (const entry of this.#entries()) {
      if (entry.kind === 'begin' || !this.#isRight(entry.table)) continue
      this.isAudited ||= entry.changes.length > 0
      yield* entry.changes
    }
    if (!others) return
    for (const change of this.again()) if (!this.#isRight(change.table)) yield change
  }

  /** Whether the steps of a table are told. */
  #isRight(table: string): boolean {
    return this.#checks.get(table)?.isRight === true
  }

  /** Adds up the steps of each table; false if there are none. */
  #addUp(): boolean {
    const chains = new RowChains()
    let isEmpty = true
    for (const entry of this.#entries()) {
      this.#goOn()
      const check = this.#checkOf(entry.table)
      if (check === undefined) continue
      isEmpty = false
      if (entry.kind === 'begin') check.refuse()
      else for (const change of entry.changes) check.add(change, chains)
    }
    return !isEmpty
  }

  /** Undefined: its steps are not told in any case. */
  #checkOf(table: string): TableCheck | undefined {
    if (!this.#checks.has(table)) {
      const shape = this.#shapeOf(table)
      this.#checks.set(table, shape === undefined ? undefined : new TableCheck(shape))
    }
    return this.#checks.get(table)
  }

  /** How a table is stored that is audited in both states, and stored alike. */
  #shapeOf(table: string): TableShape | undefined {
    const { before, after } = this
    if (!before.plan.tables.has(table) || !after.plan.tables.has(table)) return undefined
    const old = before.tables.find(({ name }) => name === table)
    const shape = after.tables.find(({ name }) => name === table)
    if (old === undefined || shape === undefined) return undefined
    return sameColumns(old, shape) && sameKeys(old, shape) ? shape : undefined
  }

  /** What the audit has behind the state before. */
  *#entries(): Generator<AuditEntry> {
    const { before, after } = this
    const from = lastRowid(before.source, before.plan.shape!)
    const shapeOf = (table: string): TableShape | undefined => this.#checkOf(table)?.shape
    for (const { values } of rowsBehind(after.source, after.plan.shape!, from, after.encoding)) {
      const entry = readAuditRow(values, shapeOf)
      if (entry !== undefined) yield entry
    }
  }

  #goOn(): void {
    if (this.isStopped()) throw new CancelledError('the follower stops')
  }
}

/** Whether the steps of a table lead from the one state to the other. */
class TableCheck {
  readonly #sum = new RowSum()
  #fits = true

  /** @param shape how it is stored, in both states */
  constructor(readonly shape: TableShape) {}

  /** Something between is missing. */
  refuse(): void {
    this.#fits = false
  }

  get isRight(): boolean {
    return this.#fits && this.#sum.isNothing
  }

  add({ table, key, old, new: next }: RowChange, chains: RowChains): void {
    const before = old === undefined ? undefined : digestOf(key, old)
    const after = next === undefined ? undefined : digestOf(key, next)
    if (before !== undefined) this.#sum.add(before, -1)
    if (after !== undefined) this.#sum.add(after, 1)
    const row = rowName(table, key)
    if (!chains.step(row, textOf(before), textOf(after))) this.#fits = false
  }

  /** What the pages say. */
  subtract({ key, old, new: next }: RowChange): void {
    if (old !== undefined) this.#sum.add(digestOf(key, old), 1)
    if (next !== undefined) this.#sum.add(digestOf(key, next), -1)
  }
}

function rowName(table: string, key: RowKey): string {
  return typeof key === 'bigint' ? `${table}\0${key}` : `${table}\0${textOf(digestOf(key, []))}`
}

function textOf(digest: Buffer | undefined): string {
  return digest === undefined ? '' : digest.toString('latin1')
}
