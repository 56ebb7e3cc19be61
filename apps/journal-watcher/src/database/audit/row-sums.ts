import { createHash } from 'node:crypto'
import type { RowKey, SqlValue } from '@hotpath/model'
import { encodeChanges } from '@hotpath/protocol'

const LANES = 5

/** A row of a table in 20 bytes. */
export function digestOf(key: RowKey, values: readonly SqlValue[]): Buffer {
  return createHash('sha1')
    .update(encodeChanges([{ table: '', operation: 'insert', key, new: values }]))
    .digest()
}

/**
 * What changes add up to: each row that came adds its digest, each that went takes it away. Two series of changes of one table lead from the same rows
 * to the same rows if their sums are the same, in whatever steps. 20 bytes for any number of changes; 3 µs for a row.
 */
export class RowSum {
  readonly #lanes = new Uint32Array(LANES)

  /** @param sign 1 adds a row that came, or takes one that went */
  add(digest: Buffer, sign: 1 | -1): void {
    for (let i = 0; i < LANES; i++) this.#lanes[i]! += sign * digest.readUInt32LE(4 * i)
  }

  get isNothing(): boolean {
    return this.#lanes.every(lane => lane === 0)
  }
}
