import type { StatusReply } from './api-replies.js'

export interface LiveListener {
  /** The index changed, or may have changed unseen: what is shown may be out of date. */
  onChange(): void
  onStatus(status: StatusReply): void
  /** The index or the gateway does not answer; what is lost is looked for again by itself. */
  onAway(): void
}

/**
 * Events of the index. The stream is closed while the page is hidden: browsers allow six connections to a server, and
 * every window in the background would hold one. Coming back counts as a change.
 */
export function followIndex(listener: LiveListener): void {
  let source: EventSource | undefined
  const open = () => {
    source = new EventSource('/api/events')
    source.addEventListener('open', () => listener.onChange())
    source.addEventListener('changed', () => listener.onChange())
    for (const type of ['resync', 'fresh-instance']) source.addEventListener(type, () => listener.onChange())
    source.addEventListener('away', () => listener.onAway())
    source.addEventListener('status', event => {
      const { status } = JSON.parse(event.data) as { status: StatusReply }
      listener.onStatus(status)
    })
    source.addEventListener('error', () => {
      listener.onAway()
      // A refusal (a new token) ends the stream for good; a broken connection is tried again by the browser.
      if (source?.readyState === EventSource.CLOSED) source = undefined
    })
  }
  const follow = () => {
    if (document.visibilityState === 'hidden') {
      source?.close()
      source = undefined
    } else if (source === undefined) open()
  }
  document.addEventListener('visibilitychange', follow)
  addEventListener('pagehide', () => {
    source?.close()
    source = undefined
  })
  addEventListener('pageshow', follow)
  follow()
}
