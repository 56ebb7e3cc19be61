import type { FollowedTable, RowChangeMethod } from '@hotpath/model'
import { RowReader, RowWriter } from '@hotpath/protocol'

/** What stands before the changes in the first part of a transaction. */
export interface TransactionHead {
  /** Milliseconds since 1970 when the commit was seen. */
  readonly committed: number
  readonly method: RowChangeMethod
  /** Several transactions of the writer, as one difference. */
  readonly merged: boolean
  /** Tables whose columns changed, or that appeared, before the changes. */
  readonly tables: readonly FollowedTable[]
  /** Where in the database this transaction ends, in whatever form its follower understands; at most MAX_POSITION_BYTES. */
  readonly position: Uint8Array
}

export const MAX_POSITION_BYTES = 1_024
const METHODS: readonly (RowChangeMethod | undefined)[] = [undefined, 'pages', 'comparison', 'audit']

export function encodeHead(head: TransactionHead, changes: Uint8Array): Uint8Array {
  const out = new RowWriter()
  out.f64(head.committed)
  out.u8(METHODS.indexOf(head.method))
  out.u8(head.merged ? 1 : 0)
  out.sized(head.position)
  if (head.tables.length > 0) writeTables(out, head.tables)
  return Buffer.concat([out.written(), changes])
}

/** The head, and the changes behind it. Throws InvalidInputError. */
export function decodeHead(content: Uint8Array, hasTables: boolean): { head: TransactionHead; changes: Uint8Array } {
  const from = new RowReader(content, 'head of a transaction')
  const committed = from.f64()
  const number = from.u8()
  const method = METHODS[number] ?? from.refuse('a method', number)
  const merged = from.u8() === 1
  const position = new Uint8Array(from.sized())
  const tables = hasTables ? readTables(from) : []
  return { head: { committed, method, merged, tables, position }, changes: content.subarray(from.at) }
}

/** What is known where a file begins. */
export interface Catalogue {
  /** Where the transaction before ends in the database. */
  readonly position: Uint8Array
  readonly tables: readonly FollowedTable[]
}

export function encodeCatalogue({ position, tables }: Catalogue): Uint8Array {
  const out = new RowWriter()
  out.sized(position)
  writeTables(out, tables)
  return new Uint8Array(out.written())
}

/** Throws InvalidInputError. */
export function decodeCatalogue(content: Uint8Array): Catalogue {
  const from = new RowReader(content, 'tables')
  const position = new Uint8Array(from.sized())
  return { position, tables: readTables(from) }
}

function writeTables(out: RowWriter, tables: readonly FollowedTable[]): void {
  out.u32(tables.length)
  for (const { name, columns, primaryKey } of tables) {
    out.text(name, 'table')
    writeNames(out, columns)
    out.u8(primaryKey === undefined ? 0 : 1)
    if (primaryKey) writeNames(out, primaryKey)
  }
}

function readTables(from: RowReader): FollowedTable[] {
  const tables: FollowedTable[] = new Array(from.count(9))
  for (let i = 0; i < tables.length; i++) {
    const name = from.text()
    const columns = readNames(from)
    const primaryKey = from.u8() === 1 ? readNames(from) : undefined
    tables[i] = { name, columns, ...(primaryKey && { primaryKey }) }
  }
  return tables
}

function writeNames(out: RowWriter, names: readonly string[]): void {
  out.u32(names.length)
  for (const name of names) out.text(name, 'column')
}

function readNames(from: RowReader): string[] {
  return Array.from({ length: from.count(4) }, () => from.text())
}
