import {
  type ChangesEvent,
  type ChangesParams,
  type DatabaseInfo,
  type FoundRow,
  type FoundRows,
  QueryError,
  type RowChanges,
  type RowSearchParams,
  type SearchParams,
  SearchResult,
  type Watch,
  type WatchHandlers,
  type WatchParams,
} from '@hotpath/client'
import { Kind, type RankColumns, rankColumns, type TimeColumn } from '@hotpath/model'
import { type HitColumns, noHits, type SearchError, type SearchReply, type StatusReply } from '@hotpath/protocol'
import type { IndexClient } from '../index-client.js'

export interface Row {
  readonly path: string | Uint8Array
  readonly kind?: Kind
  readonly size?: number
  readonly modified?: readonly [seconds: number, ticks: number]
}

function time(rows: readonly Row[]): TimeColumn {
  return {
    seconds: Float64Array.from(rows, row => row.modified?.[0] ?? Number.NaN),
    ticks: Uint32Array.from(rows, row => row.modified?.[1] ?? 0),
  }
}

export function page(rows: readonly Row[]): HitColumns {
  const paths = rows.map(({ path }) => Buffer.from(path))
  const offsets = [0]
  for (const path of paths) offsets.push(offsets.at(-1)! + path.length)
  return {
    count: rows.length,
    ids: Uint8Array.from({ length: rows.length * 24 }, (_, i) => i),
    pathOffsets: Uint32Array.from(offsets),
    paths: Buffer.concat(paths),
    nameStart: Uint32Array.from(paths, path => path.lastIndexOf(0x2f) + 1),
    kind: Uint8Array.from(rows, row => row.kind ?? Kind.file),
    size: Float64Array.from(rows, row => row.size ?? Number.NaN),
    modified: time(rows),
  }
}

/** The first name is what was asked for, others have no say. */
function ranks(count: number): RankColumns {
  const rank = { hot: 0, nearness: 0, allTerms: true, characters: 9, depth: 2 }
  return rankColumns(Array.from({ length: count }, (_, row) => ({ ...rank, place: row === 0 ? 'whole' : null })))
}

export const fresh = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const

/** An index of these rows: every query finds all of them. */
export class FakeIndex implements IndexClient {
  readonly requests: SearchParams[] = []
  failure: SearchError | undefined
  readonly calls: string[] = []
  closed = false
  constructor(
    private readonly rows: readonly Row[],
    private readonly reply: Partial<SearchReply> = {},
    private readonly maxRows = Number.POSITIVE_INFINITY,
  ) {}

  async search(request: SearchParams): Promise<SearchResult> {
    this.requests.push(request)
    if (this.failure !== undefined) throw new QueryError(this.failure)
    const { offset = 0, limit = 100 } = request
    const rows = this.rows.slice(offset, offset + Math.min(limit, this.maxRows))
    const reply = {
      total: this.rows.length,
      fuzzyTotal: Number.NaN,
      clock: 'c1',
      fresh,
      partial: false,
      tookMs: 0.12345,
      rows: request.countOnly ? noHits() : { ...page(rows), ...(request.explain && { rank: ranks(rows.length) }) },
      explain: request.explain ? '{"plan":"\\u009b"}' : '',
      ...this.reply,
    }
    return new SearchResult(reply, offset)
  }

  /** What a watch does after the hits. */
  script: (handlers: WatchHandlers) => Promise<void> = async () => {}
  watching: Watch | undefined

  async live(params: WatchParams, handlers: WatchHandlers): Promise<Watch> {
    await handlers.onHits(await this.search(params))
    let close = () => {}
    const closed = new Promise<void>(resolve => {
      close = resolve
    })
    const ended = this.script(handlers).then(() => closed)
    this.watching = { ended, close }
    return this.watching
  }

  /** Rows of databases that every query finds. */
  found: FoundRow[] = []

  async searchRows({ limit = 20 }: RowSearchParams): Promise<FoundRows> {
    this.calls.push(`rows ${limit}`)
    return { total: this.found.length, tookMs: 0.5, rows: this.found.slice(0, limit) }
  }

