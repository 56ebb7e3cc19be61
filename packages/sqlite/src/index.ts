export { type Affinity, affinityOf } from './affinity.js'
export { type AuditInstallation, installAudit, removeAudit } from './audit/audit-script.js'
export {
  AUDIT_FIRST_VALUE,
  AUDIT_INDEX,
  AUDIT_TABLE,
  auditColumns,
  auditWidth,
  CREATE_AUDIT_INDEX,
  isAuditTable,
} from './audit/audit-table.js'
export { type AuditTrigger, auditTriggerNames, auditTriggers, tableOfTrigger } from './audit/audit-triggers.js'
export { type AuditedTable, auditedTable } from './audit/audited-table.js'
export { type UniqueKey, type UniqueKeys, uniqueKeys } from './audit/unique-keys.js'
export { BtreePage, type Cell } from './btree-page.js'
export { DETECTION_BYTES, detectCipher } from './cipher/cipher-detection.js'
export { CipherKey } from './cipher/cipher-key.js'
export * from './cipher/cipher-profile.js'
export { DecryptedPages, decryptedSet } from './cipher/decrypted-pages.js'
export { PageCipher } from './cipher/page-cipher.js'
export { PageKeys } from './cipher/page-keys.js'
export type { FileBytes } from './damage.js'
export { DatabaseDifference, type DatabaseState } from './database-difference.js'
export {
  DATABASE_HEADER_BYTES,
  type DatabaseHeader,
  pageCountOf,
  parseDatabaseHeader,
  type TextEncoding,
} from './database-header.js'
export { FrameTable } from './frame-table.js'
export { PageOwners, PageRole } from './page-owners.js'
export { overlaid, type PageSet, type PageSource } from './page-source.js'
export { decodeRecord } from './record.js'
export { headerOf, readSchema, SCHEMA_SHAPE, type SchemaObject } from './schema.js'
export { sameValue, sameValues } from './sql-values.js'
export { sameColumns, sameKeys } from './table-difference.js'
export type { TableRow } from './table-row.js'
export { tableRows } from './table-scan.js'
export { lastRowid, rowsBehind } from './table-seek.js'
export {
  type Ask,
  type ColumnInfo,
  followedTable,
  type StoredColumn,
  type TableInfo,
  type TableShape,
  tableInfo,
  tableShape,
} from './table-shape.js'
export { type Checksum, sameChecksum } from './wal-checksum.js'
export { frameOffset, parseWalHeader, WAL_HEADER_BYTES, type WalHeader } from './wal-header.js'
export {
  type CheckpointInfo,
  parseWalIndex,
  WAL_INDEX_BYTES,
  type WalIndex,
  type WalIndexHeader,
} from './wal-index.js'
export { LogOverwrittenError, WalPages } from './wal-pages.js'
export { type ByteSource, type WalCommit, type WalEnd, type WalPosition, WalReader } from './wal-reader.js'
