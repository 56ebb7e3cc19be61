import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** From a cached answer (0.1 ms) to the deadline of a search. */
const LATENCY_BUCKETS_S = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

/** The gateway's series. Labels come from fixed sets only: a client cannot create new ones. */
export class Collectors {
  readonly registry = new Registry()

  readonly requests = new Counter({
    name: 'hotpath_http_requests_total',
    help: 'HTTP requests answered, by route and status',
    labelNames: ['route', 'status'] as const,
    registers: [this.registry],
  })
  readonly refusals = new Counter({
    name: 'hotpath_http_refused_total',
    help: 'HTTP requests refused before they were looked at, by reason',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  })
  readonly requestSeconds = new Histogram({
    name: 'hotpath_http_request_seconds',
    help: 'Time from the request line to the last byte of the answer',
    labelNames: ['route'] as const,
    buckets: LATENCY_BUCKETS_S,
    registers: [this.registry],
  })
  readonly engineSeconds = new Histogram({
    name: 'hotpath_search_engine_seconds',
    help: 'Time of searches in the engine alone',
    buckets: LATENCY_BUCKETS_S,
    registers: [this.registry],
  })

  /** A counter that is kept elsewhere and read when somebody asks. `name` must be unique. */
  counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }

  /** A gauge whose value is read when somebody asks. `name` must be unique. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read())
      },
    })
  }
}
