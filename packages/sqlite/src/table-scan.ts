import type { TextEncoding } from './database-header.js'
import { payloadOf } from './overflow.js'
import { type PageSource, pageOffset } from './page-source.js'
import { decodeRow, type TableRow } from './table-row.js'
import type { TableShape } from './table-shape.js'
import { walkTree } from './tree-walk.js'

/** All rows of a table in the order of their keys. */
export function* tableRows(source: PageSource, shape: TableShape, encoding: TextEncoding): Generator<TableRow> {
  for (const { page, start, end } of walkTree(source, shape.rootPage, !shape.withoutRowid))
    for (let index = start; index < end; index++) {
      const cell = page.cellAt(index)
      const bytes = payloadOf(source, page, cell)
      const record = { file: source.file, bytes, offset: pageOffset(source, page.no) + cell.payloadStart }
      yield decodeRow(shape, record, cell.rowid, encoding)
    }
}
