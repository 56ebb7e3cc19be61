import {
  type HotpathError,
  ID_BYTES,
  InvalidInputError,
  instantAt,
  type Kind,
  rankAt,
  timeColumn,
  UnavailableError,
  wholeSecond,
} from '@hotpath/model'
import * as wire from '@hotpath/protocol'
import {
  DeadlineError,
  type FolderSizes,
  type Freshness,
  type IndexStatus,
  QueryError,
  type SearchAnswer,
  type SearchRequest,
  type SearchRow,
} from '../search-backend.js'
import type { ScanRates } from './scan-rates.js'

const NOTHING = new Uint8Array(0)

export function toWireRequest(request: SearchRequest): wire.SearchRequest {
  return wire.searchRequest(request.query, {
    limit: request.limit,
    offset: request.offset,
    sort: request.sort === 'ext' ? 'extension' : request.sort,
    descending: request.descending,
    under: request.under ?? NOTHING,
    minClock: request.minClock ?? '',
    match: request.match,
    caseMode: request.caseMode,
    countOnly: request.countOnly,
    fuzzy: request.fuzzy,
    explain: request.explain,
    noCache: request.noCache ?? false,
  })
}

/** The answer to a request. Throws QueryError, UnavailableError or DeadlineError where the store could not give one. */
export function fromWireReply(
  reply: wire.SearchReply,
  { query, offset }: Pick<SearchRequest, 'query' | 'offset'>,
): SearchAnswer {
  if (reply.error !== undefined) throw searchError(reply.error, query)
  return {
    total: reply.total,
    fuzzyTotal: Number.isNaN(reply.fuzzyTotal) ? undefined : reply.fuzzyTotal,
    exactRows: Math.min(reply.rows.count, Math.max(0, reply.total - offset)),
    clock: reply.clock,
    fresh: fromWireFresh(reply.fresh),
    partial: reply.partial,
    engineMs: reply.tookMs,
    cached: reply.cached === true,
    rows: rowsOf(reply.rows),
    explanation: reply.explain === '' ? undefined : JSON.parse(reply.explain),
  }
}

/** The columns of rows, as a native client reads them. */
export function toWireHits(rows: readonly SearchRow[]): wire.HitColumns {
  const pathOffsets = new Uint32Array(rows.length + 1)
  for (const [at, { path }] of rows.entries()) pathOffsets[at + 1] = pathOffsets[at]! + path.length
  const modified = timeColumn(rows.map(row => row.modified))
  const created = timeColumn(rows.map(row => row.created))
  const accessed = timeColumn(rows.map(row => row.accessed))
  return {
    count: rows.length,
    ids: Buffer.concat(rows.map(row => Buffer.from(row.id, 'base64url'))),
    pathOffsets,
    paths: Buffer.concat(rows.map(row => row.path)),
    nameStart: Uint32Array.from(rows, row => row.path.length - row.nameSizeBytes),
    kind: Uint8Array.from(rows, row => row.kind),
    size: Float64Array.from(rows, row => row.sizeBytes),
    ...(modified === undefined ? {} : { modified }),
    ...(created === undefined ? {} : { created }),
    ...(accessed === undefined ? {} : { accessed }),
    ...(rows.some(row => row.opens > 0) ? usesOf(rows) : {}),
  }
}

/** An answer as a native client reads it. */
export function toWireReply(answer: SearchAnswer): wire.SearchReply {
  return {
    total: answer.total,
    fuzzyTotal: answer.fuzzyTotal ?? Number.NaN,
    clock: answer.clock,
    fresh: toWireFresh(answer.fresh),
    partial: answer.partial,
    tookMs: answer.engineMs,
    rows: toWireHits(answer.rows),
    explain: '',
  }
}

/** What a native client is told of a search that failed. `query` is that of the request. */
export function toWireFailure(error: unknown, query: Uint8Array): wire.SearchReply {
  const { code, message } = wire.errorToReply(error)
  const { position, expected } =
    error instanceof QueryError
      ? error
      : { position: undefined, expected: error instanceof InvalidInputError ? error.expected : '' }
  const before = position === undefined ? undefined : Buffer.from(query).toString('utf8').slice(0, position)
  return {
    total: 0,
    fuzzyTotal: Number.NaN,
    clock: '',
    fresh: { state: 'unwatched', lagMs: 0, dirty: 0, dirtySubtrees: [] },
    partial: false,
    tookMs: 0,
    rows: wire.noHits(),
    explain: '',
    error: { code, message, position: before === undefined ? Number.NaN : Buffer.byteLength(before), expected },
  }
}

