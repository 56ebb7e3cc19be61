import { ID_BYTES } from '@hotpath/model'
import { bytesOf } from '../columns.js'
import {
  MAX_BATCH,
  MAX_CACHES,
  MAX_CHILDREN,
  MAX_CLOCK_BYTES,
  MAX_DIRTY_SUBTREES,
  MAX_EXPLAIN_BYTES,
  MAX_FOUND_ROWS,
  MAX_GROUPS,
  MAX_ID_BYTES,
  MAX_LIMIT,
  MAX_LIVE_ROWS,
  MAX_OPENS,
  MAX_PATH_BYTES,
  MAX_PROSE_BYTES,
  MAX_QUERY_BYTES,
  MAX_ROOTS,
  MAX_ROW_KEY_BYTES,
  MAX_SECTIONS,
  MAX_SEGMENTS,
  MAX_SNIPPET_BYTES,
  MAX_STAGES,
  MAX_TABLE_NAME_BYTES,
  MAX_TYPES,
  STATISTICS_MINUTES,
} from '../limits.js'
import type * as query from '../messages/query.js'
import type { hotpath } from '../wire.js'
import { hitColumns, placesBelow, removedIds } from './columns.js'
import {
  bytes,
  count,
  countOrUnknown,
  double,
  duration,
  type FieldCodec,
  flag,
  flagWhenSet,
  list,
  message,
  numberWhenSet,
  optional,
  prose,
  text,
  u32,
  word,
} from './field.js'
import { followedMounts, mechanism, root, rootKind, scanProgress } from './ingest.js'

const id = text(MAX_ID_BYTES)
const clock = text(MAX_CLOCK_BYTES)

const viewer = message<query.Viewer, hotpath.v1.Viewer.$Properties>({
  user: u32(),
  groups: list(u32(), MAX_GROUPS),
})

export const searchRequest = message<query.SearchRequest, hotpath.v1.SearchRequest.$Properties>({
  text: bytes(MAX_QUERY_BYTES),
  limit: u32(MAX_LIMIT),
  offset: u32(),
  sort: word(
    ['default', 'name', 'path', 'size', 'modified', 'created', 'extension', 'hot', 'opened', 'accessed'],
    'default',
  ),
  descending: flag,
  under: bytes(MAX_PATH_BYTES),
  minClock: clock,
  match: word(['name', 'name', 'auto'], 'name'),
  caseMode: word(['ignore', 'ignore', 'smart', 'match'], 'ignore'),
  countOnly: flag,
  explain: flag,
  fuzzy: flag,
  noCache: flag,
  deadlineMs: duration,
  viewer: optional(viewer),
  known: numberWhenSet,
})

export const fresh = message<query.Fresh, hotpath.v1.Fresh.$Properties>({
  state: word([undefined, 'live', 'catching-up', 'repairing', 'unwatched']),
  lagMs: duration,
  dirty: count,
  dirtySubtrees: list(bytes(MAX_PATH_BYTES), MAX_DIRTY_SUBTREES),
})

const searchError = message<query.SearchError, hotpath.v1.SearchError.$Properties>({
  code: id,
  message: prose(MAX_PROSE_BYTES),
  position: countOrUnknown,
  expected: prose(MAX_PROSE_BYTES),
})

export const searchReply = message<query.SearchReply, hotpath.v1.SearchReply.$Properties>({
  total: count,
  fuzzyTotal: countOrUnknown,
  clock,
  fresh,
  partial: flag,
  tookMs: duration,
  rows: hitColumns,
  error: optional(searchError),
  explain: text(MAX_EXPLAIN_BYTES),
  cached: flagWhenSet,
  number: numberWhenSet,
  unchanged: flagWhenSet,
})

export const searchBatch = message<query.SearchBatch, hotpath.v1.SearchBatch.$Properties>({
  requests: list(searchRequest, MAX_BATCH),
})

export const searchBatchReply = message<query.SearchBatchReply, hotpath.v1.SearchBatchReply.$Properties>({
  replies: list(searchReply, MAX_BATCH),
})

