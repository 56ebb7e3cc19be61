import type { InvalidText, RowChange, RowOperation, SqlValue } from '@hotpath/model'
import type { RowReader, RowWriter } from './row-bytes.js'

/** A text or blob that was too long to be told: see MAX_CHANGE_BYTES. */
export interface OmittedValue {
  readonly omitted: 'text' | 'blob'
  /** How long it is: bytes of UTF-8 or of the blob. */
  readonly bytes: number
}

/** A value as consumers see it. */
export type DeliveredValue = SqlValue | OmittedValue

/** What names a row, as consumers see it. */
export type DeliveredKey = bigint | readonly DeliveredValue[]

/** A change as consumers see it. */
export interface DeliveredChange extends Omit<RowChange, 'key' | 'old' | 'new'> {
  readonly key: DeliveredKey
  readonly old?: readonly DeliveredValue[]
  readonly new?: readonly DeliveredValue[]
}

/**
 * Tags of values: docs/formats/change-log.md. Integers that fit into fewer bytes take fewer.
 */
const Tag = {
  null: 0,
  int64: 1,
  real: 2,
  text: 3,
  blob: 4,
  invalidText: 5,
  int8: 6,
  int32: 7,
  omittedText: 8,
  omittedBlob: 9,
} as const

const OPERATIONS: readonly (RowOperation | undefined)[] = [undefined, 'insert', 'update', 'delete']
const KEY_ROWID = 0
const KEY_VALUES = 1
const INT32_MAX = 0x7fffffffn
const INT32_MIN = -0x80000000n

export function isInvalidText(value: object): value is InvalidText {
  return 'invalidText' in value
}

export function isOmitted(value: object): value is OmittedValue {
  return 'omitted' in value
}

export function writeValue(out: RowWriter, value: DeliveredValue): void {
  if (value === null) out.u8(Tag.null)
  else if (typeof value === 'bigint') writeInteger(out, value)
  else if (typeof value === 'number') {
    out.u8(Tag.real)
    out.f64(value)
  } else if (typeof value === 'string') {
    out.u8(Tag.text)
    out.text(value, 'value')
  } else if (value instanceof Uint8Array) {
    out.u8(Tag.blob)
    out.sized(value)
  } else if (isInvalidText(value)) {
    out.u8(Tag.invalidText)
    out.sized(value.invalidText)
  } else {
    out.u8(value.omitted === 'text' ? Tag.omittedText : Tag.omittedBlob)
    out.f64(value.bytes)
  }
}

function writeInteger(out: RowWriter, value: bigint): void {
  if (value >= -128n && value <= 127n) {
    out.u8(Tag.int8)
    out.i8(Number(value))
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    out.u8(Tag.int32)
    out.i32(Number(value))
  } else {
    out.u8(Tag.int64)
    out.i64(value)
  }
}

function readValue(from: RowReader): DeliveredValue {
  const tag = from.u8()
  switch (tag) {
    case Tag.null:
      return null
    case Tag.int64:
      return from.i64()
    case Tag.real:
      return from.f64()
    case Tag.text:
      return from.text()
    case Tag.blob:
      return from.sized()
    case Tag.invalidText:
      return { invalidText: from.sized() }
    case Tag.int8:
      return BigInt(from.i8())
    case Tag.int32:
      return BigInt(from.i32())
    case Tag.omittedText:
      return { omitted: 'text', bytes: from.f64() }
    case Tag.omittedBlob:
      return { omitted: 'blob', bytes: from.f64() }
    default:
      return from.refuse('the tag of a value', tag)
  }
}

function writeValues(out: RowWriter, values: readonly DeliveredValue[]): void {
  out.u32(values.length)
  for (const value of values) writeValue(out, value)
}

function readValues(from: RowReader): DeliveredValue[] {
  const values: DeliveredValue[] = new Array(from.count(1))
  for (let i = 0; i < values.length; i++) values[i] = readValue(from)
  return values
}

/** Operation, key, and the values that the operation has. */
export function writeChange(out: RowWriter, change: DeliveredChange): void {
  const { operation, key } = change
  out.u8(OPERATIONS.indexOf(operation))
  if (typeof key === 'bigint') {
    out.u8(KEY_ROWID)
    out.i64(key)
  } else {
    out.u8(KEY_VALUES)
    writeValues(out, key)
  }
  if (operation !== 'insert') writeValues(out, change.old ?? [])
  if (operation !== 'delete') writeValues(out, change.new ?? [])
}

export function readChange(from: RowReader, table: string): DeliveredChange {
  const number = from.u8()
  const operation = OPERATIONS[number] ?? from.refuse('an operation', number)
  const kind = from.u8()
  const key =
    kind === KEY_ROWID ? from.i64() : kind === KEY_VALUES ? readValues(from) : from.refuse('a kind of key', kind)
  const old = operation === 'insert' ? undefined : readValues(from)
  const values = operation === 'delete' ? undefined : readValues(from)
  return { table, operation, key, ...(old && { old }), ...(values && { new: values }) }
}
