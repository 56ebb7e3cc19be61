import type { EncodedSeconds } from './build-kernels.js'
import { TIME_EXCEPTION, TIME_EXCEPTION_BYTES } from './segment-layout.js'

/** Seconds as u32, and what does not fit: row u32 and seconds f64, ascending by row. */
export function encodeSeconds(seconds: Float64Array): EncodedSeconds {
  const raw = new Uint32Array(seconds.length)
  const rows: number[] = []
  for (let row = 0; row < seconds.length; row++) {
    const value = seconds[row]
    if (value >= 0 && value < TIME_EXCEPTION) raw[row] = value
    else {
      raw[row] = TIME_EXCEPTION
      // Unknown is the most frequent exception and needs no row: a reader that finds none knows.
      if (!Number.isNaN(value)) rows.push(row)
    }
  }
  return { raw, exceptions: encodeExceptions(seconds, rows) }
}

/** The exceptions of a column, of these rows. */
export function encodeExceptions(seconds: Float64Array, rows: ArrayLike<number>): Uint8Array {
  const exceptions = new Uint8Array(rows.length * TIME_EXCEPTION_BYTES)
  const view = new DataView(exceptions.buffer)
  for (let i = 0; i < rows.length; i++) {
    view.setUint32(i * TIME_EXCEPTION_BYTES, rows[i], true)
    view.setFloat64(i * TIME_EXCEPTION_BYTES + 4, seconds[rows[i]], true)
  }
  return exceptions
}