export const rowSearchRequest = message<query.RowSearchRequest, hotpath.v1.RowSearchRequest.$Properties>({
  text: bytes(MAX_QUERY_BYTES),
  limit: u32(MAX_FOUND_ROWS),
  offset: u32(),
  caseMode: word(['ignore', 'ignore', 'smart', 'match'], 'ignore'),
  deadlineMs: duration,
})

const foundRow = message<query.FoundRow, hotpath.v1.FoundRow.$Properties>({
  database: text(MAX_PATH_BYTES),
  table: text(MAX_TABLE_NAME_BYTES),
  key: bytes(MAX_ROW_KEY_BYTES),
  snippet: text(MAX_SNIPPET_BYTES),
  matched: list(u32(), MAX_SNIPPET_BYTES),
  cutStart: flag,
  cutEnd: flag,
})

export const rowSearchReply = message<query.RowSearchReply, hotpath.v1.RowSearchReply.$Properties>({
  total: count,
  tookMs: duration,
  rows: list(foundRow, MAX_FOUND_ROWS),
  error: optional(searchError),
})

export { openBatch } from './columns.js'

export const openReply = message<query.OpenReply, hotpath.v1.OpenReply.$Properties>({
  recorded: u32(MAX_OPENS),
  unknown: u32(MAX_OPENS),
  dropped: u32(MAX_OPENS),
})

export const forgetRequest = message<query.ForgetRequest, hotpath.v1.ForgetRequest.$Properties>({
  id: bytes(ID_BYTES),
  path: bytes(MAX_PATH_BYTES),
  all: flag,
})

export const forgetReply = message<query.ForgetReply, hotpath.v1.ForgetReply.$Properties>({
  forgotten: u32(),
  known: flag,
})

export const liveOpen = message<query.LiveOpen, hotpath.v1.LiveOpen.$Properties>({ live: u32(), search: searchRequest })

export const liveReply = message<query.LiveReply, hotpath.v1.LiveReply.$Properties>({ live: u32(), reply: searchReply })

export const liveResync = message<query.LiveResync, hotpath.v1.LiveResync.$Properties>({
  live: u32(),
  reason: word([undefined, 'many', 'slow', 'gap', 'generation', 'away', 'ended', 'fresh-instance']),
  reply: searchReply,
})

export const liveName = message<query.LiveName, hotpath.v1.LiveAck.$Properties>({ live: u32() })

const places = placesBelow(MAX_LIVE_ROWS)

type WireLiveChange = hotpath.v1.LiveChange.$Properties

const liveChangeHead = message<
  Omit<query.LiveChange, 'changedAt' | 'addedAt'>,
  Omit<WireLiveChange, 'changedAt' | 'addedAt'>
>({
  live: u32(),
  total: count,
  fuzzyTotal: countOrUnknown,
  clock,
  fresh,
  partial: flag,
  removed: removedIds(MAX_LIVE_ROWS),
  changed: hitColumns,
  added: hitColumns,
})

export const liveChange: FieldCodec<query.LiveChange, WireLiveChange> = {
  toWire(change, what) {
    const { changed, changedAt, added, addedAt } = change
    return {
      ...liveChangeHead.toWire(change, what),
      changedAt: bytesOf(places(bytesOf(changedAt), changed.count, `${what}.changedAt`)),
      addedAt: bytesOf(places(bytesOf(addedAt), added.count, `${what}.addedAt`)),
    }
  },
  fromWire(wire, what) {
    const head = liveChangeHead.fromWire(wire, what)
    const none = new Uint8Array(0)
    return {
      ...head,
      changedAt: places(wire?.changedAt ?? none, head.changed.count, `${what}.changedAt`),
      addedAt: places(wire?.addedAt ?? none, head.added.count, `${what}.addedAt`),
    }
  },
}

export const clockReply = message<query.ClockReply, hotpath.v1.ClockReply.$Properties>({
  clock,
  unwatchedRoots: list(id, MAX_ROOTS),
})

