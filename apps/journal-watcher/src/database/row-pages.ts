import type { FollowedTable, RowChange, SqlValue } from '@hotpath/model'
import { followedTable, tableRows } from '@hotpath/sqlite'
import type { DatabaseFollower, KnownRows } from './database-follower.js'
import type { FrozenPages, Shadow } from './shadow.js'

/** Of rows in a page, about. */
const PAGE_BYTES = 256 * 1024
/** What a value takes that says nothing of its size. */
const VALUE_BYTES = 16

export interface RowsOfTable {
  readonly table: FollowedTable
  readonly rows: readonly RowChange[]
}

/** All rows of some tables as they were at one moment, read in pages while the follower goes on. */
export class FrozenRows {
  readonly #frozen: FrozenPages
  readonly #pages: Generator<RowsOfTable>

  /** Undefined where nothing is known that could be read. */
  static of(follower: DatabaseFollower, shadow: Shadow, tables: readonly string[]): FrozenRows | undefined {
    const { known } = follower
    return known === undefined ? undefined : new FrozenRows(known, shadow.freeze(), new Set(tables))
  }

  private constructor(known: KnownRows, frozen: FrozenPages, tables: ReadonlySet<string>) {
    this.#frozen = frozen
    const source = known.sourceOf(no => frozen.page(no))
    const shapes = known.shapes.filter(({ name }) => tables.has(name))
    const { encoding } = known
    this.#pages = (function* () {
      for (const shape of shapes) {
        const table = followedTable(shape)
        let rows: RowChange[] = []
        let bytes = 0
        for (const { key, values } of tableRows(source, shape, encoding)) {
          rows.push({ table: shape.name, operation: 'insert', key, new: values })
          bytes += values.reduce((sum: number, value) => sum + sizeOf(value), 0)
          if (bytes < PAGE_BYTES) continue
          yield { table, rows }
          rows = []
          bytes = 0
        }
        // A table without rows is told of, too.
        yield { table, rows }
      }
    })()
  }

  /** Undefined where there are no more. Throws where the pages are gone. */
  next(): RowsOfTable | undefined {
    const next = this.#pages.next()
    return next.done === true ? undefined : next.value
  }

  close(): void {
    this.#frozen.close()
  }
}

function sizeOf(value: SqlValue): number {
  if (typeof value === 'string') return VALUE_BYTES + value.length
  return value instanceof Uint8Array ? VALUE_BYTES + value.length : VALUE_BYTES
}
