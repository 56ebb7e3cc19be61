import type { RowChange, SqlValue } from '@hotpath/model'
import { type CellPair, pairsByRowid, type RowCell } from './cell-pairs.js'
import type { TextEncoding } from './database-header.js'
import { pairsByKey } from './keyed-pairs.js'
import type { OpenedPages } from './opened-pages.js'
import { followChain, payloadOf } from './overflow.js'
import type { OwnerChanges } from './owner-changes.js'
import { type PageOwners, PageRole } from './page-owners.js'
import { type PageSource, pageOffset } from './page-source.js'
import { sameBytes, sameRange, sameValues } from './sql-values.js'
import { decodeRow, type TableRow } from './table-row.js'
import type { TableShape } from './table-shape.js'
import { type CellRun, type TreePage, walkPages, walkTree } from './tree-walk.js'

/** One state of a table. */
export interface TableState {
  readonly source: PageSource
  readonly encoding: TextEncoding
  /** Undefined where there is no such table in this state. */
  readonly shape: TableShape | undefined
}

/** What the differences of all tables of a database share. */
export interface DifferenceContext {
  readonly owners: PageOwners
  readonly ownerChanges: OwnerChanges
  /** First pages of overflow chains that have a changed page. */
  readonly changedChains: ReadonlySet<number>
}

/** The changes of the rows of one table, in the order of their keys. */
export class TableDifference {
  readonly #tree: number
  /** For each column the index that it had; -1 where it is new. Undefined where the columns are the same. */
  readonly #columns: readonly number[] | undefined

  /** @param opened what of the tree is looked at; undefined: all of it */
  constructor(
    readonly name: string,
    readonly before: TableState,
    readonly after: TableState,
    readonly context: DifferenceContext,
    readonly opened: OpenedPages | undefined,
  ) {
    this.#tree = context.owners.treeNumber(name)
    this.#columns =
      before.shape === undefined || after.shape === undefined ? undefined : columnsBefore(before.shape, after.shape)
  }

  *changes(): Generator<RowChange> {
    this.#noteTreePages()
    for (const { before, after } of this.#pairs()) {
      const unchanged = before !== undefined && after !== undefined && this.#same(before, after)
      if (unchanged) this.#keepChain(after)
      else {
        const change = this.#changeOf(before, after)
        if (change !== undefined) yield change
      }
    }
  }

