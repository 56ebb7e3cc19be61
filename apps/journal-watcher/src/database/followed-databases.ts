import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { alignedDelay, UnavailableError } from '@hotpath/model'
import type { HealthCheck, Metric } from '@hotpath/protocol'
import { type DatabaseSetting, databaseName, isGlob, type KeySource, type Logger } from '@hotpath/service'
import type { DatabaseSet, FollowedDatabase, FollowSpec } from '../rows/database-set.js'
import { adHocSpecOf, forgetAdHocSpec, keepAdHocSpec } from './ad-hoc-spec.js'
import { DatabaseThread, databaseId } from './database-thread.js'
import { globExpression } from './table-wish.js'

const GLOB_MS = 5_000
/** Each is a thread. */
const MAX_DATABASES = 64
/** What SQLite keeps beside a database. */
const COMPANION = /-(?:wal|shm|journal)$/

export interface FollowedDatabasesOptions {
  readonly settings: readonly DatabaseSetting[]
  readonly dataDir: string
  readonly log: Logger
  /** How often the directory of a glob is looked at. */
  readonly globMs?: number
}

/** All followed databases: those of the configuration, and others for as long as somebody is interested. */
export class FollowedDatabases implements DatabaseSet {
  readonly #options: FollowedDatabasesOptions
  readonly #directory: string
  readonly #databases = new Map<string, DatabaseThread>()
  readonly #listeners = new Set<() => void>()
  /** By id: what is let go, until its directory is gone. */
  readonly #releasing = new Map<string, Promise<void>>()
  /** No thread must be in a system call when the process ends it. */
  readonly #onProcessExit = () => {
    for (const database of this.databases()) database.halt()
  }
  #timer: NodeJS.Timeout | undefined

  constructor(options: FollowedDatabasesOptions) {
    this.#options = options
    this.#directory = join(options.dataDir, 'databases')
  }

  /** Follows in the background. */
  start(): void {
    process.on('exit', this.#onProcessExit)
    for (const setting of this.#options.settings)
      if (!isGlob(setting.path)) this.#add(setting.path, setting.name, setting)
    this.#lookForFiles()
    this.#resumeAdHoc()
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    await Promise.all([...this.#releasing.values(), ...[...this.#databases.values()].map(database => database.stop())])
    process.off('exit', this.#onProcessExit)
  }

  databases(): readonly DatabaseThread[] {
    return [...this.#databases.values()]
  }

  async follow({ path, tables, keyFile, audit }: FollowSpec): Promise<FollowedDatabase> {
    const id = databaseId(path)
    for (let gone = this.#releasing.get(id); gone !== undefined; gone = this.#releasing.get(id)) await gone
    const known = this.#databases.get(id)
    if (known !== undefined) return known
    const added = this.#addAdHoc({ path, tables, audit, ...(keyFile !== undefined && { keyFile }) })
    if (added === undefined) throw new UnavailableError(`${MAX_DATABASES} databases are followed already`)
    return added
  }

  release(id: string): void {
    const database = this.#databases.get(id)
    if (database?.isAdHoc !== true) return
    this.#databases.delete(id)
    this.#changed()
    const gone = database
      .stop()
      .then(() => rmSync(join(this.#directory, id), { recursive: true, force: true }))
      .catch(error =>
        this.#options.log.warn('what was followed could not be let go', { database: database.name, error }),
      )
      .finally(() => this.#releasing.delete(id))
    this.#releasing.set(id, gone)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What somebody has to look at; a database that is not there yet is none of that. */
  health(): HealthCheck[] {
    return this.databases().flatMap(database => {
      const { state, reason } = database.condition()
      const isWrong = state === 'locked' || state === 'damaged' || state === 'unavailable'
      return isWrong ? [{ name: `database ${database.name}`, ok: false, detail: `${state}: ${reason}` }] : []
    })
  }

  stats(): Metric[] {
    return this.databases().flatMap(database => {
      const labels = [{ name: 'database', value: database.name }]
      const { state, lagMs } = database.condition()
      const metric = (kind: Metric['kind'], name: string, value: number): Metric => ({ kind, name, value, labels })
      return [
        metric('gauge', 'hotpath_database_live', state === 'live' ? 1 : 0),
        metric('counter', 'hotpath_database_commits_total', database.commits),
        metric('gauge', 'hotpath_database_lag_seconds', lagMs / 1_000),
        metric('gauge', 'hotpath_database_log_frame', database.frame),
      ]
    })
  }

  #add(
    path: string,
    name: string,
    { tables, audit, text, key, cipher }: Pick<DatabaseSetting, 'tables' | 'audit' | 'text' | 'key' | 'cipher'>,
    isAdHoc = false,
  ): DatabaseThread | undefined {
    const id = databaseId(path)
    if (this.#databases.has(id)) return undefined
    if (this.#databases.size >= MAX_DATABASES) {
      this.#options.log.warn('too many databases', { path, limit: MAX_DATABASES })
      return undefined
    }
    const directory = join(this.#directory, id)
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const database = new DatabaseThread({
      path,
      name: this.#freeName(name),
      isAdHoc,
      tables,
      isAudited: audit,
      text,
      key,
      cipher,
      directory,
      log: this.#options.log,
      onChange: () => this.#changed(),
    })
    this.#databases.set(id, database)
    database.start()
    this.#changed()
    return database
  }

  #addAdHoc(spec: FollowSpec): DatabaseThread | undefined {
    const { path, tables, keyFile, audit } = spec
    const key: KeySource | undefined = keyFile === undefined ? undefined : { file: keyFile }
    const setting = { tables, audit, text: [], ...(key && { key }) }
    // First: without it nobody would know after a restart that it has its end.
    const directory = join(this.#directory, databaseId(path))
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    keepAdHocSpec(directory, spec)
    const added = this.#add(path, databaseName(path), setting, true)
    if (added === undefined) rmSync(directory, { recursive: true, force: true })
    return added
  }

  #freeName(wanted: string): string {
    const taken = new Set(this.databases().map(({ name }) => name))
    let name = wanted
    for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`
    return name
  }

  /** Files that a glob stands for are followed as they appear, and for as long as this process lives. */
  #lookForFiles(): void {
    const globs = this.#options.settings.filter(({ path }) => isGlob(path))
    if (globs.length === 0) return
    for (const setting of globs) {
      const directory = dirname(setting.path)
      const expression = globExpression(basename(setting.path), false)
      for (const file of namesIn(directory).sort()) {
        if (!expression.test(file) || COMPANION.test(file)) continue
        const path = join(directory, file)
        const id = databaseId(path)
        if (!this.#databases.has(id) && !this.#releasing.has(id))
          this.#add(path, `${setting.name}-${databaseName(path)}`, setting)
      }
    }
    this.#timer = setTimeout(() => this.#lookForFiles(), alignedDelay(this.#options.globMs ?? GLOB_MS, Date.now()))
  }

  /**
   * What was followed for somebody when the process before ended: whoever comes back goes on behind his cursor. Until then it counts as
   * followed for nobody, which has its end.
   */
  #resumeAdHoc(): void {
    for (const id of namesIn(this.#directory)) {
      const directory = join(this.#directory, id)
      const spec = adHocSpecOf(directory)
      if (spec === undefined) continue
      try {
        if (this.#databases.has(id)) forgetAdHocSpec(directory)
        else if (spec === 'unreadable' || databaseId(spec.path) !== id || this.#addAdHoc(spec) === undefined)
          rmSync(directory, { recursive: true, force: true })
      } catch (error) {
        this.#options.log.warn('what was followed for somebody cannot be resumed', { directory, error })
      }
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

/** None where the directory cannot be read. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
