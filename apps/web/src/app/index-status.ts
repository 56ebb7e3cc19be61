import type { BrowserClient, GatewayStatus } from '@hotpath/client/browser'
import { Store } from '../state/store.js'

export interface Scan {
  readonly entries: number
  readonly expected: number | undefined
  readonly perSecond: number
  readonly current: string
}

const RETRY_MS = 5_000

/**
 * What the index is doing, by its events. The stream is closed while the page is hidden: browsers allow six connections to a
 * server, and every window in the background would hold one.
 */
export class IndexStatus extends Store {
  status: GatewayStatus | undefined
  /** What the gateway does beside searching; events do not say it. */
  features: GatewayStatus['features']
  isAway = false
  private source: EventSource | undefined
  private retry: ReturnType<typeof setTimeout> | undefined

  /**
   * @param onChange the index changed, or may have changed unseen
   * @param onRows the same of rows of followed databases
   */
  constructor(
    private readonly client: Pick<BrowserClient, 'reconnect' | 'status'>,
    private readonly onChange: () => void,
    private readonly onRows: () => void,
  ) {
    super()
  }

  /** @returns what ends it */
  start(): () => void {
    const follow = () => {
      if (document.visibilityState === 'hidden') this.end()
      else if (this.source === undefined) this.open()
    }
    const end = () => this.end()
    document.addEventListener('visibilitychange', follow)
    addEventListener('pagehide', end)
    addEventListener('pageshow', follow)
    addEventListener('online', follow)
    follow()
    return () => {
      document.removeEventListener('visibilitychange', follow)
      removeEventListener('pagehide', end)
      removeEventListener('pageshow', follow)
      removeEventListener('online', follow)
      this.end()
    }
  }

  /** Of all roots that are being read; undefined if none is. */
  get scan(): Scan | undefined {
    const scans = this.status?.roots.flatMap(root => (root.scan === null ? [] : [root.scan])) ?? []
    const [first] = scans
    if (first === undefined) return undefined
    const expected = scans.map(scan => scan.expectedEntries)
    return {
      entries: scans.reduce((sum, scan) => sum + scan.entries, 0),
      expected: expected.some(one => one === null) ? undefined : expected.reduce<number>((sum, one) => sum + one!, 0),
      perSecond: scans.reduce((sum, scan) => sum + scan.entriesPerSecond, 0),
      current: first.current,
    }
  }

  private open(): void {
    const source = new EventSource('/api/events')
    this.source = source
    source.addEventListener('open', () => {
      this.away(false)
      this.client.reconnect()
      void this.askFeatures()
      this.onChange()
      this.onRows()
    })
    for (const type of ['rows', 'resync']) source.addEventListener(type, () => this.onRows())
    for (const type of ['changed', 'resync', 'fresh-instance']) source.addEventListener(type, () => this.onChange())
    source.addEventListener('away', () => this.away(true))
    source.addEventListener('status', event => {
      this.status = (JSON.parse(event.data) as { status: GatewayStatus }).status
      this.isAway = false
      this.changed()
    })
    source.addEventListener('error', () => {
      this.away(true)
      // A refusal (a new token, too many streams) ends the stream for good; a broken connection is tried again by the browser.
      if (source.readyState !== EventSource.CLOSED || this.source !== source) return
      this.source = undefined
      clearTimeout(this.retry)
      this.retry = setTimeout(() => {
        if (this.source === undefined && document.visibilityState !== 'hidden') this.open()
      }, RETRY_MS)
    })
  }

  /** Another gateway may be there than before. */
  private async askFeatures(): Promise<void> {
    try {
      const { features } = await this.client.status()
      this.features = features
      this.changed()
    } catch {
      // Those that were known last; the next connection asks again.
    }
  }

  private end(): void {
    clearTimeout(this.retry)
    this.source?.close()
    this.source = undefined
  }

  private away(isAway: boolean): void {
    if (isAway === this.isAway) return
    this.isAway = isAway
    this.changed()
  }
}
