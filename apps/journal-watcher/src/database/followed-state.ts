import type { FollowedTable, RowChange } from '@hotpath/model'
import {
  DatabaseDifference,
  type DatabaseState,
  headerOf,
  overlaid,
  PageOwners,
  type PageSet,
  type PageSource,
  readSchema,
  SCHEMA_SHAPE,
  type TableShape,
  type TextEncoding,
} from '@hotpath/sqlite'
import type { PageCodec } from './page-codec.js'
import { type SqliteInMemory, shapesOf, type UnreadableTableError } from './table-shapes.js'

const NO_PAGES: PageSource = {
  file: '',
  pageSize: 512,
  usableSize: 512,
  pageCount: 0,
  page: no => {
    throw new RangeError(`page ${no} of an empty database`)
  },
}

/** What changed between the state that is known and another one. */
export interface StateChange {
  readonly tables: readonly FollowedTable[]
  /** Consumed once, to its end, before `accept`. */
  changes(): Iterable<RowChange>
  /** The other state is the known one from here on. */
  accept(): void
}

/** Tables are followed now of which nothing is known, since they were not before: only a comparison tells. */
export interface UnknownTables {
  readonly unknown: readonly string[]
}

/** The state of a database of which consumers know: its tables, and which pages are theirs. */
export class FollowedState {
  problems: readonly UnreadableTableError[] = []
  #state: DatabaseState = { source: NO_PAGES, encoding: 'utf-8', tables: [] }
  #cookie = -1
  #owners = new PageOwners()

  constructor(
    private readonly sqlite: SqliteInMemory,
    private readonly file: string,
    private readonly isWanted: (table: string) => boolean,
  ) {}

  get owners(): PageOwners {
    return this.#owners
  }

  /** Of the tables that are followed. */
  get shapes(): readonly TableShape[] {
    return this.#state.tables.filter(isOrdinary)
  }

  get encoding(): TextEncoding {
    return this.#state.encoding
  }

  /** Pages in clear, of a database of so many pages. */
  sourceOf(codec: PageCodec, pageCount: number, stored: (no: number) => Uint8Array): PageSource {
    const { pageSize, usableSize } = codec
    return { file: this.file, pageSize, usableSize, pageCount, page: no => codec.plain(no, stored(no)) }
  }

  /** Nothing is known; all that there is will be told. */
  empty(): void {
    this.#state = { source: NO_PAGES, encoding: 'utf-8', tables: [] }
    this.#owners = new PageOwners()
    this.#cookie = -1
    this.problems = []
  }

  /** Everything in `source` is known. Reads all pages of all followed tables. Throws CorruptFileError. */
  load(source: PageSource): void {
    this.empty()
    if (source.pageCount === 0) return
    const { tables, encoding, cookie } = this.#read(source)
    this.#owners = PageOwners.of(source, tables)
    this.#state = { source: NO_PAGES, encoding, tables }
    this.#cookie = cookie
  }

  /**
   * What the state is in which `pages` lie over what is known. Throws CorruptFileError.
   *
   * @param base the known pages; what is known from `accept` on
   * @param numbers of `pages`
   * @param hasAll of a comparison: every page that differs is in `pages`, whoever has it
   */
  change(
    base: PageSource,
    pages: PageSet,
    numbers: Iterable<number>,
    pageCount: number,
    hasAll: boolean,
  ): StateChange | UnknownTables {
    if (pageCount === 0) return this.#difference(NO_PAGES, { source: NO_PAGES, encoding: 'utf-8', tables: [] }, -1, [])
    const source = overlaid(base, pages, pageCount)
    const header = headerOf(source)
    const isSameSchema = header.schemaCookie === this.#cookie && this.#state.encoding === header.encoding
    const read = isSameSchema ? { tables: this.#state.tables, cookie: this.#cookie } : this.#read(source)
    const after: DatabaseState = { source, encoding: header.encoding, tables: read.tables }
    if (!hasAll) {
      const unknown = read.tables
        .filter(({ rootPage }) => !this.#owners.has(rootPage) && !pages.has(rootPage))
        .map(({ name }) => name)
      if (unknown.length > 0) return { unknown }
    }
    return this.#difference(base, after, read.cookie, numbers)
  }

  #difference(base: PageSource, after: DatabaseState, cookie: number, numbers: Iterable<number>): StateChange {
    const before: DatabaseState = { ...this.#state, source: base }
    const difference = new DatabaseDifference(before, after, this.#owners, numbers)
    return {
      tables: difference.tables.filter(isOrdinary),
      *changes() {
        for (const change of difference.changes()) if (change.table !== SCHEMA_SHAPE.name) yield change
      },
      accept: () => {
        this.#state = { ...after, source: NO_PAGES }
        this.#cookie = cookie
        difference.settle()
      },
    }
  }

  #read(source: PageSource): { tables: readonly TableShape[]; encoding: DatabaseState['encoding']; cookie: number } {
    const { encoding, schemaCookie } = headerOf(source)
    const { shapes, problems } = shapesOf(this.sqlite, readSchema(source), this.isWanted)
    this.problems = problems
    // Its pages have to be known as those of any table.
    return { tables: [SCHEMA_SHAPE, ...shapes], encoding, cookie: schemaCookie }
  }
}

/** Whoever follows a database is not told how SQLite keeps its schema. */
function isOrdinary({ name }: { readonly name: string }): boolean {
  return name !== SCHEMA_SHAPE.name
}
