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
import { type AuditPlan, auditPlan, NO_AUDIT } from './audit/audit-plan.js'
import { AuditedChanges } from './audit/audited-changes.js'
import type { PageCodec } from './page-codec.js'
import { type MissingColumnError, missingColumns } from './searched-columns.js'
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
  /** Whether steps that an audit kept are among the changes; known with the first. */
  readonly isAudited: boolean
  /** The other state is the known one from here on. */
  accept(): void
}

/** Tables are followed now of which nothing is known, since they were not before: only a comparison tells. */
export interface UnknownTables {
  readonly unknown: readonly string[]
}

/** That steps are wanted which an audit keeps. */
export interface AuditWish {
  /** Looked at while steps are read. */
  isStopped(): boolean
}

/** What the schema of a state says. */
interface ReadSchema {
  readonly tables: readonly TableShape[]
  readonly encoding: TextEncoding
  readonly audit: AuditPlan
  readonly cookie: number
}

/** The state of a database of which consumers know: its tables, and which pages are theirs. */
export class FollowedState {
  problems: readonly UnreadableTableError[] = []
  /** Columns that are to be searched, and are not there. */
  missing: readonly MissingColumnError[] = []
  #state: DatabaseState = { source: NO_PAGES, encoding: 'utf-8', tables: [] }
  #audit = NO_AUDIT
  #cookie = -1
  #owners = new PageOwners()

  constructor(
    private readonly sqlite: SqliteInMemory,
    private readonly file: string,
    private readonly isWanted: (table: string) => boolean,
    /** Columns that are to be searched, as `table.column`. */
    private readonly text: readonly string[],
    private readonly audits?: AuditWish,
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

  /** What of it is audited, where that is wanted. */
  get audit(): AuditPlan {
    return this.#audit
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
    this.#audit = NO_AUDIT
    this.#cookie = -1
    this.problems = []
    this.missing = []
  }

  /** Everything in `source` is known. Reads all pages of all followed tables. Throws CorruptFileError. */
  load(source: PageSource): void {
    this.empty()
    if (source.pageCount === 0) return
    const read = this.#read(source)
    this.#owners = PageOwners.of(source, read.tables)
    this.#state = { source: NO_PAGES, encoding: read.encoding, tables: read.tables }
    this.#audit = read.audit
    this.#cookie = read.cookie
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
    const nothing = { encoding: 'utf-8', tables: [], audit: NO_AUDIT, cookie: -1 } as const
    if (pageCount === 0) return this.#difference(NO_PAGES, NO_PAGES, nothing, [])
    const source = overlaid(base, pages, pageCount)
    const header = headerOf(source)
    // Compared are perhaps two files, whose cookies mean nothing to each other.
    const isSameSchema = !hasAll && header.schemaCookie === this.#cookie && this.#state.encoding === header.encoding
    const { tables, encoding } = this.#state
    const read = isSameSchema ? { tables, encoding, audit: this.#audit, cookie: this.#cookie } : this.#read(source)
    if (!hasAll) {
      const unknown = read.tables
        .filter(({ rootPage }) => !this.#owners.has(rootPage) && !pages.has(rootPage))
        .map(({ name }) => name)
      if (unknown.length > 0) return { unknown }
    }
    return this.#difference(base, source, read, numbers)
  }

  #difference(base: PageSource, source: PageSource, read: ReadSchema, numbers: Iterable<number>): StateChange {
    const { encoding, tables, audit, cookie } = read
    const before: DatabaseState = { ...this.#state, source: base }
    const after: DatabaseState = { source, encoding, tables }
    const difference = new DatabaseDifference(before, after, this.#owners, numbers)
    const isAudited = this.#audit.shape !== undefined && audit.shape !== undefined
    const audited = !isAudited
      ? undefined
      : new AuditedChanges(
          { ...before, plan: this.#audit },
          { ...after, plan: audit },
          difference,
          () => new DatabaseDifference(before, after, this.#owners, numbers).changes(),
          this.audits!.isStopped,
        )
    return {
      tables: difference.tables.filter(isOrdinary),
      *changes() {
        for (const change of (audited ?? difference).changes()) if (change.table !== SCHEMA_SHAPE.name) yield change
      },
      get isAudited() {
        return audited?.isAudited ?? false
      },
      accept: () => {
        this.#state = { ...after, source: NO_PAGES }
        this.#audit = audit
        this.#cookie = cookie
        difference.settle()
      },
    }
  }

  #read(source: PageSource): ReadSchema {
    const { encoding, schemaCookie } = headerOf(source)
    const objects = readSchema(source)
    const { shapes, problems } = shapesOf(this.sqlite, objects, this.isWanted)
    this.problems = problems
    const audit = this.audits !== undefined ? auditPlan(this.sqlite, objects, shapes) : NO_AUDIT
    const others = objects.filter(({ type }) => type !== 'index').map(({ name }) => name)
    this.missing = missingColumns(this.text, shapes, others)
    // Its pages have to be known as those of any table.
    return { tables: [SCHEMA_SHAPE, ...shapes], encoding, audit, cookie: schemaCookie }
  }
}

/** Whoever follows a database is not told how SQLite keeps its schema. */
function isOrdinary({ name }: { readonly name: string }): boolean {
  return name !== SCHEMA_SHAPE.name
}
