import { encodeRowKey, type FollowedTable, type SqlValue } from '@hotpath/model'
import {
  type DeliveredChange,
  type DeliveredKey,
  type DeliveredValue,
  isInvalidText,
  isOmitted,
  MAX_ROW_KEY_BYTES,
} from '@hotpath/protocol/contract'
import { rowText } from '@hotpath/row-index'

const decoder = new TextDecoder()

/** Which columns of which tables are indexed. */
export class TextColumns {
  /** Columns by table, as they are configured, in small letters (names of SQLite ignore the case of ASCII). */
  private readonly wanted = new Map<string, Set<string>>()
  /** Places of the indexed columns among the stored ones, by table as it is called. */
  private readonly places = new Map<string, readonly number[]>()

  /** @param text as `table.column` */
  constructor(text: readonly string[]) {
    for (const each of text) {
      const dot = each.indexOf('.')
      const table = each.slice(0, dot).toLowerCase()
      const columns = this.wanted.get(table) ?? new Set()
      columns.add(each.slice(dot + 1).toLowerCase())
      this.wanted.set(table, columns)
    }
  }

  /** Takes how a table is stored from here on. */
  describe({ name, columns }: FollowedTable): void {
    const wanted = this.wanted.get(name.toLowerCase())
    if (wanted === undefined) return
    const places = columns.flatMap((column, place) => (wanted.has(column.toLowerCase()) ? [place] : []))
    this.places.set(name, places)
  }

  /** Whether rows of this table can have an indexed text. */
  has(table: string): boolean {
    return this.wanted.has(table.toLowerCase())
  }

  /** The text of a row; undefined if there is nothing to index. */
  textOf({ table, new: values }: DeliveredChange): Uint8Array | undefined {
    const places = this.places.get(table)
    if (places === undefined || values === undefined) return undefined
    return rowText(places.map(place => textOfValue(values[place])))
  }
}

/** What of a value is text. */
function textOfValue(value: DeliveredValue | undefined): string {
  if (typeof value === 'string') return value
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return ''
  return isInvalidText(value) ? decoder.decode(value.invalidText) : ''
}

/** The key of a row in the index; undefined if it is too long to be told. */
export function keyOfRow(key: DeliveredKey): Uint8Array | undefined {
  if (typeof key === 'bigint') return encodeRowKey(key)
  const values = key.filter(value => value === null || typeof value !== 'object' || !isOmitted(value))
  if (values.length < key.length) return undefined
  const bytes = encodeRowKey(values as readonly SqlValue[])
  return bytes.length <= MAX_ROW_KEY_BYTES ? bytes : undefined
}
