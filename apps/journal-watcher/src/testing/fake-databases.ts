/** Databases that change as a test says, with real logs of changes, told by a real server. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FollowedTable, InvalidInputError, type RowChange } from '@hotpath/model'
import { silentLogger } from '@hotpath/service'
import { ChangeLog, type ChangeLogOptions } from '../rows/change-log.js'
import type {
  DatabaseCondition,
  DatabaseSet,
  FollowedDatabase,
  FollowSpec,
  RowPage,
  RowSnapshot,
} from '../rows/database-set.js'
import { RowsServer, type RowsServerOptions } from '../rows/rows-server.js'

/** Its rows are those that its changes leave. */
export class FakeDatabase implements FollowedDatabase {
  readonly path: string
  readonly id: string
  isAudited = false
  log: ChangeLog | undefined
  condition_: DatabaseCondition = { state: 'live', reason: '', method: 'pages', lagMs: 0 }
  /** Rows by table and key. */
  readonly rows = new Map<string, Map<string, RowChange>>()
  readonly tables = new Map<string, FollowedTable>()
  /** Called before each page of a snapshot. */
  beforePage = async (): Promise<void> => {}

  constructor(
    readonly name: string,
    private readonly directory: string,
    private readonly changed: () => void,
    readonly isAdHoc = false,
    private readonly options: Partial<ChangeLogOptions> = {},
    readonly wantedTables: readonly string[] = [],
  ) {
    this.path = isAdHoc ? name : `/home/ann/${name}.db`
    this.id = this.path
    this.open()
  }

  open(): void {
    this.log = ChangeLog.open(join(this.directory, this.name.replaceAll('/', '_')), {
      databaseId: this.id,
      name: this.name,
      ...this.options,
    })
  }

  close(): void {
    this.log?.close()
    this.log = undefined
  }

  /** One transaction. Tables are described when they are there first. */
  commit(changes: readonly RowChange[], more: { tables?: readonly FollowedTable[]; committed?: number } = {}): number {
    const { tables = [], committed = Date.now() } = more
    for (const table of tables) this.tables.set(table.name, table)
    for (const change of changes) {
      const rows = this.rows.get(change.table) ?? new Map<string, RowChange>()
      this.rows.set(change.table, rows)
      if (change.operation === 'delete') rows.delete(String(change.key))
      else rows.set(String(change.key), change)
    }
    return this.log!.append({ committed, method: 'pages', merged: false, tables, changes })
  }

  condition(): DatabaseCondition {
    return this.condition_
  }

  become(condition: Partial<DatabaseCondition>): void {
    this.condition_ = { ...this.condition_, ...condition }
    this.changed()
  }

  snapshot(wanted: (table: string) => boolean): RowSnapshot | undefined {
    const { log, rows, tables } = this
    if (log === undefined) return undefined
    const before = async () => await this.beforePage()
    return {
      epoch: log.epoch,
      sequence: log.sequence,
      async *pages(): AsyncGenerator<RowPage> {
        for (const [name, byKey] of [...rows]) {
          if (!wanted(name)) continue
          const changes = [...byKey.values()].map(({ key, new: values }) => ({
            table: name,
            operation: 'insert' as const,
            key,
            new: values!,
          }))
          for (let i = 0; i < changes.length; i += 100) {
            await before()
            yield { table: tables.get(name) ?? { name, columns: [] }, rows: changes.slice(i, i + 100) }
          }
        }
      },
    }
  }
}

export class FakeDatabases implements DatabaseSet {
  readonly directory = mkdtempSync(join(tmpdir(), 'hotpath-rows-'))
  readonly released: string[] = []
  readonly followed: FollowSpec[] = []
  #all: FakeDatabase[] = []
  readonly #listeners = new Set<() => void>()

  add(
    name: string,
    options: Partial<ChangeLogOptions> = {},
    isAdHoc = false,
    tables: readonly string[] = [],
  ): FakeDatabase {
    const database = new FakeDatabase(name, this.directory, () => this.#tell(), isAdHoc, options, tables)
    this.#all.push(database)
    this.#tell()
    return database
  }

  remove(id: string): void {
    this.#all = this.#all.filter(database => database.id !== id)
    this.#tell()
  }

  databases(): readonly FakeDatabase[] {
    return this.#all
  }

  async follow(spec: FollowSpec): Promise<FollowedDatabase> {
    this.followed.push(spec)
    if (spec.path.endsWith('.txt')) throw new InvalidInputError('database', 'a database', spec.path)
    return this.#all.find(({ path }) => path === spec.path) ?? this.add(spec.path, {}, true, spec.tables)
  }

  release(id: string): void {
    this.released.push(id)
    this.remove(id)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A server of these databases, started. */
  async serve(endpoint: string, more: Partial<RowsServerOptions> = {}): Promise<RowsServer> {
    const identity = { stage: 'watcher' as const, instance: randomUUID(), pid: process.pid }
    const server = new RowsServer({ endpoint, identity, databases: this, log: silentLogger, ...more })
    await server.start()
    return server
  }

  close(): void {
    for (const database of this.#all) database.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
