import type { TextEncoding } from './database-header.js'
import { payloadOf } from './overflow.js'
import { type PageSource, pageOffset } from './page-source.js'
import { decodeRow, type TableRow } from './table-row.js'
import type { TableShape } from './table-shape.js'
import { type TreeCell, walkTree } from './tree-walk.js'

/** All rows of a table in the order of their keys. */
export function* tableRows(source: PageSource, shape: TableShape, encoding: TextEncoding): Generator<TableRow> {
  for (const cell of walkTree(source, shape.rootPage, !shape.withoutRowid)) yield rowOf(source, shape, cell, encoding)
}

/** The row in a cell of a tree. */
export function rowOf(
  source: PageSource,
  shape: TableShape,
  { page, index }: TreeCell,
  encoding: TextEncoding,
): TableRow {
  const cell = page.cellAt(index)
  const record = {
    file: source.file,
    bytes: payloadOf(source, page, cell),
    offset: pageOffset(source, page.no) + cell.payloadStart,
  }
  return decodeRow(shape, record, cell.rowid, encoding)
}
