import { collectKeepingCode, MemoryRelief } from '@hotpath/platform'
import {
  type Endpoints,
  type EndpointsFile,
  type HealthCheck,
  type Identity,
  type Metric,
  type Peer,
  removeEndpointsFile,
  type Tap,
  writeEndpointsFile,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { AnswerCache } from './answers/answer-cache.js'
import { KeptSearches } from './answers/kept-searches.js'
import type { Desktop } from './desktop/desktop.js'
import { isDiskRefusal } from './disk-refusal.js'
import { queryHighlighter } from './highlighter.js'
import { EventHub } from './http/event-hub.js'
import { HttpServer } from './http/http-server.js'
import { GatewayMetrics } from './http/metrics.js'
import { loadPageFiles } from './http/page-files.js'
import { publishToken } from './http/session-token.js'
import type { Rate } from './limits/rate-limiter.js'
import { LiveHub } from './live/live-hub.js'
import { NativeServer } from './relay/native-server.js'
import { StoreLink } from './relay/store-link.js'
import { RowsLink } from './rows/rows-link.js'
import { EventRelay } from './store/event-relay.js'
import { type HTTP_CLIENT, StoreBackend, type UserClient } from './store/store-backend.js'

export interface GatewayOptions {
  readonly dataDir: string
  /** 0 takes a free one. */
  readonly port: number
  /** Reading from this machine needs no token. */
  readonly openRead: boolean
  /** Opens and shows files; undefined where nobody is to, or can. */
  readonly desktop?: Desktop | undefined
  /** Indexed files may be downloaded. */
  readonly download?: boolean
  /** Path of the Unix socket for other users; empty: there is none. */
  readonly usersListen?: string
  readonly endpoints: Endpoints
  readonly identity: Identity
  readonly version: string
  readonly log: Logger
  readonly tap?: Tap
  /** How much each native client may ask; NATIVE_RATE if missing. */
  readonly nativeRate?: Rate
}

export interface Gateway {
  /** Address of the page with the token. */
  readonly url: string
  readonly port: number
  stop(): Promise<void>
  health(): readonly HealthCheck[]
  stats(): readonly Metric[]
}

/** Wires and starts the gateway. Resolves when it accepts requests; the store may come later. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { dataDir, endpoints, identity, version, log, tap } = options
  const watched = tap === undefined ? {} : { tap }
  const answers = new AnswerCache()
  const link = new StoreLink<Peer | typeof HTTP_CLIENT | UserClient>({
    endpoint: endpoints['store-query'],
    identity,
    expects: 'store',
    onWelcome: ({ instance }, restarted) => {
      log.info('store connected', { restarted })
      answers.connected(instance)
      backend.lost('the connection to the index was made')
    },
    onPeerLost: reason => {
      log.warn('store lost', { reason })
      answers.disconnected()
      backend.lost(`the connection to the index was lost: ${reason}`)
    },
    log: log.child('gateway.store-link'),
    ...watched,
  })
  const relief = new MemoryRelief(collectKeepingCode)
  const searches = new KeptSearches<Peer | typeof HTTP_CLIENT | UserClient>(
    answers,
    (client, requests, deadlineAt, signal, keeping) => {
      relief.searched()
      return link.search(client, requests, deadlineAt, signal, keeping)
    },
  )
  const backend = new StoreBackend<Peer>(link, searches)
  const events = new EventRelay({
    from: endpoints['store-events'],
    to: endpoints['gateway-events'],
    identity,
    onEvent: event => {
      answers.receive(event)
      backend.receive(event)
    },
    onGap: gap => {
      answers.gap()
      backend.lost(`events were ${gap.reason}`)
    },
    onHeard: publisher => answers.heard(publisher),
    log: log.child('gateway.events'),
    ...watched,
  })
  const live = new LiveHub(backend, log.child('gateway.live'))
  const rows = new RowsLink({
    endpoint: endpoints['watcher-rows'],
    identity,
    log: log.child('gateway.rows'),
    ...watched,
  })
  const native = new NativeServer({
    endpoint: endpoints.gateway,
    identity,
    link,
    searches,
    backend,
    live,
    rows,
    ...(options.nativeRate === undefined ? {} : { rate: options.nativeRate }),
    log: log.child('gateway.native'),
    ...watched,
  })
  const metrics = new GatewayMetrics()
  const hub = new EventHub(backend, version, log.child('gateway.pages'))
  // Before the address: whoever finds that must find the token that belongs to it.
  const token = await publishToken(dataDir)
  const http = new HttpServer({
    backend,
    hub,
    live,
    rows,
    metrics,
    pageFiles: await loadPageFiles(),
    highlighter: queryHighlighter,
    version,
    log: log.child('gateway.http'),
    port: options.port,
    token,
    openRead: options.openRead,
    desktop: options.desktop,
    download: options.download ?? false,
  })
  metrics.gauge('hotpath_rows_subscriptions', 'Open subscriptions to changes of rows', () => rows.count)
  relayMetrics(metrics, { link, answers, native, events, live })

  const started: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part()
  }
  try {
    started.push(async () => relief.stop())
    link.start()
    started.push(() => link.stop())
    rows.start()
    started.push(() => rows.stop())
    live.start()
    started.push(async () => live.stop())
    await events.start()
    started.push(() => events.stop())
    await native.start()
    started.push(() => native.stop())
    if (options.usersListen) {
      // Native calls take time to load, and few have other users.
      const { startUsersServer } = await import('./users/users-server.js')
      const users = await startUsersServer({
        path: options.usersListen,
        backend,
        highlighter: queryHighlighter,
        log: log.child('gateway.users'),
      })
      metrics.gauge('hotpath_users_connections', 'Connections of other users', () => users.stats().connections)
      metrics.gauge('hotpath_users_refused', 'Requests of other users refused as too many', () => users.stats().refused)
      started.push(() => users.stop())
    }
    const port = await http.start()
    started.push(() => http.stop())
    hub.start()
    started.push(async () => hub.stop())
    const origin = `http://127.0.0.1:${port}`
    announce(dataDir, { version: 1, pid: process.pid, sockets: endpoints, http: origin }, log)
    started.push(async () => removeEndpointsFile(dataDir, process.pid))
    log.info('listening', { http: origin, native: endpoints.gateway })
    return {
      url: `${origin}/?token=${token}`,
      port,
      stop,
      health: () => [{ name: 'store', ok: link.isReady, detail: link.isReady ? '' : 'the index store is not there' }],
      stats: () => statsOf(link, answers, native, hub, live),
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Where the disk takes nothing, clients find the addresses of the last run, whose sockets are ours now. */
function announce(dataDir: string, content: EndpointsFile, log: Logger): void {
  try {
    writeEndpointsFile(dataDir, content)
  } catch (error) {
    if (!isDiskRefusal(error)) throw error
    log.warn('the addresses could not be written', { error })
  }
}

type Link = StoreLink<Peer | typeof HTTP_CLIENT | UserClient>

interface Relays {
  readonly link: Link
  readonly answers: AnswerCache
  readonly native: NativeServer
  readonly events: EventRelay
  readonly live: LiveHub
}

function relayMetrics(metrics: GatewayMetrics, { link, answers, native, events, live }: Relays): void {
  metrics.gauge('hotpath_store_connected', '1 while the store answers', () => (link.isReady ? 1 : 0))
  metrics.gauge('hotpath_relay_waiting_searches', 'Searches that wait for the store', () => link.stats().waiting)
  metrics.gauge('hotpath_relay_searches', 'Searches taken since the start', () => link.stats().searches)
  metrics.gauge('hotpath_relay_messages', 'Messages of searches sent to the store', () => link.stats().sentMessages)
  metrics.gauge('hotpath_relay_retries', 'Searches asked again after the store was lost', () => link.stats().retries)
  metrics.gauge('hotpath_relay_rejected', 'Searches refused because too many waited', () => link.stats().rejected)
  metrics.gauge('hotpath_answers_kept', 'Answers in the cache', () => answers.stats().answers)
  metrics.gauge('hotpath_answers_bytes', 'Bytes of the answers in the cache', () => answers.stats().bytes)
  metrics.counter('hotpath_answers_hits_total', 'Searches answered from the cache', () => answers.stats().hits)
  metrics.counter('hotpath_answers_misses_total', 'Searches that the store had to answer', () => answers.stats().misses)
  metrics.counter('hotpath_answers_stale_total', 'Kept answers that were too old', () => answers.stats().stale)
  metrics.counter('hotpath_answers_evicted_total', 'Answers given up for others', () => answers.stats().evicted)
  metrics.counter(
    'hotpath_answers_emptied_total',
    'Times that changes emptied the cache',
    () => answers.stats().emptied,
  )
  metrics.counter('hotpath_answers_bypassed_total', 'Searches with cache=off', () => answers.stats().bypassed)
  metrics.gauge('hotpath_native_clients', 'Connected native clients', () => native.stats().peers)
  metrics.gauge('hotpath_native_malformed', 'Messages of native clients that were none', () => native.stats().malformed)
  metrics.gauge('hotpath_live_queries', 'Open subscriptions', () => live.stats().queries)
  metrics.gauge('hotpath_live_rows', 'Rows that are remembered for subscriptions', () => live.stats().heldRows)
  metrics.gauge('hotpath_event_gaps', 'Times that events of the store were missed', () => events.gaps)
}

function statsOf(link: Link, answers: AnswerCache, native: NativeServer, hub: EventHub, live: LiveHub): Metric[] {
  const kept = answers.stats()
  const { waiting, searches, spared, sentMessages, retries, rejected } = link.stats()
  const { peers, malformed, queuedBytes } = native.stats()
  const gauges = {
    hotpath_relay_waiting_searches: waiting,
    hotpath_native_clients: peers,
    hotpath_native_queued_bytes: queuedBytes,
    hotpath_event_streams: hub.streamCount,
    hotpath_live_queries: live.stats().queries,
    hotpath_answers_kept: kept.answers,
    hotpath_answers_bytes: kept.bytes,
  }
  const counters = {
    hotpath_relay_searches_total: searches,
    hotpath_relay_spared_total: spared,
    hotpath_relay_messages_total: sentMessages,
    hotpath_relay_retries_total: retries,
    hotpath_relay_rejected_total: rejected,
    hotpath_native_malformed_total: malformed,
    hotpath_event_resyncs_total: hub.resyncs,
    hotpath_answers_hits_total: kept.hits,
    hotpath_answers_misses_total: kept.misses,
    hotpath_answers_stale_total: kept.stale,
    hotpath_answers_evicted_total: kept.evicted,
    hotpath_answers_emptied_total: kept.emptied,
    hotpath_answers_bypassed_total: kept.bypassed,
  }
  const metricsOf = (values: Record<string, number>, kind: Metric['kind']): Metric[] =>
    Object.entries(values).map(([name, value]) => ({ name, kind, value, labels: [] }))
  return [...metricsOf(gauges, 'gauge'), ...metricsOf(counters, 'counter')]
}
