/** Random values of every message, for round trips. Only tests import this. */
import {
  type ChangeBatch,
  type ChangeColumns,
  type EntryColumns,
  ID_BYTES,
  Op,
  type RankColumns,
  type RefColumn,
  ROOT_KINDS,
  type RootSpec,
  type TimeColumn,
  unpairedBound,
} from '@hotpath/model'
import fc, { type Arbitrary } from 'fast-check'
import type { Bodies, Body, BodyOf, BodyType } from '../envelope.js'
import { MAX_LIVE_ROWS, MAX_OPENS, MAX_REPLY_BYTES } from '../limits.js'
import type { CheckBatch } from '../messages/ingest.js'
import type { HitColumns, LiveChange, OpenBatch, SearchReply, SearchRequest } from '../messages/query.js'
import { ROWS_RESET_REASONS } from '../messages/rows.js'

// A grapheme may be 25 bytes long: an id is at most 128.
const id = fc.string({ unit: 'grapheme', maxLength: 12 }).filter(text => Buffer.byteLength(text) <= 128)
const prose = fc.string({ unit: 'grapheme', maxLength: 40 })
const path = fc.uint8Array({ maxLength: 40 })
const u32 = fc.nat({ max: 0xffffffff })
const count = fc.maxSafeNat()
const duration = fc.double({ min: 0, max: 1e15, noNaN: true })
const double = fc.double()
const empty = fc.constant({})

function orUnknown(arbitrary: Arbitrary<number>): Arbitrary<number> {
  return fc.oneof({ weight: 4, arbitrary }, { weight: 1, arbitrary: fc.constant(Number.NaN) })
}

function column<T>(rows: number, of: Arbitrary<T>): Arbitrary<T[]> {
  return fc.array(of, { minLength: rows, maxLength: rows })
}

const u32s = (rows: number) => column(rows, u32).map(values => Uint32Array.from(values))
const f64s = (rows: number, of: Arbitrary<number>) => column(rows, of).map(values => Float64Array.from(values))

function names(rows: number, withSlash: boolean): Arbitrary<{ offsets: Uint32Array; bytes: Uint8Array }> {
  const byte = fc.integer({ min: 1, max: 255 }).map(value => (value === 0x2f && !withSlash ? 0x61 : value))
  return column(rows, fc.array(byte, { maxLength: 12 })).map(list => {
    const offsets = new Uint32Array(rows + 1)
    for (const [i, name] of list.entries()) offsets[i + 1] = offsets[i]! + name.length
    return { offsets, bytes: Uint8Array.from(list.flat()) }
  })
}

const times = (rows: number): Arbitrary<TimeColumn> =>
  fc.record({
    seconds: f64s(rows, orUnknown(fc.integer({ min: -1e12, max: 1e12 }))),
    ticks: column(rows, fc.nat({ max: 9_999_999 })).map(values => Uint32Array.from(values)),
  })

const refs = (rows: number): Arbitrary<RefColumn> => fc.record({ low: u32s(rows), high: u32s(rows), birth: u32s(rows) })

const kinds = (rows: number) =>
  column(rows, fc.constantFrom(0, 1, 2, 3, 0x80, 0x81)).map(values => Uint8Array.from(values))

const rowCount = fc.nat({ max: 20 })

export const entryColumns: Arbitrary<EntryColumns> = rowCount.chain(rows =>
  fc
    .tuple(
      fc.record({ parent: u32s(rows), directory: u32s(rows), kind: kinds(rows), size: f64s(rows, orUnknown(count)) }),
      names(rows, false),
      fc.record(
        {
          modified: times(rows),
          changed: times(rows),
          created: times(rows),
          accessed: times(rows),
          attributes: u32s(rows),
          ref: refs(rows),
          access: fc.record({ mode: u32s(rows), user: u32s(rows), group: u32s(rows) }),
        },
        { requiredKeys: [] },
      ),
    )
    .map(([columns, name, rest]) => ({
      count: rows,
      ...columns,
      nameOffsets: name.offsets,
      names: name.bytes,
      ...rest,
    })),
)

