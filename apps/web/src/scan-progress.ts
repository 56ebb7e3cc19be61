import type { Scan, StatusReply } from './api-replies.js'
import { byId } from './dom.js'
import { formatCount } from './format.js'
import { visibleText } from './visible-text.js'

/** The bar below the box while roots are being read. */
export class ScanProgress {
  readonly #root = byId('scan', HTMLElement)
  readonly #bar = byId('scan-bar', HTMLProgressElement)
  readonly #text = byId('scan-text', HTMLElement)
  readonly #current = byId('scan-current', HTMLElement)

  show(status: StatusReply): void {
    const scans = status.roots.flatMap(root => (root.scan === null ? [] : [root.scan]))
    this.#root.hidden = scans.length === 0
    if (scans.length === 0) return
    const sum = (of: (scan: Scan) => number) => scans.reduce((total, scan) => total + of(scan), 0)
    const entries = sum(scan => scan.entries)
    const perSecond = sum(scan => scan.entriesPerSecond)
    const expected = sum(scan => scan.expectedEntries ?? Number.NaN)
    if (Number.isNaN(expected)) this.#bar.removeAttribute('value')
    else {
      this.#bar.max = Math.max(expected, entries, 1)
      this.#bar.value = entries
    }
    const of = Number.isNaN(expected) ? '' : ` of ${formatCount(expected)}`
    const rate = perSecond > 0 ? ` · ${formatCount(Math.round(perSecond))}/s` : ''
    this.#text.textContent = `Indexing: ${formatCount(entries)}${of} entries${rate}${timeLeft(entries, expected, perSecond)}`
    this.#current.textContent = visibleText(scans[0]!.current)
  }
}

function timeLeft(entries: number, expected: number, perSecond: number): string {
  if (Number.isNaN(expected) || perSecond <= 0 || expected <= entries) return ''
  const seconds = Math.ceil((expected - entries) / perSecond)
  return seconds < 90 ? ` · ${seconds} s left` : ` · ${Math.ceil(seconds / 60)} min left`
}
