import { CancelledError, encodeRowKey, InvalidInputError, Kind, type RowKey, UnavailableError } from '@hotpath/model'
import { componentsOf, hitRanker, parseQuery } from '@hotpath/query'
import {
  type Barrier,
  type FolderSizes,
  type Freshness,
  type IndexEvent,
  type IndexStatistics,
  type IndexStatus,
  type OpenedEntry,
  QueryError,
  type RowAnswer,
  type RowSearch,
  type ScanProgress,
  type SearchAnswer,
  type SearchBackend,
  type SearchRequest,
  type SearchRow,
} from '../search-backend.js'

/** Names that would run, break out or mislead if they were ever more than text. */
export const HOSTILE_NAMES: readonly Uint8Array[] = [
  '<img src=x onerror="window.pwned=1">.txt',
  '<script>window.pwned=1</script>.txt',
  '"><svg onload=window.pwned=1>.txt',
  '&lt;b&gt;hostile&amp;.txt',
  'javascript:window.pwned=1',
  '{{constructor.constructor("window.pwned=1")()}}',
  'hostile\n\r\t\u001b[31mred\u0007.txt',
  'hostile \u202egnp.exe',
  'hostile\u2066\u2067\u2069\u200f.txt',
  '\ufeffhostile bom.txt',
  '-rf hostile',
  '%3Cscript%3Ehostile',
  `hostile ${'x'.repeat(240)}`,
]
  .map(name => new TextEncoder().encode(name))
  .concat([
    new Uint8Array([...Buffer.from('hostile '), 0xff, 0xfe, 0x80, ...Buffer.from('.bin')]),
    new Uint8Array([...Buffer.from('hostile '), 0xed, 0xa0, 0x80]),
  ])

const FOLDERS = ['Documents/reports', 'Pictures/2024', 'src/hotpath/packages', 'Music', 'Downloads']
const WORDS = ['report', 'main', 'holiday', 'invoice', 'index', 'résumé', 'notes', 'budget', 'photo', 'readme']
const EXTENSIONS = ['pdf', 'jpg', 'ts', 'md', 'xlsx', 'txt']

/** Shared by all backends with the same rows. */
const NAMES = new WeakMap<SearchRow, string>()
const RESULTS = new Map<string, { from: SearchRow[]; found: SearchRow[] }>()

/**
 * An index that is computed instead of stored: `count` rows whose names hold every word, and a naive substring
 * filter. Tests drive its events and failures.
 */
export class FakeBackend implements SearchBackend {
  readonly searches: { request: SearchRequest; signal: AbortSignal }[] = []
  readonly rescans: (string | undefined)[] = []
  readonly opens: string[] = []
  rows: SearchRow[]
  clockValue = 1
  /** Cost of each search. */
  engineMs = 0.1234
  /** Thrown by every call, if set. */
  failure: Error | undefined
  /** Searches wait for this, if set. */
  gate: Promise<void> | undefined
  /** Answers say that they were kept. */
  isCached = false
  scan: ScanProgress | undefined
  /** Of followed databases. */
  databaseRows: readonly FakeDatabaseRow[] = [7n, [1n, 'ä', 0.5] as const].map(key =>
    fakeDatabaseRow(key, 'the Invoice of 2024'),
  )
  readonly rowSearches: { query: string; limit: number; offset: number }[] = []
  /** Searches for rows wait for this, if set. */
  rowGate: Promise<void> | undefined
  readonly #listeners = new Set<(event: IndexEvent) => void>()

  /** @param rows of an earlier one, to save their making */
  constructor(count: number, rows = fakeRows(count)) {
    this.rows = rows
  }

  async search(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
    this.searches.push({ request, signal })
    if (this.gate !== undefined) await Promise.race([this.gate, aborted(signal)])
    if (signal.aborted) throw new CancelledError()
    this.#check()
    const broken = request.query.indexOf('(')
    if (broken >= 0) throw new QueryError('SYNTAX', 'the group is not closed', broken, ')')
    const found = this.#find(request)
    const rows = request.countOnly ? [] : found.slice(request.offset, request.offset + request.limit)
    return {
      cached: this.isCached,
      total: found.length,
      fuzzyTotal: request.fuzzy ? 0 : undefined,
      exactRows: rows.length,
      clock: String(this.clockValue),
      fresh: this.#fresh(),
      partial: this.scan !== undefined,
      engineMs: this.engineMs,
      rows: request.explain ? rows.map(rankedBy(request)) : rows,
      explanation: request.explain ? { plan: 'naive' } : undefined,
    }
  }