  #pairs(): Generator<CellPair> {
    const olds = runsOf(this.before, this.opened?.partBefore)
    const news = runsOf(this.after, this.opened?.partAfter)
    const shape = this.after.shape ?? this.before.shape!
    if (!shape.withoutRowid) return pairsByRowid(olds, news)
    return pairsByKey(
      { source: this.before.source, runs: olds },
      { source: this.after.source, runs: news },
      shape.primaryKey.length,
      (before, after) => this.#same(before, after),
    )
  }

  /** Whether two cells are the same byte for byte, those in their overflow pages too, as far as that is known without reading them. */
  #same(before: RowCell, after: RowCell): boolean {
    if (this.#columns !== undefined || this.context.changedChains.has(after.cell.overflow)) return false
    const start = rowStart(before)
    const length = before.cell.end - start
    const other = rowStart(after)
    return after.cell.end - other === length && sameRange(before.page.bytes, start, after.page.bytes, other, length)
  }

  #changeOf(before: RowCell | undefined, after: RowCell | undefined): RowChange | undefined {
    const { name: table } = this
    const oldPayload = before && this.#payloadBefore(before)
    const newPayload = after && this.#payloadAfter(after)
    if (oldPayload === undefined) {
      const { key, values } = rowOf(this.after, after!, newPayload!)
      return { table, operation: 'insert', key, new: values }
    }
    if (newPayload === undefined) {
      const { key, values } = rowOf(this.before, before!, oldPayload)
      return { table, operation: 'delete', key, old: this.#underNewColumns(values) }
    }
    if (this.#columns === undefined && sameBytes(oldPayload, newPayload)) return undefined
    const old = this.#underNewColumns(rowOf(this.before, before!, oldPayload).values)
    const { key, values } = rowOf(this.after, after!, newPayload)
    return sameValues(old, values) ? undefined : { table, operation: 'update', key, old, new: values }
  }

  #underNewColumns(values: readonly SqlValue[]): readonly SqlValue[] {
    return this.#columns?.map(index => (index < 0 ? null : values[index]!)) ?? values
  }

  #payloadBefore({ page, cell }: RowCell): Uint8Array {
    return payloadOf(this.before.source, page, cell, no => this.context.ownerChanges.release(no))
  }

  #payloadAfter({ page, cell }: RowCell): Uint8Array {
    return payloadOf(this.after.source, page, cell, no => this.#takeChain(no, page.no, cell.overflow))
  }

  #takeChain(no: number, page: number, head: number): void {
    const { ownerChanges } = this.context
    if (no === head) ownerChanges.take(no, this.#tree, PageRole.chainHead, page)
    else ownerChanges.take(no, this.#tree, PageRole.chain, head)
  }

  /** The chain of a row that did not change hangs on the page that has the row now. */
  #keepChain({ page, cell }: RowCell): void {
    if (cell.overflow === 0) return
    if (this.opened === undefined)
      followChain(this.after.source, page, cell, no => this.#takeChain(no, page.no, cell.overflow))
    else if (this.context.owners.parentOf(cell.overflow) !== page.no)
      this.#takeChain(cell.overflow, page.no, cell.overflow)
  }

  /** Says which pages of the tree are let go and taken; those of overflow chains come with the rows. */
  #noteTreePages(): void {
    const { ownerChanges, owners } = this.context
    const { opened } = this
    if (opened === undefined) {
      ownerChanges.releaseTable(this.name, this.after.shape === undefined)
      const { shape, source } = this.after
      if (shape === undefined) return
      for (const page of walkPages(source, shape.rootPage, !shape.withoutRowid)) this.#takeTreePage(page)
      return
    }
    for (const no of opened.before.keys()) if (!opened.after.has(no)) ownerChanges.release(no)
    for (const [no, role] of opened.after)
      ownerChanges.take(no, this.#tree, role, opened.parents.get(no) ?? owners.parentOf(no))
    for (const [no, parent] of opened.parents)
      if (!opened.after.has(no) && owners.parentOf(no) !== parent)
        ownerChanges.take(no, this.#tree, owners.roleOf(no), parent)
  }

  #takeTreePage({ page, parent }: TreePage): void {
    this.context.ownerChanges.take(page.no, this.#tree, page.leaf ? PageRole.leaf : PageRole.interior, parent)
  }
}

function runsOf({ shape, source }: TableState, part: OpenedPages['partBefore'] | undefined): Iterator<CellRun> {
  return shape === undefined ? [][Symbol.iterator]() : walkTree(source, shape.rootPage, !shape.withoutRowid, part)
}

/** Where what of a cell is of its row starts: after the number of the child in interior pages. */
function rowStart({ page, cell }: RowCell): number {
  return page.leaf ? cell.start : cell.start + 4
}

function rowOf({ source, shape, encoding }: TableState, { page, cell }: RowCell, bytes: Uint8Array): TableRow {
  const record = { file: source.file, bytes, offset: pageOffset(source, page.no) + cell.payloadStart }
  return decodeRow(shape!, record, cell.rowid, encoding)
}

function columnsBefore(before: TableShape, after: TableShape): readonly number[] | undefined {
  if (sameColumns(before, after)) return undefined
  return after.columns.map(({ name }) => before.columns.findIndex(column => column.name === name))
}

/** Whether records of both mean the same. */
export function sameColumns(a: TableShape, b: TableShape): boolean {
  if (a === b) return true
  return (
    a.columns.length === b.columns.length &&
    a.columns.every((column, index) => {
      const other = b.columns[index]!
      return (
        column.name === other.name &&
        column.affinity === other.affinity &&
        column.rowid === other.rowid &&
        sameValues([column.defaultValue], [other.defaultValue])
      )
    }) &&
    a.recordColumns.join() === b.recordColumns.join()
  )
}

/** Whether rows of both have the same kind of key: else all rows of the one are gone, and all of the other are new. */
export function sameKeys(a: TableShape, b: TableShape): boolean {
  if (a === b) return true
  const keyOf = (shape: TableShape): string[] => shape.primaryKey.map(index => shape.columns[index]!.name)
  return a.withoutRowid === b.withoutRowid && keyOf(a).join('\0') === keyOf(b).join('\0')
}
