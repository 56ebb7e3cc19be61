import { statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { Scoring } from '@hotpath/hot-score'
import { type EngineOp, InvalidInputError, type RootSpec, systemFailureOf } from '@hotpath/model'
import { anonymousMemory, canMapInto } from '@hotpath/platform'
import { type ClockReply, EventPublisher, type HealthCheck, type Metric, type StatusReply } from '@hotpath/protocol'
import type { Config, Logger, RunningStage, StageContext } from '@hotpath/service'
import { openStore, type Store } from '@hotpath/store'
import { Barriers } from './barriers.js'
import { ChangeRate } from './change-rate.js'
import { HotDb } from './hot/hot-db.js'
import { HotKeeper } from './hot/hot-keeper.js'
import { IndexClock } from './index-clock.js'
import { IndexStatistics } from './index-statistics.js'
import { IngestServer } from './ingest-server.js'
import { isThere, LackWatch } from './lack-watch.js'
import { processFacts } from './process-facts.js'
import { CACHES } from './query/cache-sums.js'
import { QueryPool } from './query/query-pool.js'
import { WarmUp } from './query/warm-up.js'
import { QueryServer } from './query-server.js'
import { EventStream } from './roots/event-stream.js'
import { readImportedRoots, writeImportedRoots } from './roots/imported-roots.js'
import { distinctRoots, rootSpecOf } from './roots/root-id.js'
import { RootKeeper } from './roots/root-keeper.js'
import { RowKeeper } from './rows/row-keeper.js'
import { SegmentVerifier } from './segment-verifier.js'
import { VERSION } from './version.js'

/** Wires and starts the index store. Resolves when it answers queries from what is on disk. */
export async function startIndexStore(context: StageContext): Promise<RunningStage> {
  const { config, endpoints, identity, tap, log, fail, restart } = context
  const startedMs = performance.now()
  const stops: (() => Promise<void> | void)[] = []
  const stop = async (): Promise<void> => {
    for (const part of stops.splice(0).reverse()) await part()
  }
  try {
    const scoring: Scoring = { formula: config.hotFormula, halfLifeDays: config.hotHalfLifeDays }
    const pool = new QueryPool({
      threads: config.queryThreads,
      // Where segments are copied into each searcher, one more would cost more than it gives.
      answersAtOnce: canMapInto(),
      scoring,
      log: log.child('index-store.query'),
      onDropped: (searcher, segment) => readers[searcher].confirmDropped(segment),
      onSettled: () => events.ranked(),
      onEnded: searcher => readers[searcher].close(),
      onDamaged: (view, segment, error) => {
        log.error('damaged segment', { view, segment, error })
        verifier.verify(segment)
      },
      onFailure: fail,
    })
    stops.push(() => pool.stop())
    const poolStarted = pool.start()
    poolStarted.catch(() => {})
    const hot = await openHotKeeper(config.dataDir, scoring, log.child('index-store.hot'), stops)
    const indexDirectory = join(config.dataDir, 'index')
    const store = await openStore({
      directory: indexDirectory,
      log: log.child('index-store.store'),
      flushRows: config.flushRows,
      sliceRows: config.sliceRows,
      followed: volume => hot.followedNodes(volume),
    })
    stops.push(() => store.close())
    // Before the store, whose files they read.
    stops.push(() => pool.stop())
    for (const damaged of store.report.damaged) log.error('damaged file', { ...damaged })
    const roots = await settleRoots(store, config, log)

    const verifier = new SegmentVerifier(store, log.child('index-store.verify'))
    const readers = Array.from({ length: pool.searcherCount }, () => store.registerReader())
    const clock = new IndexClock(store)
    const publisher = new EventPublisher({
      endpoint: endpoints['store-events'],
      identity,
      tap,
      log: log.child('index-store.events'),
    })
    await publisher.start()
    stops.push(() => publisher.stop())
    const epochs = new Map<string, number>()
    const events = new EventStream(
      publisher,
      () => clock.now(),
      root => epochs.get(root) ?? 0,
    )
    stops.push(() => events.stop())
    const snapshot = store.snapshotOps()
    pool.apply(snapshot)
    events.operations(snapshot)
    const apply = (ops: readonly EngineOp[]): void => {
      pool.apply(ops)
      events.operations(ops)
    }
    hot.start(records => apply([{ op: 'hot', records }]))
    store.onOps(apply)

    const barriers = new Barriers()
    const changes = new ChangeRate()
    const ingest = new IngestServer({
      endpoint: endpoints['store-ingest'],
      identity,
      tap,
      log: log.child('index-store.ingest'),
      store,
      barriers,
      changes,
      fail,
    })
    const keeper = new RootKeeper({
      store,
      sources: ingest,
      log: log.child('index-store.roots'),
      watch: config.watch,
      scan: config.scan,
      scanOptions: {
        excludes: config.excludes,
        crossFileSystems: config.crossDevices,
        threads: config.scanThreads,
        namesOnly: false,
        streams: config.streams,
        idle: config.idleVolumes,
        access: config.usersListen !== '',
      },
      verify: { rate: config.verifyRate },
      onGap: (root, reason) => events.gap(root, reason),
      onFresh: root => {
        const fresh = keeper.freshOf(root)
        if (fresh) events.fresh(root, fresh)
        warmUp.start()
      },
      onProgress: progress => {
        epochs.set(progress.root, progress.epoch)
        events.progress(progress)
      },
    })
    stops.push(() => keeper.stop())
    const warmUp = new WarmUp(pool, () => keeper.settledEntries)
    warmUp.start()
    stops.push(async () => warmUp.stop())
    const storageFailed = (error: Error): void => {
      const { storageError } = store
      // Not the disk but this program: what was acknowledged is on disk, and a new process begins with that.
      if (storageError === undefined || systemFailureOf(error) === undefined) {
        fail(error)
        return
      }
      log.error('the index cannot be written: searches go on', { state: storageError.state, error })
      barriers.fail(storageError)
      keeper.storageFailed(storageError.message)
      const { lack } = storageError
      if (lack === undefined) return
      const watch = new LackWatch(
        lack,
        () => restart(`writing again after a lack of ${lack}`),
        () => isThere(lack, indexDirectory),
      )
      stops.push(() => watch.stop())
      watch.start()
    }
    store.onFailure(storageFailed)
    if (store.failure) storageFailed(store.failure)
    const rows = new RowKeeper({
      endpoint: endpoints['watcher-rows'],
      identity,
      tap,
      config,
      log: log.child('index-store.rows'),
      onChange: () => events.rowsChanged(),
      onFailure: fail,
    })
    rows.start()
    stops.push(() => rows.stop())
    const queries = new QueryServer({
      endpoint: endpoints['store-query'],
      identity,
      tap,
      log: log.child('index-store.queries'),
      store,
      pool,
      keeper,
      clock,
      hot,
      onSearch: () => events.searched(),
      statistics: new IndexStatistics(store, pool, clock, changes),
      rows,
      barrier: () => passBarrier(ingest, barriers, store, clock, keeper),
      status: () => statusOf(store, pool, ingest, keeper, clock, identity.instance, startedMs),
      importRoot: (kind, path) => importRoot(store, keeper, config.dataDir, kind, path),
    })
    await queries.start()
    stops.push(() => queries.stop())
    await ingest.start(keeper)
    stops.push(() => ingest.stop())
    keeper.start(roots)
    await poolStarted
    return {
      stop,
      health: () => healthOf(store, ingest, hot),
      stats: () => statsOf(store, pool, hot, rows),
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What was opened so far; what of it is damaged is reported and left out. What finds no room is written when there is some. */
async function openHotKeeper(
  dataDir: string,
  scoring: Scoring,
  log: Logger,
  stops: (() => Promise<void> | void)[],
): Promise<HotKeeper> {
  const file = join(dataDir, 'hot.db')
  let keeper: HotKeeper | undefined
  let watch: LackWatch | undefined
  const tryLater = (): void => {
    const lack = keeper?.lack
    if (keeper === undefined || lack === undefined) return
    watch = new LackWatch(
      lack,
      () => void keeper?.tryAgain(),
      () => isThere(lack, dataDir),
    )
    watch.start()
  }
  const { db, table, damaged, setAside } = await HotDb.open(file, scoring, error => {
    log.error('hot records cannot be written: ranking goes on, and is as before after a restart', { file, error })
    tryLater()
  })
  if (setAside) log.error('hot records set aside: ranking begins anew', { file, error: setAside })
  if (damaged > 0) log.warn('damaged hot records left out', { file, damaged })
  const opened = new HotKeeper({ table, db })
  keeper = opened
  stops.push(async () => {
    await opened.stop()
    watch?.stop()
  })
  tryLater()
  return opened
}

/** The roots of this run. Those of earlier runs that are not wanted any more are forgotten. */
async function settleRoots(store: Store, config: Config, log: Logger): Promise<RootSpec[]> {
  const trees = config.roots.map(path => rootSpecOf('tree', path))
  const lists = config.lists.map(path => rootSpecOf('list', path))
  const volumes = [...config.images, ...config.volumes].map(path => rootSpecOf('volume', path))
  const imported = readImportedRoots(config.dataDir).map(root => rootSpecOf(root.kind, root.path))
  const roots = distinctRoots([...trees, ...lists, ...volumes, ...imported], config.crossDevices, deviceOf)
  const wanted = new Set(roots.map(root => root.id))
  for (const { spec } of store.rootStatus()) {
    if (!config.fresh && wanted.has(spec.id)) continue
    // Whoever asks for a new index must not get the old one; a root that is only left over can go later.
    if (config.fresh || !store.failure) await store.removeRoot(spec.id)
    else log.warn('root stays until the index can be written', { root: spec.path })
  }
  return roots
}

function deviceOf(path: string): number | undefined {
  try {
    return statSync(path).dev
  } catch {
    // A root that is not there is on no device; its scan reports it.
    return undefined
  }
}

/** Barriers of one clock, at most: each finds the listings that the one before has made known. */
const BARRIER_ROUNDS = 4

async function passBarrier(
  ingest: IngestServer,
  barriers: Barriers,
  store: Store,
  clock: IndexClock,
  keeper: RootKeeper,
): Promise<ClockReply> {
  const uncovered = new Set<string>()
  let waiting: readonly string[] = []
  // What arrived can ask for listings (a directory that came with all that is in it): their rows are part of the past, too.
  for (let round = 0; round < BARRIER_ROUNDS; round++) {
    // What watchers hold back cannot become part of the index: no clock covers it.
    store.checkStorage()
    const { unwatched, silent } = await barriers.pass(ingest.watchers(), (peer, id) => ingest.barrier(peer, id))
    for (const root of unwatched) uncovered.add(root)
    for (const { identity } of silent) for (const root of keeper.rootsOf(identity.instance)) uncovered.add(root)
    waiting = silent.length > 0 ? [] : keeper.askForMissingListings()
    if (waiting.length === 0) break
  }
  for (const root of [...waiting, ...keeper.uncoveredRoots()]) uncovered.add(root)
  const { applied } = store.clock()
  await store.waitForClock(applied)
  return { clock: clock.format(applied), unwatchedRoots: [...uncovered] }
}

async function importRoot(
  store: Store,
  keeper: RootKeeper,
  dataDir: string,
  kind: RootSpec['kind'],
  path: string,
): Promise<RootSpec> {
  store.checkStorage()
  if (!isAbsolute(path)) throw new InvalidInputError('path', 'an absolute path', JSON.stringify(path))
  const spec = rootSpecOf(kind, resolve(path))
  const imported = readImportedRoots(dataDir)
  if (!imported.some(root => root.kind === kind && root.path === spec.path)) {
    await writeImportedRoots(dataDir, [...imported, { kind, path: spec.path }])
  }
  keeper.add(spec, undefined)
  keeper.rescan(spec.id)
  return spec
}

function statusOf(
  store: Store,
  pool: QueryPool,
  ingest: IngestServer,
  keeper: RootKeeper,
  clock: IndexClock,
  instance: string,
  startedMs: number,
): StatusReply {
  const roots = keeper.statuses()
  const sum = (of: (root: (typeof roots)[number]) => number): number =>
    roots.reduce((total, root) => total + of(root), 0)
  const own = {
    stage: 'store',
    instance,
    pid: process.pid,
    state: store.failure ? 'degraded' : 'ready',
    uptimeMs: performance.now() - startedMs,
    memoryBytes: anonymousMemory(process.pid),
    restarts: 0,
  }
  const others = ingest.peers.map(({ identity }) => ({
    stage: identity.stage,
    instance: identity.instance,
    pid: identity.pid,
    state: 'ready',
    ...processFacts(identity.pid),
    restarts: 0,
  }))
  return {
    version: VERSION,
    clock: clock.now(),
    fresh: keeper.fresh(),
    partial: keeper.partial,
    stages: [own, ...others],
    roots,
    entries: sum(root => root.entries),
    segments: sum(root => root.segments),
    indexBytes: sum(root => root.indexBytes),
    walBytes: store.walStats().bytes,
    storage: store.storageError?.state ?? 'writable',
    storageReason: store.storageError?.message ?? '',
    caches: CACHES.map(cache => ({ cache, ...pool.caches.of(cache) })),
  }
}

function healthOf(store: Store, ingest: IngestServer, hot: HotKeeper): HealthCheck[] {
  return [
    { name: 'storage', ok: store.storageError === undefined, detail: storageDetail(store) },
    { name: 'hot records', ok: hot.failure === undefined, detail: hot.failure?.message ?? '' },
    {
      name: 'scanner',
      ok: ingest.scanners().length > 0,
      detail: ingest.scanners().length > 0 ? '' : 'no scanner is there',
    },
  ]
}

function storageDetail({ storageError }: Store): string {
  return storageError ? `${storageError.state}: ${storageError.message}` : ''
}

function statsOf(store: Store, pool: QueryPool, hot: HotKeeper, rows: RowKeeper): Metric[] {
  const { records, syncs } = store.walStats()
  const metric = (kind: Metric['kind'], name: string, value: number): Metric => ({ kind, name, value, labels: [] })
  const roots = store.rootStatus()
  const { records: hotRecords, accepted, dropped, evicted } = hot.stats()
  return [
    metric('gauge', 'hotpath_hot_records', hotRecords),
    metric('counter', 'hotpath_hot_records_evicted_total', evicted),
    metric('counter', 'hotpath_opens_total', accepted),
    metric('counter', 'hotpath_opens_dropped_total', dropped),
    metric(
      'gauge',
      'hotpath_index_entries',
      roots.reduce((sum, root) => sum + root.entries, 0),
    ),
    metric(
      'gauge',
      'hotpath_index_segments',
      roots.reduce((sum, root) => sum + root.segments, 0),
    ),
    metric(
      'gauge',
      'hotpath_delta_rows',
      roots.reduce((sum, root) => sum + root.deltaRows, 0),
    ),
    metric('counter', 'hotpath_wal_records_total', records),
    metric('counter', 'hotpath_wal_syncs_total', syncs),
    metric('counter', 'hotpath_searches_total', pool.searches),
    metric('gauge', 'hotpath_searches_waiting', pool.waitingCount),
    ...rows.counts.flatMap(({ database, rows: count, bytes }): Metric[] => {
      const labels = [{ name: 'database', value: database }]
      return [
        { kind: 'gauge', name: 'hotpath_searched_rows', value: count, labels },
        { kind: 'gauge', name: 'hotpath_searched_rows_bytes', value: bytes, labels },
      ]
    }),
    ...CACHES.flatMap((cache): Metric[] => {
      const { hits, misses, entries, bytes } = pool.caches.of(cache)
      const labels = [{ name: 'cache', value: cache }]
      return [
        { kind: 'counter', name: 'hotpath_cache_hits_total', value: hits, labels },
        { kind: 'counter', name: 'hotpath_cache_misses_total', value: misses, labels },
        { kind: 'gauge', name: 'hotpath_cache_entries', value: entries, labels },
        { kind: 'gauge', name: 'hotpath_cache_bytes', value: bytes, labels },
      ]
    }),
  ]
}