/** Bounds of parts of listings stand in pairs of one directory and time; others become `listed`. */
function withoutLoneBounds(changes: ChangeColumns): ChangeColumns {
  const op = changes.op.slice()
  const { low, high, birth } = changes.parentRef
  for (let i = 0; i + 1 < op.length; i++) {
    if (op[i] !== Op.listedFrom || op[i + 1] !== Op.listedBefore) continue
    for (const column of [low, high, birth, changes.observed]) column[i + 1] = column[i]!
  }
  for (let row = unpairedBound({ ...changes, op }); row >= 0; row = unpairedBound({ ...changes, op }))
    op[row] = Op.listed
  return { ...changes, op }
}

export const changeBatch: Arbitrary<ChangeBatch> = entryColumns.chain(entries =>
  fc.record({
    root: id,
    source: id,
    sequence: count,
    bootId: id,
    changes: fc
      .record({
        op: column(entries.count, fc.nat({ max: Op.named })).map(values => Uint8Array.from(values)),
        parentRef: refs(entries.count),
        entries: fc.constant(entries),
        observed: f64s(entries.count, duration),
      })
      .map(withoutLoneBounds),
  }),
)

const ranks = (rows: number): Arbitrary<RankColumns> => {
  const upTo = (max: number) => column(rows, fc.nat({ max })).map(values => Uint8Array.from(values))
  return fc.record({
    nearness: upTo(255),
    allTerms: upTo(1),
    place: upTo(4),
    characters: u32s(rows),
    depth: u32s(rows),
  })
}

export const hitColumns: Arbitrary<HitColumns> = rowCount.chain(rows =>
  fc
    .tuple(
      fc.record({
        ids: fc.uint8Array({ minLength: rows * ID_BYTES, maxLength: rows * ID_BYTES }),
        kind: kinds(rows),
        size: f64s(rows, orUnknown(count)),
      }),
      names(rows, true),
      // Of no rows an empty column is as good as none.
      fc.record(
        {
          modified: times(rows),
          created: times(rows),
          accessed: times(rows),
          rank: ranks(rows),
          ...(rows > 0 && { hot: f64s(rows, duration), opens: u32s(rows), opened: f64s(rows, duration) }),
        },
        { requiredKeys: [] },
      ),
      column(rows, fc.nat({ max: 12 })),
    )
    .map(([columns, path, rest, starts]) => ({
      count: rows,
      ...columns,
      pathOffsets: path.offsets,
      paths: path.bytes,
      nameStart: path.offsets.subarray(0, rows).map((offset, i) => Math.min(path.offsets[i + 1]! - offset, starts[i]!)),
      ...rest,
    })),
)

const openBatch: Arbitrary<OpenBatch> = rowCount.chain(rows =>
  fc
    .tuple(
      fc.record({
        ids: fc.uint8Array({ minLength: rows * ID_BYTES, maxLength: rows * ID_BYTES }),
        opened: f64s(rows, orUnknown(duration)),
      }),
      names(rows, true),
    )
    .map(([columns, path]) => ({ count: rows, ...columns, pathOffsets: path.offsets, paths: path.bytes })),
)

