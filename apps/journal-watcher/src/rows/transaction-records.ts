import type { RowChange } from '@hotpath/model'
import { PartBuilder } from '@hotpath/protocol'
import { RecordFlag } from './log-file-format.js'
import { encodeHead, type TransactionHead } from './transaction-head.js'

/** What a record of the log says of a transaction. */
interface PartRecord {
  readonly flags: number
  readonly content: Uint8Array
}

/** The record of one part; the head stands in the first. */
export function recordOf(head: TransactionHead, changes: Uint8Array, isFirst: boolean, isLast: boolean): PartRecord {
  let flags: number = isLast ? RecordFlag.last : 0
  if (isFirst) flags |= RecordFlag.first | (head.tables.length > 0 ? RecordFlag.hasTables : 0)
  return { flags, content: isFirst ? encodeHead(head, changes) : changes }
}

/** All records of a transaction that has room in memory. */
export function recordsOf(head: TransactionHead, changes: Iterable<RowChange>): PartRecord[] {
  const records: PartRecord[] = []
  const parts = new PartBuilder()
  for (const change of changes) {
    if (parts.isFull) records.push(recordOf(head, parts.take(), records.length === 0, false))
    parts.add(change)
  }
  records.push(recordOf(head, parts.take(), records.length === 0, true))
  return records
}
