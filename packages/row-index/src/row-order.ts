import { compareBytes, type IndexedRow } from './indexed-row.js'

/** Tables as a segment has them: by the bytes of their names. */
export function compareTables(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

type Placed = Pick<IndexedRow, 'table' | 'key'>

/** Rows as a segment has them: by table and key. */
export function compareRows(a: Placed, b: Placed): number {
  return compareTables(a.table, b.table) || compareBytes(a.key, b.key)
}

/** Rows as hits: by table, the largest key first, so that of rows with rowids the newest come first. */
export function compareHits(a: Placed, b: Placed): number {
  return compareTables(a.table, b.table) || compareBytes(b.key, a.key)
}

/** Lists that are in the order of segments as one; no two rows are equal. */
export function* mergeRows(lists: readonly Iterable<IndexedRow>[]): Generator<IndexedRow> {
  const heads = lists.map(list => list[Symbol.iterator]())
  const rows = heads.map(head => head.next().value as IndexedRow | undefined)
  for (;;) {
    let first = -1
    for (const [i, row] of rows.entries()) {
      if (row !== undefined && (first < 0 || compareRows(row, rows[first]!) < 0)) first = i
    }
    if (first < 0) return
    yield rows[first]!
    rows[first] = heads[first]!.next().value as IndexedRow | undefined
  }
}