const root: Arbitrary<RootSpec> = fc.record({
  id,
  kind: fc.constantFrom(...ROOT_KINDS),
  path: prose,
})
const options = fc.record(
  {
    excludes: fc.array(prose, { maxLength: 4 }),
    crossFileSystems: fc.boolean(),
    threads: fc.nat({ max: 64 }),
    namesOnly: fc.boolean(),
    streams: fc.boolean(),
    idle: fc.boolean(),
    access: fc.boolean(),
  },
  { requiredKeys: ['excludes', 'crossFileSystems', 'threads', 'namesOnly'] },
)
const fresh = fc.record({
  state: fc.constantFrom('live' as const, 'catching-up' as const, 'repairing' as const, 'unwatched' as const),
  lagMs: duration,
  dirty: count,
  dirtySubtrees: fc.array(path, { maxLength: 3 }),
})
const scanProgress = fc.record({
  root: id,
  epoch: count,
  entries: count,
  directories: count,
  errors: count,
  currentDirectory: path,
  knownTotal: orUnknown(count),
})
const mechanism = fc.constantFrom(
  'none' as const,
  'fanotify' as const,
  'inotify' as const,
  'polling' as const,
  'journal' as const,
)
const journal = fc.record({ id, next: count })
const maybeMounts = fc.record(
  { mounts: fc.array(fc.record({ path, mechanism, reason: prose }), { minLength: 1, maxLength: 3 }) },
  { requiredKeys: [] },
)
const maybeJournal = fc.record({ journal }, { requiredKeys: [] })
const stage = fc.constantFrom(
  'scanner' as const,
  'watcher' as const,
  'store' as const,
  'gateway' as const,
  'client' as const,
  'supervisor' as const,
)
const identity = { protocolVersion: u32, stage, instance: id, pid: u32 }

const number = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })

const plainRequest = {
  text: path,
  limit: fc.nat({ max: 1_000_000 }),
  offset: u32,
  sort: fc.constantFrom(
    'default' as const,
    'name' as const,
    'path' as const,
    'size' as const,
    'modified' as const,
    'created' as const,
    'extension' as const,
    'hot' as const,
    'opened' as const,
  ),
  descending: fc.boolean(),
  under: path,
  minClock: id,
  match: fc.constantFrom('name' as const, 'auto' as const),
  caseMode: fc.constantFrom('ignore' as const, 'smart' as const, 'match' as const),
  countOnly: fc.boolean(),
  explain: fc.boolean(),
  fuzzy: fc.boolean(),
  noCache: fc.boolean(),
  deadlineMs: duration,
}

export const searchRequest: Arbitrary<SearchRequest> = fc
  .tuple(fc.record(plainRequest), fc.record({ known: number }, { requiredKeys: [] }))
  .map(([request, known]) => ({ ...request, ...known }))

