import type { FoundRowReply, JsonSqlValue } from '@hotpath/client/browser'

/** Bytes of a blob that a key shows. */
const MAX_BLOB_BYTES = 16

/** A key for people: the rowid, or the values of the primary key as SQL writes them. */
export function rowKeyText(key: FoundRowReply['key']): string {
  return isList(key) ? key.map(valueText).join(', ') : valueText(key)
}

function isList(key: FoundRowReply['key']): key is readonly JsonSqlValue[] {
  return Array.isArray(key)
}

function valueText(value: JsonSqlValue): string {
  if (value === null) return 'NULL'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  if ('integer' in value) return value.integer
  if ('real' in value) return value.real
  if ('blob' in value) return blobText(value.blob)
  if ('text' in value) return `text that is not UTF-8, ${blobText(value.text)}`
  return `${value.omitted} of ${value.bytes} bytes`
}

function blobText(base64: string): string {
  const bytes = atob(base64)
  const hex = Array.from(bytes.slice(0, MAX_BLOB_BYTES), byte => byte.charCodeAt(0).toString(16).padStart(2, '0'))
  return `x'${hex.join('')}'${bytes.length > MAX_BLOB_BYTES ? ` … ${bytes.length} bytes` : ''}`
}