const stageStatus = message<query.StageStatus, hotpath.v1.StageStatus.$Properties>({
  stage: id,
  instance: id,
  pid: u32(),
  state: id,
  uptimeMs: duration,
  memoryBytes: double,
  restarts: count,
})

const rootStatus = message<query.RootStatus, hotpath.v1.RootStatus.$Properties>({
  root,
  entries: count,
  directories: count,
  segments: count,
  indexBytes: count,
  deltaRows: count,
  fresh,
  mechanism,
  partial: flag,
  scan: optional(scanProgress),
  reason: prose(MAX_PROSE_BYTES),
  checked: count,
  wrong: count,
  repaired: count,
  losses: count,
  mounts: followedMounts,
})

const cacheStatus = message<query.CacheStatus, hotpath.v1.CacheStatus.$Properties>({
  cache: id,
  hits: count,
  misses: count,
  entries: count,
  bytes: count,
})

export const statusReply = message<query.StatusReply, hotpath.v1.StatusReply.$Properties>({
  version: id,
  clock,
  fresh,
  partial: flag,
  stages: list(stageStatus, MAX_STAGES),
  roots: list(rootStatus, MAX_ROOTS),
  entries: count,
  segments: count,
  indexBytes: count,
  walBytes: count,
  storage: word(['writable', 'writable', 'full', 'failed'], 'writable'),
  storageReason: prose(MAX_PROSE_BYTES),
  caches: list(cacheStatus, MAX_CACHES),
})

const typeStatistics = message<query.TypeStatistics, hotpath.v1.TypeStatistics.$Properties>({
  type: id,
  count,
  size: count,
})

const sectionStatistics = message<query.SectionStatistics, hotpath.v1.SectionStatistics.$Properties>({
  section: id,
  bytes: count,
  name: id,
  group: id,
})

const segmentStatistics = message<query.SegmentStatistics, hotpath.v1.SegmentStatistics.$Properties>({
  root: id,
  entries: count,
  bytes: count,
})

export const statisticsReply = message<query.StatisticsReply, hotpath.v1.StatisticsReply.$Properties>({
  clock,
  types: list(typeStatistics, MAX_TYPES),
  sections: list(sectionStatistics, MAX_SECTIONS),
  segments: list(segmentStatistics, MAX_SEGMENTS),
  changesPerMinute: list(count, STATISTICS_MINUTES),
})

export const sizesRequest = message<query.SizesRequest, hotpath.v1.SizesRequest.$Properties>({
  path: bytes(MAX_PATH_BYTES),
  limit: u32(MAX_CHILDREN),
})

const sizesChild = message<query.SizesChild, hotpath.v1.SizesChild.$Properties>({
  path: bytes(MAX_PATH_BYTES),
  nameStart: u32(MAX_PATH_BYTES),
  directory: flag,
  count,
  size: count,
})

export const sizesReply = message<query.SizesReply, hotpath.v1.SizesReply.$Properties>({
  clock,
  found: flag,
  path: bytes(MAX_PATH_BYTES),
  count,
  size: count,
  children: list(sizesChild, MAX_CHILDREN),
  restCount: count,
  restSize: count,
})

export const rootRequest = message<query.RootRequest, hotpath.v1.RescanRequest.$Properties>({ root: id })

export const rescanReply = message<query.RescanReply, hotpath.v1.RescanReply.$Properties>({
  roots: list(id, MAX_ROOTS),
})

export const flushReply = message<query.FlushReply, hotpath.v1.FlushReply.$Properties>({ segmentsWritten: count })

export const compactReply = message<query.CompactReply, hotpath.v1.CompactReply.$Properties>({
  segmentsBefore: count,
  segmentsAfter: count,
})

export const importRequest = message<query.ImportRequest, hotpath.v1.ImportRequest.$Properties>({
  kind: rootKind,
  path: text(MAX_PATH_BYTES),
})

export const importReply = message<query.ImportReply, hotpath.v1.ImportReply.$Properties>({ root })