  async status(): Promise<IndexStatus> {
    this.#check()
    const fresh = this.#fresh()
    return {
      clock: String(this.clockValue),
      fresh,
      partial: this.scan !== undefined,
      storage: { state: 'writable', reason: '' },
      entries: this.rows.length,
      roots: [
        {
          id: 'tree-1',
          kind: 'tree',
          path: '/home/ann',
          entries: this.rows.length,
          directories: 6,
          segments: 1,
          indexBytes: 1_000_000,
          deltaRows: 0,
          mechanism: 'fanotify',
          mounts: [],
          reason: '',
          fresh,
          partial: this.scan !== undefined,
          scan: this.scan,
        },
      ],
      stages: [{ stage: 'store', pid: 1, state: 'ready', uptimeMs: 5, memoryBytes: Number.NaN, restarts: 0 }],
      figures: { entries: this.rows.length, segments: 1, watch_losses_total: 2 },
      caches: [{ cache: 'results', hits: 7, misses: 2, entries: 3, bytes: 4096 }],
    }
  }

  async clock(): Promise<Barrier> {
    this.#check()
    return { clock: String(this.clockValue), notCovered: [] }
  }

  async searchRows({ query, limit, offset }: RowSearch, signal: AbortSignal): Promise<RowAnswer> {
    this.rowSearches.push({ query, limit, offset })
    if (this.rowGate !== undefined) await Promise.race([this.rowGate, aborted(signal)])
    if (signal.aborted) throw new CancelledError()
    this.#check()
    if (query === '(') throw new QueryError('SYNTAX', 'a group is not closed', 0, ')')
    const needle = query.replace(/^in:\S+ ?/, '').toLowerCase()
    const found = this.databaseRows.filter(({ snippet }) => snippet.toLowerCase().includes(needle))
    const rows = found.slice(offset, offset + limit).map(row => {
      const at = row.snippet.toLowerCase().indexOf(needle)
      return { ...row, matched: needle === '' ? [] : [at, at + needle.length] }
    })
    return { total: found.length, engineMs: 0.25, rows }
  }

  async statistics(): Promise<IndexStatistics> {
    this.#check()
    return {
      clock: String(this.clockValue),
      types: [
        { type: 'document', count: this.rows.length - 2, size: 1_000 },
        { type: 'folder', count: 2, size: 0 },
      ],
      sections: [
        { section: 'fNAM', name: 'names (files)', group: 'names', bytes: 700 },
        { section: 'fPST', name: 'postings of grams (files)', group: 'finding names', bytes: 600 },
        { section: 'fGRK', name: 'grams (files)', group: 'finding names', bytes: 200 },
      ],
      segments: [{ root: 'tree-1', entries: this.rows.length, bytes: 1_000_000 }],
      changesPerMinute: new Array<number>(60).fill(0),
    }
  }

  async sizes(path: Uint8Array | undefined): Promise<FolderSizes | undefined> {
    this.#check()
    if (path !== undefined && Buffer.from(path).toString() !== '/home/ann') return undefined
    const child = (text: string | Uint8Array, nameSizeBytes: number, isDirectory: boolean) => ({
      path: Buffer.from(text),
      nameSizeBytes,
      isDirectory,
      count: isDirectory ? 3 : 0,
      size: 40,
    })
    return {
      clock: String(this.clockValue),
      path: path ?? new Uint8Array(0),
      count: 6,
      size: 90,
      children: [child('/home/ann/docs', 4, true), child(Buffer.from('/home/ann/\xff.txt', 'latin1'), 5, false)],
      rest: { count: 1, size: 10 },
    }
  }

  async rescan(root: string | undefined): Promise<readonly string[]> {
    this.#check()
    if (root !== undefined && root !== 'tree-1') {
      throw new InvalidInputError('root', 'the id of a root', JSON.stringify(root))
    }
    this.rescans.push(root)
    return ['tree-1']
  }

  async open(entry: OpenedEntry): Promise<boolean> {
    this.#check()
    const row = this.rows.find(one =>
      'id' in entry ? one.id === entry.id : Buffer.compare(one.path, entry.path) === 0,
    )
    if (row !== undefined) this.opens.push(row.id)
    return row !== undefined
  }

  async forget(what: OpenedEntry | 'all'): Promise<number | undefined> {
    this.#check()
    const row = this.rows.find(
      one => what === 'all' || ('id' in what ? one.id === what.id : Buffer.compare(one.path, what.path) === 0),
    )
    if (row === undefined) return undefined
    const kept = what === 'all' ? [] : this.opens.filter(id => id !== row.id)
    const forgotten = new Set(this.opens).size - new Set(kept).size
    this.opens.splice(0, this.opens.length, ...kept)
    return forgotten
  }

