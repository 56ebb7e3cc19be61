import { CancelledError, HotpathError } from '@hotpath/model'
import type { FoundRow } from '@hotpath/protocol/contract'
import { type Predicate, parseQuery } from '@hotpath/query'
import { snippetOf } from '@hotpath/row-index'
import type { FileSystem } from '@hotpath/store'
import type { FoundPage } from './kept-row-pages.js'
import type { FromRowWorker, RowAnswer, RowCounts, RowQuery, ToRowWorker } from './row-messages.js'
import { RowShelf, SHELF_LIMITS, type ShelfSetting } from './row-shelf.js'

/** What the row worker does, in whatever thread it is: keeps the rows of followed databases and searches them. */
export class RowService {
  private shelves = new Map<string, RowShelf>()
  /** What opens and resets wait for, one after the other; changes that come meanwhile wait with them. */
  private tail: Promise<void> = Promise.resolve()

  /** @param isCancelled whether the search of this id is to be given up */
  constructor(
    private readonly fs: FileSystem,
    private readonly isCancelled: (id: number) => boolean,
    private readonly post: (message: FromRowWorker) => void,
    private readonly limits = SHELF_LIMITS,
  ) {}

  receive(message: ToRowWorker): void {
    if (message.type === 'search') {
      this.post({ type: 'result', id: message.id, answer: this.search(message.id, message.query) })
      return
    }
    this.tail = this.tail
      .then(() => this.handle(message))
      .catch(error => this.problem('database' in message ? message.database : '', error))
  }

  /** Resolves when everything that was received is done. */
  async settled(): Promise<void> {
    await this.tail
    for (const shelf of this.shelves.values()) await shelf.maintain()
  }

  private async handle(message: Exclude<ToRowWorker, { type: 'search' }>): Promise<void> {
    switch (message.type) {
      case 'open':
        await this.open(message.databases)
        return
      case 'reset':
        await this.shelves.get(message.database)?.reset(message.cursor)
        this.post({ type: 'changed' })
        this.tellCounts()
        return
      case 'changes': {
        const { database, tables, changes, cursor } = message
        const shelf = this.shelves.get(database)
        try {
          if (shelf?.apply(tables, changes, cursor)) this.post({ type: 'changed' })
        } finally {
          this.post({ type: 'taken', bytes: changes.length })
        }
        void shelf?.maintain().then(() => this.tellCounts())
        return
      }
      case 'cursor': {
        const shelf = this.shelves.get(message.database)
        if (shelf !== undefined) shelf.cursor = message.cursor
        return
      }
      case 'stop':
        for (const shelf of this.shelves.values()) await shelf.stop()
        this.shelves.clear()
        return
    }
  }

  private async open(databases: readonly ShelfSetting[]): Promise<void> {
    const wanted = new Map(databases.map(setting => [setting.database, setting]))
    for (const [database, shelf] of this.shelves) {
      if (JSON.stringify(wanted.get(database)) === JSON.stringify(shelf.setting)) continue
      this.shelves.delete(database)
      await shelf.stop()
    }
    for (const [database, setting] of wanted) {
      if (this.shelves.has(database)) continue
      this.shelves.set(
        database,
        await RowShelf.open(setting, this.fs, error => this.problem(database, error), this.limits),
      )
    }
    const cursors = [...this.shelves].flatMap(([database, { cursor }]) =>
      cursor === undefined ? [] : [{ database, cursor }],
    )
    this.post({ type: 'changed' })
    this.post({ type: 'opened', cursors })
    this.tellCounts()
  }

  private tellCounts(): void {
    const databases = [...this.shelves].map(
      ([database, shelf]): RowCounts => ({
        database,
        rows: shelf.index.rowCount,
        segments: shelf.index.segments.length,
        bytes: shelf.bytes,
      }),
    )
    this.post({ type: 'counts', databases })
  }

  private problem(database: string, error: unknown): void {
    this.post({ type: 'problem', database, error: error instanceof Error ? error : new Error(String(error)) })
  }

  private search(id: number, query: RowQuery): RowAnswer {
    const startedMs = performance.now()
    const { text, nowMs, caseMode, deadlineMs } = query
    const parsed = parseQuery(text, { now: nowMs, caseMode, rows: true })
    if (parsed.kind === 'error') {
      return { kind: 'syntax', message: parsed.message, position: parsed.position, expected: parsed.expected }
    }
    const predicate = parsed.rows!
    const check = (): void => {
      if (this.isCancelled(id)) throw new CancelledError()
      if (Date.now() > deadlineMs) throw new CancelledError('the deadline passed')
    }
    const most = parsed.maxCount ?? Number.POSITIVE_INFINITY
    const limit = Math.max(0, Math.min(query.limit, most - query.offset))
    const rows: FoundRow[] = []
    let total = 0
    try {
      for (const [, shelf] of [...this.shelves].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const place = { offset: Math.max(0, query.offset - total), limit: limit - rows.length }
        const key = JSON.stringify([text, caseMode, place.offset, place.limit])
        let page = shelf.pages.find(key)
        if (page === undefined) {
          page = searchShelf(shelf, predicate, place, check)
          shelf.pages.keep(key, page)
        }
        total += page.total
        rows.push(...page.rows)
      }
    } catch (error) {
      if (!(error instanceof HotpathError)) throw error
      return { kind: 'failed', code: error.code, message: error.message }
    }
    return { kind: 'page', total: Math.min(total, most), rows, tookMs: performance.now() - startedMs }
  }
}

function searchShelf(
  { setting, index }: RowShelf,
  predicate: Predicate,
  place: { readonly offset: number; readonly limit: number },
  check: () => void,
): FoundPage {
  const { total, hits } = index.search(predicate, place, check)
  const rows = hits.map(({ table, key, text }): FoundRow => {
    const { text: snippet, matched, isCut } = snippetOf(predicate, text)
    return {
      database: setting.database,
      table,
      // A view of the segment would not survive the way to another thread as cheaply.
      key: key.slice(),
      snippet,
      matched: matched.flatMap(({ from, to }) => [from, to]),
      cutStart: isCut.start,
      cutEnd: isCut.end,
    }
  })
  return { total, rows }
}
