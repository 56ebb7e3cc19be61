import { TIME_COLUMNS, type Time } from '@hotpath/model'
import { bytesOfText, directoryRow, fileRow, type ModelRow } from './model-rows.js'

/** A row as JSON: unknown numbers are null, a name that is not UTF-8 is `{ "hex": … }`. */
interface RowJson {
  readonly parent: number
  readonly directory?: number
  readonly stub?: true
  readonly kind: number
  readonly name: string | { readonly hex: string }
  readonly size?: number
  readonly times: readonly (readonly [number | null, number])[]
  readonly attributes: number
  readonly ref: readonly [number, number, number]
}

export function rowToJson(row: ModelRow): RowJson {
  const text = Buffer.from(row.name).toString()
  const isText = Buffer.compare(Buffer.from(text), row.name) === 0
  return {
    parent: row.parent,
    ...(row.directory > 0 ? { directory: row.directory } : {}),
    ...(row.stub ? { stub: true } : {}),
    kind: row.kind,
    name: isText ? text : { hex: Buffer.from(row.name).toString('hex') },
    ...(Number.isNaN(row.size) ? {} : { size: row.size }),
    times: TIME_COLUMNS.map(column => {
      const time = row.times[column] ?? { seconds: Number.NaN, ticks: 0 }
      return [Number.isNaN(time.seconds) ? null : time.seconds, time.ticks]
    }),
    attributes: row.attributes,
    ref: [row.ref.low, row.ref.high, row.ref.birth],
  }
}

export function rowFromJson(json: RowJson): ModelRow {
  const times: Partial<Record<(typeof TIME_COLUMNS)[number], Time>> = {}
  TIME_COLUMNS.forEach((column, i) => {
    const [seconds, ticks] = json.times[i]
    times[column] = { seconds: seconds ?? Number.NaN, ticks }
  })
  const [low, high, birth] = json.ref
  const name =
    typeof json.name === 'string' ? bytesOfText(json.name) : Uint8Array.from(Buffer.from(json.name.hex, 'hex'))
  const more = { kind: json.kind, times, attributes: json.attributes, ref: { low, high, birth } }
  return json.directory === undefined
    ? fileRow(json.parent, name, { ...more, size: json.size ?? Number.NaN })
    : directoryRow(json.directory, json.parent, name, { ...more, stub: json.stub ?? false })
}
