import type { CacheFigures } from '../search-backend.js'
import type { Collectors } from './collectors.js'
import type { Latency } from './statistics-reply.js'

type Report = (to: Collectors) => void

/**
 * Counters and histograms of the gateway. The library that keeps them is loaded with the first request: a start does not
 * wait for it.
 */
export class GatewayMetrics {
  /** Those that the library does not know yet. */
  readonly #gauges: Parameters<Collectors['gauge']>[] = []
  readonly #counters: Parameters<Collectors['counter']>[] = []
  #collectors: Promise<Collectors> | undefined

  constructor() {
    this.gauge('hotpath_gateway_resident_bytes', 'Resident memory of the gateway', () => process.memoryUsage.rss())
    this.gauge('hotpath_gateway_cpu_seconds', 'User and system time of the gateway since its start', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    })
  }

  /** A gauge whose value is read when somebody asks. `name` must be unique. */
  gauge(name: string, help: string, read: () => number): void {
    this.#gauges.push([name, help, read])
    void this.#collectors?.then(collectors => this.#addFigures(collectors))
  }

  /** A counter that is kept elsewhere and read when somebody asks. `name` must be unique. */
  counter(name: string, help: string, read: () => number): void {
    this.#counters.push([name, help, read])
    void this.#collectors?.then(collectors => this.#addFigures(collectors))
  }

  request(route: string, status: number): void {
    this.#report(({ requests }) => requests.inc({ route, status }))
  }

  requestTook(route: string, seconds: number): void {
    this.#report(({ requestSeconds }) => requestSeconds.observe({ route }, seconds))
  }

  refusal(reason: string): void {
    this.#report(({ refusals }) => refusals.inc({ reason }))
  }

  engineTook(seconds: number): void {
    this.#report(({ engineSeconds }) => engineSeconds.observe(seconds))
  }

  /** Searches by their time in the engine. */
  async engineLatency(): Promise<Latency> {
    const { engineSeconds } = await this.#load()
    const { values } = await engineSeconds.get()
    // Each bucket counts what the ones before it count, too; the last one is without a bound.
    const buckets = values.filter(({ metricName }) => metricName?.endsWith('_bucket'))
    const bounds = buckets.map(({ labels }) => Number(labels.le === '+Inf' ? Number.POSITIVE_INFINITY : labels.le))
    return {
      boundsMs: bounds.filter(Number.isFinite).map(seconds => Math.round(seconds * 1e6) / 1000),
      counts: buckets.map(({ value }, i) => value - (i === 0 ? 0 : buckets[i - 1]!.value)),
    }
  }

  /**
   * The text for a scrape, with `figures` of the engine appended as `hotpath_<name>`: counters where the name ends in `_total`, else gauges.
   * What its caches did follows as `hotpath_cache_…{cache="…"}`.
   */
  async scrape(
    figures: Readonly<Record<string, number>>,
    caches: readonly CacheFigures[] = [],
  ): Promise<{ text: string; contentType: string }> {
    const { registry } = await this.#load()
    const lines = Object.entries(figures)
      .filter(([name]) => /^[a-z][a-z0-9_]*$/.test(name))
      .map(
        ([name, value]) =>
          `# TYPE hotpath_${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}\nhotpath_${name} ${value}\n`,
      )
    return { text: (await registry.metrics()) + lines.join('') + cacheLines(caches), contentType: registry.contentType }
  }

  /** Reports are taken in their order, and before a scrape that comes after them. */
  #report(report: Report): void {
    void this.#load().then(report)
  }

  #addFigures(collectors: Collectors): void {
    for (const gauge of this.#gauges.splice(0)) collectors.gauge(...gauge)
    for (const counter of this.#counters.splice(0)) collectors.counter(...counter)
  }

  #load(): Promise<Collectors> {
    this.#collectors ??= import('./collectors.js').then(({ Collectors }) => {
      const collectors = new Collectors()
      this.#addFigures(collectors)
      return collectors
    })
    return this.#collectors
  }
}

const CACHE_SERIES = [
  ['hits_total', 'counter', 'hits'],
  ['misses_total', 'counter', 'misses'],
  ['entries', 'gauge', 'entries'],
  ['bytes', 'gauge', 'bytes'],
] as const

function cacheLines(caches: readonly CacheFigures[]): string {
  if (caches.length === 0) return ''
  return CACHE_SERIES.map(([series, type, figure]) => {
    const values = caches
      .filter(({ cache }) => /^[a-z]+$/.test(cache))
      .map(counts => `hotpath_cache_${series}{cache="${counts.cache}"} ${counts[figure]}\n`)
    return `# TYPE hotpath_cache_${series} ${type}\n${values.join('')}`
  }).join('')
}
