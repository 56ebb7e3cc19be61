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
import { readAuditRow } from './audit-rows.js'
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
 * The changes between two states with all their steps: those that the audit has kept since the first state, table by table in place of what the pages say.
 *
 * Pages are what is true. The steps of a table are told if they add up to what its pages say (`RowSum`), and fit onto each other; if not (somebody
 * wrote without triggers, the owner let go of steps that were not told yet), what the pages say is told, as it is of tables that are not audited in both states
 * or not all the time between. Reads the steps twice.
 */
export class AuditedChanges {
  /** Whether steps of the audit are told; known with the first change. */
  isAudited = false

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
    const shapes = this.#shapes()
    const checks = this.#check(shapes)
    if (checks === undefined) {
      yield* this.difference.changes()
      return
    }
    let others = false
    for (const change of this.difference.changes()) {
      this.#goOn()
      const check = checks.get(change.table)
      if (check === undefined) others = true
      else check.subtract(change)
    }
    const isRight = (table: string): boolean => checks.get(table)?.isRight === true
    others ||= [...checks.values()].some(check => !check.isRight)
    for (const change of this.#steps(shapes))
      if (isRight(change.table)) {
        this.isAudited = true
        yield change
      }
    if (!others) return
    for (const change of this.again()) if (!isRight(change.table)) yield change
  }

  #goOn(): void {
    if (this.isStopped()) throw new CancelledError('the follower stops')
  }

  /** Tables that are audited in both states, and are stored alike. */
  #shapes(): ReadonlyMap<string, TableShape> {
    const { before, after } = this
    const shapes = new Map<string, TableShape>()
    if (before.plan.shape === undefined || after.plan.shape === undefined) return shapes
    for (const shape of after.tables) {
      const { name } = shape
      if (!before.plan.tables.has(name) || !after.plan.tables.has(name)) continue
      const old = before.tables.find(one => one.name === name)
      if (old !== undefined && sameColumns(old, shape) && sameKeys(old, shape)) shapes.set(name, shape)
    }
    return shapes
  }

  /** Adds up the steps of each table. Undefined: there are none. */
  #check(shapes: ReadonlyMap<string, TableShape>): Map<string, TableCheck> | undefined {
    const checks = new Map([...shapes.keys()].map(table => [table, new TableCheck()]))
    const chains = new RowChains()
    let isEmpty = true
    for (const entry of this.#entries(shapes)) {
      this.#goOn()
      const check = checks.get(entry.table)
      if (check === undefined) continue
      isEmpty = false
      if (entry.kind === 'begin') check.refuse()
      else for (const change of entry.changes) check.add(change, chains)
    }
    return isEmpty ? undefined : checks
  }

  *#steps(shapes: ReadonlyMap<string, TableShape>): Generator<RowChange> {
    for (const entry of this.#entries(shapes)) if (entry.kind === 'change') yield* entry.changes
  }

  /** What the audit has behind the state before. */
  *#entries(shapes: ReadonlyMap<string, TableShape>) {
    const { before, after } = this
    if (shapes.size === 0) return
    const from = lastRowid(before.source, before.plan.shape!)
    const shapeOf = (table: string): TableShape | undefined => shapes.get(table)
    for (const { values } of rowsBehind(after.source, after.plan.shape!, from, after.encoding)) {
      const entry = readAuditRow(values, shapeOf)
      if (entry !== undefined) yield entry
    }
  }
}

/** Whether the steps of a table lead from the one state to the other. */
class TableCheck {
  readonly #sum = new RowSum()
  #fits = true

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
