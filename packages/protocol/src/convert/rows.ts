import { type FollowedTable, InvalidInputError } from '@hotpath/model'
import {
  MAX_COLUMNS,
  MAX_DATABASES,
  MAX_MESSAGE_BYTES,
  MAX_PATH_BYTES,
  MAX_PROSE_BYTES,
  MAX_TABLE_NAME_BYTES,
  MAX_TABLES,
} from '../limits.js'
import type * as rows from '../messages/rows.js'
import { isEpoch, type RowCursor } from '../rows/cursor.js'
import type { hotpath } from '../wire.js'
import {
  bytes,
  count,
  duration,
  type FieldCodec,
  flag,
  list,
  message,
  optional,
  prose,
  text,
  u32,
  word,
} from './field.js'
import { errorReply } from './handshake.js'

/** Names of databases: those of the configuration, or a path. */
const name = text(MAX_PATH_BYTES)
const tableName = text(MAX_TABLE_NAME_BYTES)
const state = word([undefined, 'live', 'catching-up', 'missing', 'locked', 'damaged', 'unavailable'])
const method = word([undefined, 'pages', 'comparison', 'audit'])

const anyCursor = message<RowCursor, hotpath.v1.RowCursor.$Properties>({ epoch: text(24), sequence: count })
const cursor: typeof anyCursor = {
  toWire: (value, what) => anyCursor.toWire(checkCursor(value, what), what),
  fromWire: (value, what) => checkCursor(anyCursor.fromWire(value, what), what),
}

function checkCursor(value: RowCursor, what: string): RowCursor {
  if (!isEpoch(value.epoch))
    throw new InvalidInputError(`${what}.epoch`, '24 hexadecimal digits', JSON.stringify(value.epoch))
  return value
}

const table: FieldCodec<FollowedTable, hotpath.v1.TableInfo.$Properties> = {
  toWire: ({ name, columns, primaryKey }, what) =>
    describedTable.toWire({ name, columns, primaryKey: primaryKey ?? [] }, what),
  fromWire(value, what) {
    const { primaryKey, ...rest } = describedTable.fromWire(value, what)
    return primaryKey.length === 0 ? rest : { ...rest, primaryKey }
  },
}
const describedTable = message<Required<FollowedTable>, hotpath.v1.TableInfo.$Properties>({
  name: tableName,
  columns: list(tableName, MAX_COLUMNS),
  primaryKey: list(tableName, MAX_COLUMNS),
})
const tables = list(table, MAX_TABLES)

const databaseInfo = message<rows.DatabaseInfo, hotpath.v1.DatabaseInfo.$Properties>({
  name,
  path: name,
  state,
  reason: prose(MAX_PROSE_BYTES),
  method: prose(MAX_PROSE_BYTES),
  cursor: optional(cursor),
  lagMs: duration,
  subscribers: u32(),
  adHoc: flag,
  logBytes: count,
})
const databases = list(databaseInfo, MAX_DATABASES)

export const databasesReply = message<rows.DatabasesReply, hotpath.v1.DatabasesReply.$Properties>({ databases })

const followRequest = message<rows.FollowRequest, hotpath.v1.FollowSpec.$Properties>({
  path: name,
  tables: list(tableName, MAX_TABLES),
  keyFile: name,
  audit: flag,
})

export const rowsSubscribe = message<rows.RowsSubscribe, hotpath.v1.RowsSubscribe.$Properties>({
  subscription: u32(),
  databases: list(name, MAX_DATABASES),
  follow: optional(followRequest),
  tables: list(tableName, MAX_TABLES),
  cursors: list(cursor, MAX_DATABASES),
  rows: flag,
  credit: count,
})

export const rowsSubscribed = message<rows.RowsSubscribed, hotpath.v1.RowsSubscribed.$Properties>({
  subscription: u32(),
  databases,
})

export const rowsCredit = message<rows.RowsCredit, hotpath.v1.RowsCredit.$Properties>({
  subscription: u32(),
  bytes: count,
})

export const rowsName = message<rows.RowsName, hotpath.v1.RowsUnsubscribe.$Properties>({ subscription: u32() })

export const rowsPart = message<rows.RowsPart, hotpath.v1.RowsPart.$Properties>({
  subscription: u32(),
  database: name,
  cursor,
  part: u32(),
  last: flag,
  committed: duration,
  method,
  merged: flag,
  tables,
  changes: bytes(MAX_MESSAGE_BYTES),
})

export const rowsReset = message<rows.RowsReset, hotpath.v1.RowsReset.$Properties>({
  subscription: u32(),
  database: name,
  reason: word([undefined, 'initial', 'behind', 'epoch', 'damage']),
  cursor: optional(cursor),
})

export const rowsPage = message<rows.RowsPage, hotpath.v1.RowsPage.$Properties>({
  subscription: u32(),
  database: name,
  cursor: optional(cursor),
  tables,
  changes: bytes(MAX_MESSAGE_BYTES),
})

export const rowsState = message<rows.RowsState, hotpath.v1.RowsState.$Properties>({
  subscription: u32(),
  database: name,
  state,
  reason: prose(MAX_PROSE_BYTES),
  cursor: optional(cursor),
})

export const rowsEnded = message<rows.RowsEnded, hotpath.v1.RowsEnded.$Properties>({
  subscription: u32(),
  error: errorReply,
})