  onEvent(listener: (event: IndexEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  emit(event: IndexEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** Remembers results: sorting 100,000 rows for every page would be the slowest part of a test. */
  #find(request: SearchRequest): SearchRow[] {
    const key = JSON.stringify([request.query, request.sort, request.descending])
    const known = RESULTS.get(key)
    if (known?.from === this.rows) return known.found
    const needle = request.query.toLowerCase()
    const found = this.rows
      .filter(row => this.#nameOf(row).toLowerCase().includes(needle))
      .sort(byRequest(request, row => this.#nameOf(row)))
    RESULTS.set(key, { from: this.rows, found })
    return found
  }

  #nameOf(row: SearchRow): string {
    const known = NAMES.get(row)
    if (known !== undefined) return known
    const name = Buffer.from(row.path.subarray(row.path.length - row.nameSizeBytes)).toString('utf8')
    NAMES.set(row, name)
    return name
  }

  #fresh(): Freshness {
    return { state: this.scan === undefined ? 'live' : 'catching-up', lagMs: 0, dirty: 0, dirtySubtrees: [] }
  }

  #check(): void {
    if (this.failure !== undefined) throw this.failure
  }
}

export function fakeRows(count: number): SearchRow[] {
  const rows = HOSTILE_NAMES.map((name, at) => fakeRow('/home/ann/hostile', name, at))
  for (let at = rows.length; at < count; at++) {
    const word = WORDS[at % WORDS.length]!
    const extension = EXTENSIONS[at % EXTENSIONS.length]!
    const folder = FOLDERS[at % FOLDERS.length]!
    const name = new TextEncoder().encode(`${word}-${String(at).padStart(6, '0')}.${extension}`)
    rows.push(fakeRow(`/home/ann/${folder}`, name, at))
  }
  return rows
}

export type FakeDatabaseRow = Omit<RowAnswer['rows'][number], 'matched'>

export function fakeDatabaseRow(key: RowKey, snippet: string, database = 'chat', table = 'message'): FakeDatabaseRow {
  return { database, table, key: encodeRowKey(key), snippet, cutStart: false, cutEnd: true }
}

export const unavailable = new UnavailableError('the store is not there')

export function fakeRow(directory: string, name: Uint8Array, at: number): SearchRow {
  const path = new Uint8Array([...Buffer.from(`${directory}/`), ...name])
  return {
    id: `fake${at}`.padEnd(32, '-'),
    path,
    nameSizeBytes: name.length,
    kind: at % 17 === 16 ? Kind.directory : Kind.file,
    sizeBytes: at % 17 === 16 ? Number.NaN : (at * 7_919) % 50_000_000,
    modified: { seconds: 1_700_000_000 - at * 3_600, ticks: at % 2 === 0 ? 0 : 1_234_567 },
    created: at % 5 === 0 ? { seconds: 1_690_000_000 - at * 60, ticks: 0 } : undefined,
    accessed: at % 5 === 1 ? { seconds: 1_710_000_000 - at * 60, ticks: 0 } : undefined,
    hot: at % 10 === 3 ? 0.123456 : 0,
    opens: at % 10 === 3 ? 2 : 0,
    opened: at % 10 === 3 ? { seconds: 1_700_000_000, ticks: 0 } : undefined,
  }
}

function byRequest(
  { sort, descending }: SearchRequest,
  nameOf: (row: SearchRow) => string,
): (a: SearchRow, b: SearchRow) => number {
  const ascending = (a: SearchRow, b: SearchRow) => {
    if (sort === 'size') return (a.sizeBytes || 0) - (b.sizeBytes || 0)
    if (sort === 'modified') return a.modified!.seconds - b.modified!.seconds
    // As a test has put them: an order that changes while no row does.
    if (sort === 'opened') return 0
    if (sort === 'path') return Buffer.compare(a.path, b.path)
    return nameOf(a) < nameOf(b) ? -1 : 1
  }
  return descending ? (a, b) => ascending(b, a) : ascending
}

function rankedBy({ query }: SearchRequest): (row: SearchRow) => SearchRow {
  const parsed = parseQuery(query, { now: 0 })
  if (parsed.kind === 'error') throw new Error(parsed.message)
  const rankHit = hitRanker(parsed.predicate)
  return row => ({ ...row, rank: rankHit({ components: componentsOf(row.path), kind: row.kind, size: row.sizeBytes }) })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