export const searchReply: Arbitrary<SearchReply> = fc
  .tuple(
    fc.record({
      total: count,
      fuzzyTotal: orUnknown(count),
      clock: id,
      fresh,
      partial: fc.boolean(),
      tookMs: duration,
      rows: hitColumns,
      explain: prose,
    }),
    fc.record(
      {
        error: fc.record({ code: id, message: prose, position: orUnknown(count), expected: prose }),
        cached: fc.constant(true as const),
        number,
        unchanged: fc.constant(true as const),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([reply, error]) => ({ ...reply, ...error }))

const live = fc.record({ live: u32 })

const placedHits = hitColumns.chain(rows =>
  fc
    .uniqueArray(fc.nat({ max: MAX_LIVE_ROWS - 1 }), { minLength: rows.count, maxLength: rows.count })
    .map(places => ({ rows, at: Uint32Array.from(places).sort() })),
)

const liveChange: Arbitrary<LiveChange> = fc
  .tuple(
    fc.record({ live: u32, total: count, fuzzyTotal: orUnknown(count), clock: id, fresh, partial: fc.boolean() }),
    rowCount.chain(rows => fc.uint8Array({ minLength: rows * ID_BYTES, maxLength: rows * ID_BYTES })),
    placedHits,
    placedHits,
  )
  .map(([head, removed, changed, added]) => ({
    ...head,
    removed,
    changed: changed.rows,
    changedAt: changed.at,
    added: added.rows,
    addedAt: added.at,
  }))

const rootRequest = fc.record({ root: id })

const checkBatch: Arbitrary<CheckBatch> = rowCount.chain(rows =>
  fc
    .tuple(
      fc.record({
        check: count,
        sequence: count,
        refs: refs(rows),
        modified: times(rows),
        changed: times(rows),
        observed: f64s(rows, duration),
      }),
      // Of no rows empty columns are as good as none.
      rows === 0
        ? fc.constant({})
        : fc.oneof(fc.constant({}), fc.record({ children: u32s(rows), digestLow: u32s(rows), digestHigh: u32s(rows) })),
      names(rows, true),
    )
    .map(([head, digests, path]) => ({ ...head, ...digests, pathOffsets: path.offsets, paths: path.bytes })),
)

const rowCursor = fc.record({
  epoch: fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 24, maxLength: 24 }).map(all => all.join('')),
  sequence: count,
})
const followedTable = fc.record(
  {
    name: id,
    columns: fc.array(id, { maxLength: 3 }),
    primaryKey: fc.array(id, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['name', 'columns'] },
)
const databaseState = fc.constantFrom(
  'live' as const,
  'catching-up' as const,
  'missing' as const,
  'locked' as const,
  'damaged' as const,
  'unavailable' as const,
)
const databaseInfo = fc.record(
  {
    name: id,
    path: id,
    state: databaseState,
    reason: prose,
    method: prose,
    cursor: rowCursor,
    lagMs: duration,
    subscribers: u32,
    adHoc: fc.boolean(),
    logBytes: count,
  },
  { requiredKeys: ['name', 'path', 'state', 'reason', 'method', 'lagMs', 'subscribers', 'adHoc', 'logBytes'] },
)

const arbitraries: { [Key in BodyType]: Arbitrary<Bodies[Key]> } = {
  hello: fc.record({ ...identity, connection: u32 }),
  welcome: fc.record({ ...identity, heartbeatMs: u32, lostMs: u32, maxMessageBytes: u32 }),
  refused: fc.record({
    code: fc.constantFrom(
      'version' as const,
      'notGreeted' as const,
      'malformed' as const,
      'stage' as const,
      'full' as const,
    ),
    message: prose,
    supportedVersion: u32,
  }),
  error: fc.record({ code: id, message: prose, what: prose, expected: prose, found: prose }),
  fragment: fc.record({ index: u32, totalBytes: fc.nat({ max: MAX_REPLY_BYTES }), data: path }),
  cancel: fc.record({ requestId: u32, search: fc.integer({ min: 1, max: 256 }) }, { requiredKeys: ['requestId'] }),
  ping: empty,
  pong: empty,
  bye: fc.record({ reason: prose }),
  scanBegin: fc
    .tuple(fc.record({ root, volume: id, prefix: path, epoch: count, bootId: id, source: id }), maybeJournal)
    .map(([begin, rest]) => ({ ...begin, ...rest })),
  scanAccepted: fc.record({ epoch: count, credit: u32 }),
  entryBatch: fc.tuple(entryColumns, rowCount).chain(([entries, listed]) =>
    fc.record({
      epoch: count,
      sequence: count,
      entries: fc.constant(entries),
      listedDirectory: u32s(listed),
      listedObserved: f64s(listed, duration),
    }),
  ),
  scanProgress,
  scanEnd: fc.record({
    root: id,
    epoch: count,
    entries: count,
    skipped: count,
    state: fc.constantFrom('complete' as const, 'aborted' as const),
    lastSequence: count,
    problems: fc.array(fc.record({ line: count, path, message: prose }), { maxLength: 5 }),
  }),
  changeBatch,
  ack: fc
    .tuple(
      fc.record({
        epoch: count,
        source: id,
        receivedSequence: count,
        durableSequence: count,
        credit: u32,
        active: fc.boolean(),
        root: id,
      }),
      fc.record({ listRequests: rowCount.chain(refs) }, { requiredKeys: [] }),
    )
    .map(([ack, rest]) => ({ ...ack, ...rest })),
  scanCommand: fc.record({ root, epoch: count, options }),
  cancelScan: fc.record({ root: id, epoch: count }),
  barrier: fc.record({ id: count }),
  barrierDone: fc.record({ id: count, source: id, sequence: count, unwatchedRoots: fc.array(id, { maxLength: 3 }) }),
  watchState: fc
    .tuple(
      maybeMounts,
      fc.record({
        root: id,
        source: id,
        state: fc.constantFrom('armed' as const, 'unwatched' as const, 'lost' as const),
        mechanism,
        reason: prose,
        term: count,
        continuesSource: id,
        continuesTerm: count,
        wholeUntil: orUnknown(duration),
      }),
      maybeJournal,
    )
    .map(([mounts, state, rest]) => ({ ...mounts, ...state, ...rest })),
  journalReached: fc.record({ root: id, from: count, journal }),
  watchReport: fc.record({
    root: id,
    oldest: orUnknown(duration),
    waiting: count,
    directories: fc.array(path, { maxLength: 3 }),
  }),
  checkCommand: fc.record({
    root,
    check: count,
    mode: fc.constantFrom('directories' as const, 'full' as const),
    options,
    background: fc.boolean(),
    entriesPerSecond: u32,
    after: path,
  }),
  checkBatch,
  checkEnd: fc.record({
    root: id,
    check: count,
    state: fc.constantFrom('complete' as const, 'aborted' as const),
    directories: count,
    entries: count,
    skipped: count,
    lastSequence: count,
  }),
  cancelCheck: fc.record({ root: id, check: count }),
  listCommand: rowCount.chain(rows =>
    fc
      .tuple(id, names(rows, true), refs(rows))
      .map(([root, path, refs]) => ({ root, pathOffsets: path.offsets, paths: path.bytes, refs })),
  ),
  watchCommand: fc
    .tuple(fc.record({ root, options }), maybeJournal)
    .map(([command, rest]) => ({ ...command, ...rest })),
  unwatchCommand: rootRequest,
  searchRequest,
  searchReply,
  searchBatch: fc.record({ requests: fc.array(searchRequest, { maxLength: 4 }) }),
  searchBatchReply: fc.record({ replies: fc.array(searchReply, { maxLength: 4 }) }),
  clockRequest: empty,
  clockReply: fc.record({ clock: id, unwatchedRoots: fc.array(id, { maxLength: 3 }) }),
  statusRequest: empty,
  statusReply: fc.record({
    version: id,
    clock: id,
    fresh,
    partial: fc.boolean(),
    stages: fc.array(
      fc.record({
        stage: id,
        instance: id,
        pid: u32,
        state: id,
        uptimeMs: duration,
        memoryBytes: double,
        restarts: count,
      }),
      { maxLength: 4 },
    ),
    roots: fc.array(
      fc
        .tuple(
          fc.record({
            root,
            entries: count,
            directories: count,
            segments: count,
            indexBytes: count,
            deltaRows: count,
            fresh,
            mechanism,
            partial: fc.boolean(),
            reason: prose,
            checked: count,
            wrong: count,
            repaired: count,
            losses: count,
          }),
          fc.record({ scan: scanProgress }, { requiredKeys: [] }),
        )
        .map(([status, rest]) => ({ ...status, ...rest })),
      { maxLength: 3 },
    ),
    entries: count,
    segments: count,
    indexBytes: count,
    walBytes: count,
    storage: fc.constantFrom('writable' as const, 'full' as const, 'failed' as const),
    storageReason: prose,
    caches: fc.array(fc.record({ cache: id, hits: count, misses: count, entries: count, bytes: count }), {
      maxLength: 3,
    }),
  }),
  statisticsRequest: empty,
  statisticsReply: fc.record({
    clock: id,
    types: fc.array(fc.record({ type: id, count, size: count }), { maxLength: 3 }),
    sections: fc.array(fc.record({ section: id, bytes: count, name: id, group: id }), { maxLength: 3 }),
    segments: fc.array(fc.record({ root: id, entries: count, bytes: count }), { maxLength: 3 }),
    changesPerMinute: fc.array(count, { maxLength: 60 }),
  }),
  rowSearchRequest: fc.record({
    text: fc.uint8Array({ maxLength: 20 }),
    limit: fc.nat(1_000),
    offset: u32,
    caseMode: fc.constantFrom('ignore', 'smart', 'match'),
    deadlineMs: count,
  }),
  rowSearchReply: fc.record({
    total: count,
    tookMs: count,
    rows: fc.array(
      fc.record({
        database: id,
        table: id,
        key: fc.uint8Array({ maxLength: 20 }),
        snippet: prose,
        matched: fc.array(u32, { maxLength: 4 }),
        cutStart: fc.boolean(),
        cutEnd: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
  }),
  sizesRequest: fc.record({ path, limit: fc.nat(1_000) }),
  sizesReply: fc.record({
    clock: id,
    found: fc.boolean(),
    path,
    count,
    size: count,
    children: fc.array(fc.record({ path, nameStart: fc.nat(100), directory: fc.boolean(), count, size: count }), {
      maxLength: 3,
    }),
    restCount: count,
    restSize: count,
  }),
  rescanRequest: rootRequest,
  rescanReply: fc.record({ roots: fc.array(id, { maxLength: 3 }) }),
  flushRequest: rootRequest,
  flushReply: fc.record({ segmentsWritten: count }),
  compactRequest: rootRequest,
  compactReply: fc.record({ segmentsBefore: count, segmentsAfter: count }),
  importRequest: fc.record({ kind: fc.constantFrom(...ROOT_KINDS), path: prose }),
  importReply: fc.record({ root }),
  openBatch,
  openReply: fc.record({
    recorded: fc.nat({ max: MAX_OPENS }),
    unknown: fc.nat({ max: MAX_OPENS }),
    dropped: fc.nat({ max: MAX_OPENS }),
  }),
  forgetRequest: fc.record({
    id: fc.uint8Array({ maxLength: ID_BYTES }),
    path: fc.uint8Array({ maxLength: 40 }),
    all: fc.boolean(),
  }),
  forgetReply: fc.record({ forgotten: u32, known: fc.boolean() }),
  liveOpen: fc.record({ live: u32, search: searchRequest }),
  liveReply: fc.record({ live: u32, reply: searchReply }),
  liveChange,
  liveResync: fc.record({
    live: u32,
    reason: fc.constantFrom(
      'many' as const,
      'slow' as const,
      'gap' as const,
      'generation' as const,
      'fresh-instance' as const,
      'away' as const,
      'ended' as const,
    ),
    reply: searchReply,
  }),
  liveAck: live,
  liveClose: live,
  event: fc.record({
    sequence: count,
    clock: id,
    detail: fc.oneof(
      fc.record({
        kind: fc.constant('changes' as const),
        changes: fc.record({ root: id, added: count, removed: count, updated: count }),
      }),
      fc.record({
        kind: fc.constant('generation' as const),
        generation: fc.record({ root: id, epoch: count, partial: fc.boolean() }),
      }),
      fc.record({ kind: fc.constant('progress' as const), progress: scanProgress }),
      fc.record({ kind: fc.constant('fresh' as const), fresh: fc.record({ root: id, fresh }) }),
      fc.constant({ kind: 'outdated' as const }),
      fc.constant({ kind: 'rowsChanged' as const }),
      fc.record({ kind: fc.constant('shutdown' as const), shutdown: fc.record({ reason: prose }) }),
      fc.record({
        kind: fc.constant('freshInstance' as const),
        freshInstance: fc.record({
          root: id,
          reason: fc.constantFrom('loss' as const, 'downtime' as const, 'damage' as const),
        }),
      }),
      fc.record({ kind: fc.constant('beat' as const) }),
    ),
  }),
  healthRequest: empty,
  healthReply: fc.record({
    state: fc.constantFrom('starting' as const, 'ready' as const, 'degraded' as const, 'stopping' as const),
    instance: id,
    pid: u32,
    uptimeMs: duration,
    checks: fc.array(fc.record({ name: id, ok: fc.boolean(), detail: prose }), { maxLength: 3 }),
  }),
  statsRequest: empty,
  statsReply: fc.record({
    metrics: fc.array(
      fc.record({
        name: id,
        kind: fc.constantFrom('counter' as const, 'gauge' as const),
        value: double,
        labels: fc.array(fc.record({ name: id, value: prose }), { maxLength: 2 }),
      }),
      { maxLength: 4 },
    ),
  }),
  shutdownRequest: fc.record({ reason: prose }),
  shutdownReply: empty,
  tapRequest: fc.record({ on: fc.boolean() }),
  tapReply: fc.record({ on: fc.boolean() }),
  tapCopy: fc.record({
    direction: fc.constantFrom('in' as const, 'out' as const),
    endpoint: prose,
    peer: id,
    at: duration,
    envelope: path,
    size: count,
    dropped: count,
  }),
  databasesRequest: empty,
  databasesReply: fc.record({ databases: fc.array(databaseInfo, { maxLength: 3 }) }),
  rowsSubscribe: fc.record(
    {
      subscription: u32,
      databases: fc.array(id, { maxLength: 3 }),
      follow: fc.record({ path: id, tables: fc.array(id, { maxLength: 3 }), keyFile: id, audit: fc.boolean() }),
      tables: fc.array(id, { maxLength: 3 }),
      cursors: fc.array(rowCursor, { maxLength: 3 }),
      rows: fc.boolean(),
      credit: count,
    },
    { requiredKeys: ['subscription', 'databases', 'tables', 'cursors', 'rows', 'credit'] },
  ),
  rowsSubscribed: fc.record({ subscription: u32, databases: fc.array(databaseInfo, { maxLength: 3 }) }),
  rowsCredit: fc.record({ subscription: u32, bytes: count }),
  rowsUnsubscribe: fc.record({ subscription: u32 }),
  rowsPart: fc.record({
    subscription: u32,
    database: id,
    cursor: rowCursor,
    part: u32,
    last: fc.boolean(),
    committed: duration,
    method: fc.constantFrom('pages' as const, 'comparison' as const, 'audit' as const),
    merged: fc.boolean(),
    tables: fc.array(followedTable, { maxLength: 2 }),
    changes: path,
  }),
  rowsReset: fc.record(
    { subscription: u32, database: id, reason: fc.constantFrom(...ROWS_RESET_REASONS), cursor: rowCursor },
    { requiredKeys: ['subscription', 'database', 'reason'] },
  ),
  rowsPage: fc.record(
    {
      subscription: u32,
      database: id,
      cursor: rowCursor,
      tables: fc.array(followedTable, { maxLength: 2 }),
      changes: path,
    },
    { requiredKeys: ['subscription', 'database', 'tables', 'changes'] },
  ),
  rowsState: fc.record(
    { subscription: u32, database: id, state: databaseState, reason: prose, cursor: rowCursor },
    { requiredKeys: ['subscription', 'database', 'state', 'reason'] },
  ),
  rowsEnded: fc.record({
    subscription: u32,
    error: fc.record({ code: id, message: prose, what: prose, expected: prose, found: prose }),
  }),
}

export function bodyOf<Type extends BodyType>(type: Type): Arbitrary<BodyOf<Type>> {
  return arbitraries[type].map(value => ({ type, value }) as BodyOf<Type>)
}

/** Any body. */
export const body: Arbitrary<Body> = fc.oneof(...(Object.keys(arbitraries) as BodyType[]).map(type => bodyOf(type)))