/** What the store says of a query that it did not run. */
export function searchError({ code, message, position, expected }: wire.SearchError, query: string): HotpathError {
  if (code === 'UNAVAILABLE') return new UnavailableError(message)
  // Whoever gave up does not get here: what is left is the time that the store was given.
  if (code === 'CANCELLED') return new DeadlineError(message)
  if (Number.isNaN(position)) return new QueryError(code, message, undefined, expected)
  // Positions travel as bytes, because a query need not be UTF-8 there; over HTTP it is.
  const before = Buffer.from(query, 'utf8').subarray(0, position).toString('utf8')
  return new QueryError(code, message, before.length, expected)
}

function rowsOf(columns: wire.HitColumns): SearchRow[] {
  return Array.from({ length: columns.count }, (_, row) => {
    const from = columns.pathOffsets[row]!
    const to = columns.pathOffsets[row + 1]!
    return {
      id: Buffer.from(columns.ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES)).toString('base64url'),
      path: columns.paths.subarray(from, to),
      nameSizeBytes: to - from - columns.nameStart[row]!,
      kind: columns.kind[row]! as Kind,
      sizeBytes: columns.size[row]!,
      modified: instantAt(columns.modified, row),
      created: instantAt(columns.created, row),
      accessed: instantAt(columns.accessed, row),
      hot: columns.hot?.[row] ?? 0,
      opens: columns.opens?.[row] ?? 0,
      opened: wholeSecond(columns.opened?.[row]),
      rank: rankAt(columns, row),
    }
  })
}

function usesOf(rows: readonly SearchRow[]) {
  return {
    hot: Float64Array.from(rows, row => row.hot),
    opens: Uint32Array.from(rows, row => row.opens),
    opened: Float64Array.from(rows, row => row.opened?.seconds ?? Number.NaN),
  }
}

export function fromWireFresh({ lagMs, ...rest }: wire.Fresh): Freshness {
  return { ...rest, lagMs: Number.isFinite(lagMs) ? lagMs : undefined }
}

export function toWireFresh({ lagMs, ...rest }: Freshness): wire.Fresh {
  return { ...rest, lagMs: lagMs ?? 0 }
}

export function fromWireSizes(reply: wire.SizesReply): FolderSizes {
  const { clock, path, count, size, children, restCount, restSize } = reply
  return {
    clock,
    path,
    count,
    size,
    children: children.map(child => ({
      path: child.path,
      nameSizeBytes: Math.max(0, child.path.length - child.nameStart),
      isDirectory: child.directory,
      count: child.count,
      size: child.size,
    })),
    rest: { count: restCount, size: restSize },
  }
}

export function fromWireStatus(status: wire.StatusReply, rates: ScanRates): IndexStatus {
  const { clock, partial, entries, segments, indexBytes, walBytes } = status
  const sum = (of: (root: wire.RootStatus) => number) => status.roots.reduce((total, root) => total + of(root), 0)
  return {
    clock,
    fresh: fromWireFresh(status.fresh),
    partial,
    storage: { state: status.storage, reason: status.storageReason },
    entries,
    roots: status.roots.map(({ root, scan, fresh, mounts = [], ...rest }) => ({
      ...root,
      ...rest,
      fresh: fromWireFresh(fresh),
      mounts: mounts.map(({ path, ...how }) => ({ path: Buffer.from(path).toString('utf8'), ...how })),
      scan:
        scan === undefined
          ? undefined
          : {
              entries: scan.entries,
              entriesPerSecond: rates.perSecond(scan),
              current: Buffer.from(scan.currentDirectory).toString('utf8'),
              expectedEntries: Number.isNaN(scan.knownTotal) ? undefined : scan.knownTotal,
            },
    })),
    stages: status.stages.map(({ stage, pid, state, uptimeMs, memoryBytes, restarts }) => ({
      stage,
      pid,
      state,
      uptimeMs,
      memoryBytes,
      restarts,
    })),
    caches: status.caches,
    figures: {
      index_entries: entries,
      index_directories: sum(root => root.directories),
      index_segments: segments,
      index_bytes: indexBytes,
      index_wal_bytes: walBytes,
      index_delta_rows: sum(root => root.deltaRows),
      index_writable: status.storage === 'writable' ? 1 : 0,
      index_dirty_directories: status.fresh.dirty,
      verify_checked_entries_total: sum(root => root.checked),
      verify_wrong_entries_total: sum(root => root.wrong),
      verify_repaired_entries_total: sum(root => root.repaired),
      watch_losses_total: sum(root => root.losses),
      index_lag_seconds: (Number.isFinite(status.fresh.lagMs) ? status.fresh.lagMs : 0) / 1000,
    },
  }
}
