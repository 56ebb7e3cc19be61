import { closeSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FollowedTable, RowChange, RowTransaction } from '@hotpath/model'
import { createBell, InputWait } from '@hotpath/platform'
import { DatabaseFollower } from '../database-follower.js'
import { sleep } from '../file-copy.js'
import type { FollowerCondition, FollowerHost, ToldTransaction } from '../follower-host.js'
import { Shadow, type ToldUpTo } from '../shadow.js'
import { loadSqlite, type SqliteInMemory } from '../table-shapes.js'

let sqlite: SqliteInMemory | undefined

/** What outlives the process of a follower: its log of changes, here in memory. */
export class LogInMemory {
  epoch = 1
  transactions: RowTransaction[] = []
  tables = new Map<string, FollowedTable>()
  encryptionKey: Uint8Array | undefined
  /** Times that a new epoch began, with what was there then. */
  resets = 0
}

/** A killed process, as far as a thread can be one. */
export class KilledError extends Error {}

export interface FollowingOptions {
  readonly tables?: readonly string[]
  readonly text?: readonly string[]
  readonly key?: string
  readonly audit?: boolean
  readonly memoryBytes?: number
}

/** A follower in this thread, driven step by step. */
export class FollowedDatabase {
  conditions: FollowerCondition[] = []
  commits = 0
  isStopping = false
  /** Throws before or after the next transaction is in the log, or with one of its pages in the shadow. */
  killNext: 'before' | 'after' | 'pages' | undefined
  /** Called when the condition has changed, in the middle of a step. */
  onCondition: (condition: FollowerCondition) => void = () => {}
  readonly follower: DatabaseFollower
  readonly shadow: Shadow
  readonly #input: InputWait
  readonly #bell = createBell()

  private constructor(
    path: string,
    data: string,
    readonly log: LogInMemory,
    tables: readonly string[],
    text: readonly string[],
    key: string | undefined,
    memoryBytes: number | undefined,
    audit: boolean,
  ) {
    mkdirSync(data, { recursive: true })
    this.#input = new InputWait(this.#bell)
    this.shadow = new Shadow(join(data, 'shadow'), 'boot')
    const { shadow } = this
    const write = shadow.write.bind(shadow)
    let written = 0
    shadow.write = (no, bytes) => {
      if (this.killNext === 'pages' && written++ === 1) throw new KilledError()
      write(no, bytes)
    }
    this.follower = new DatabaseFollower({
      path,
      tables,
      audit,
      text,
      key: { cipher: undefined, read: () => (key === undefined ? undefined : new Uint8Array(Buffer.from(key))) },
      shadow: this.shadow,
      spillFile: join(data, 'spilled'),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      sqlite: sqlite!,
      input: this.#input,
      host: this.#host(),
    })
  }

  static async start(
    path: string,
    data: string,
    log = new LogInMemory(),
    { tables = [], text = [], key, memoryBytes, audit = false }: FollowingOptions = {},
  ): Promise<FollowedDatabase> {
    sqlite ??= await loadSqlite()
    return new FollowedDatabase(path, data, log, tables, text, key, memoryBytes, audit)
  }

  get condition(): FollowerCondition | undefined {
    return this.conditions.at(-1)
  }

  /** Steps until it has told what is published. */
  async settle(): Promise<void> {
    for (let quiet = 0, steps = 0; quiet < 2; steps++) {
      if (steps > 5_000) throw new Error(`does not come to rest: ${JSON.stringify(this.condition)}`)
      const waitMs = await this.follower.step()
      if (this.condition?.state === 'live' || waitMs > 1_000) quiet++
      else sleep(Math.min(waitMs, 2))
    }
  }

  close(): void {
    this.follower.close()
    this.end()
  }

  /** What the system does for a killed process. */
  end(): void {
    this.#input.close()
    closeSync(this.#bell)
  }

  #host(): FollowerHost {
    const told = (): ToldUpTo => ({ epoch: String(this.log.epoch), sequence: this.log.transactions.length })
    const add = (transaction: ToldTransaction, changes: readonly RowChange[]): void => {
      for (const table of transaction.tables) this.log.tables.set(table.name, table)
      this.log.transactions.push({ sequence: this.log.transactions.length + 1, ...transaction, changes })
    }
    const isStopping = (): boolean => this.isStopping
    return {
      openLog: encryptionKey => {
        this.log.encryptionKey = encryptionKey
        return told()
      },
      append: (transaction: ToldTransaction, changes: Iterable<RowChange>) => {
        const all = [...changes]
        if (this.killNext === 'before') throw new KilledError()
        add(transaction, all)
        if (this.killNext === 'after') throw new KilledError()
        return this.log.transactions.length
      },
      appendAll: transactions => {
        if (this.killNext === 'before') throw new KilledError()
        for (const { transaction, changes } of transactions) add(transaction, changes)
        if (this.killNext === 'after') throw new KilledError()
        return this.log.transactions.length
      },
      resetLog: tables => {
        this.log.epoch++
        this.log.resets++
        this.log.transactions = []
        this.log.tables = new Map(tables.map(table => [table.name, table]))
        return told()
      },
      condition: condition => {
        this.conditions.push(condition)
        this.onCondition(condition)
      },
      get isStopping() {
        return isStopping()
      },
      progress: commits => {
        this.commits = commits
      },
    }
  }
}
