import type { TextEncoding } from './database-header.js'
import { payloadOf } from './overflow.js'
import { type PageSource, pageOffset } from './page-source.js'
import { decodeRow, type TableRow } from './table-row.js'
import type { TableShape } from './table-shape.js'
import { entered } from './tree-walk.js'

/** Rows of a table with rowids behind `rowid`, in their order. Reads a page of each level, and the leaves that have such rows. */
export function* rowsBehind(
  source: PageSource,
  shape: TableShape,
  rowid: number | bigint,
  encoding: TextEncoding,
): Generator<TableRow> {
  yield* behind(source, shape, rowid, encoding, shape.rootPage, 0, 0, { pages: source.pageCount })
}

function* behind(
  source: PageSource,
  shape: TableShape,
  rowid: number | bigint,
  encoding: TextEncoding,
  no: number,
  depth: number,
  from: number,
  budget: { pages: number },
): Generator<TableRow> {
  const page = entered(source, no, true, depth, from, budget)
  for (let index = firstChildBehind(page, rowid); index < page.childCount; index++)
    yield* behind(source, shape, rowid, encoding, page.childAt(index), depth + 1, pageOffset(source, page.no), budget)
  if (!page.leaf) return
  for (let index = firstCellBehind(page, rowid); index < page.cellCount; index++) {
    const cell = page.cellAt(index)
    const bytes = payloadOf(source, page, cell)
    const record = { file: source.file, bytes, offset: pageOffset(source, page.no) + cell.payloadStart }
    yield decodeRow(shape, record, cell.rowid, encoding)
  }
}

/** The greatest rowid of a table; 0 where it has no rows. Reads a page of each level. */
export function lastRowid(source: PageSource, shape: TableShape): number | bigint {
  const budget = { pages: source.pageCount }
  let page = entered(source, shape.rootPage, true, 0, 0, budget)
  for (let depth = 1; !page.leaf; depth++)
    page = entered(source, page.childAt(page.childCount - 1), true, depth, pageOffset(source, page.no), budget)
  return page.cellCount === 0 ? 0 : page.cellAt(page.cellCount - 1).rowid
}

type Page = ReturnType<typeof entered>

/** What is below a child has rowids up to its separator. */
function firstChildBehind(page: Page, rowid: number | bigint): number {
  if (page.leaf) return 0
  return lowest(page.cellCount, index => page.separatorAt(index) > rowid)
}

function firstCellBehind(page: Page, rowid: number | bigint): number {
  return lowest(page.cellCount, index => page.cellAt(index).rowid > rowid)
}

/** The lowest index for which `is` holds, which holds for all behind it; `count` if there is none. */
function lowest(count: number, is: (index: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (is(middle)) high = middle
    else low = middle + 1
  }
  return low
}