  /** What `changes` brings. */
  events: ChangesEvent[] = []
  followed: DatabaseInfo[] = []
  changesParams: ChangesParams | undefined

  async changes(params: ChangesParams): Promise<RowChanges> {
    this.calls.push('changes')
    this.changesParams = params
    const events = this.events[Symbol.iterator]()
    const ends = new Promise<undefined>(resolve => params.signal?.addEventListener('abort', () => resolve(undefined)))
    const iterator = {
      databases: this.followed,
      next: async () => {
        const event = events.next()
        if (!event.done) return { done: false as const, value: event.value }
        await ends
        return { done: true as const, value: undefined }
      },
      return: async () => {
        this.calls.push('changes ended')
        return { done: true as const, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator as unknown as RowChanges
  }

  async databases() {
    this.calls.push('databases')
    return this.followed
  }

  async clock() {
    this.calls.push('clock')
    return { clock: 'now', unwatchedRoots: [] }
  }

  async status(): Promise<StatusReply> {
    const scan = {
      root: 'r',
      epoch: 1,
      entries: 10,
      directories: 2,
      errors: 0,
      currentDirectory: Buffer.from('/a\u001b[0m'),
      knownTotal: Number.NaN,
    }
    return {
      version: '0.1.0',
      clock: 'c1',
      fresh: { ...fresh, dirty: 7, dirtySubtrees: [Buffer.from('/home/\u001bdirty')] },
      partial: true,
      stages: [
        { stage: 'store', instance: 'i', pid: 5, state: 'ready', uptimeMs: 5_400, memoryBytes: 5e7, restarts: 1 },
      ],
      roots: [
        {
          root: { id: 'r', kind: 'tree', path: '/home/\u0007me' },
          entries: 1_234,
          directories: 5,
          segments: 1,
          indexBytes: 1_000,
          deltaRows: 0,
          fresh,
          mechanism: 'fanotify',
          partial: true,
          scan,
          reason: 'first scan',
          checked: 98_765,
          wrong: 3,
          repaired: 2,
          losses: 4,
          mounts: [
            { path: Buffer.from('/home/me/n\u001b'), mechanism: 'polling', reason: 'it lies on nfs' },
            { path: Buffer.from('/home/me/same'), mechanism: 'fanotify', reason: '' },
          ],
        },
      ],
      entries: 1_234,
      segments: 1,
      indexBytes: 30_000,
      walBytes: 10,
      storage: 'full',
      storageReason: 'no room\u0007',
      caches: [],
    }
  }

  async rescan(root = '') {
    this.calls.push(`rescan ${root}`)
    return root === '' ? ['r', 's'] : [root]
  }

  async recordOpen(entry: { id: string } | { path: string | Uint8Array }) {
    this.calls.push(`open ${'path' in entry ? entry.path : entry.id}`)
    return 'path' in entry && this.rows.some(row => row.path === entry.path)
  }

  async forgetOpens(what: { id: string } | { path: string | Uint8Array } | 'all') {
    this.calls.push(`forget ${what === 'all' ? what : 'path' in what ? what.path : what.id}`)
    const isKnown = what === 'all' || ('path' in what && this.rows.some(row => row.path === what.path))
    return isKnown ? 1 : undefined
  }

  async importList(path: string) {
    this.calls.push(`import ${path}`)
    return { id: 'x', kind: 'list', path } as const
  }

  async close() {
    this.closed = true
  }
}

export function failing(error: SearchError): FakeIndex {
  const index = new FakeIndex([])
  index.failure = error
  return index
}

/** Names that a terminal, a line or a text could trip over. */
export const hostile: Row[] = [
  { path: '/a/plain.txt', size: 5, modified: [1_700_000_000, 1_234_567] },
  { path: '/a/\u001b]0;title\u0007\nnew"line, x', size: 0 },
  { path: Buffer.from('/a/\xff\xfe.bin', 'latin1'), modified: [-1, 0] },
  { path: '/a/\u202egnp.exe\u009b', kind: Kind.symlink },
  { path: '/', kind: Kind.directory, size: 4_096 },
]
