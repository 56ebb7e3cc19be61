import { copyPath } from './clipboard.js'
import { columnHeads } from './column-heads.js'
import { DetailsLine } from './details-line.js'
import { byId } from './dom.js'
import { ErrorLine } from './error-line.js'
import { bindKeyboard } from './keyboard.js'
import { followIndex } from './live-events.js'
import { ResultList } from './result-list.js'
import { ScanProgress } from './scan-progress.js'
import { ApiError, reportOpen } from './search-api.js'
import { SearchSession } from './search-session.js'
import { type SearchState, sortedBy, stateFromUrl, stateToUrl } from './search-state.js'
import { StatusLine } from './status-line.js'
import { visibleText } from './visible-text.js'

/** Browsers allow about 100 changes of the address in half a minute. */
const URL_DELAY_MS = 300

const input = byId('query', HTMLInputElement)
const results = byId('results', HTMLElement)
const empty = byId('empty', HTMLElement)
const errorLine = new ErrorLine()
const statusLine = new StatusLine()
const scanProgress = new ScanProgress()
const detailsLine = new DetailsLine()

let state = stateFromUrl(location.search)
let urlTimer: number | undefined

const list = new ResultList(byId('viewport', HTMLElement), (hit, elementId) => {
  // While the row is loading the former details stay: hiding them would make the list jump.
  if (hit !== undefined || elementId === undefined) detailsLine.show(hit)
  if (elementId === undefined) input.removeAttribute('aria-activedescendant')
  else input.setAttribute('aria-activedescendant', elementId)
})

const session = new SearchSession(list, {
  onAnswer(reply) {
    errorLine.clear()
    results.classList.remove('stale')
    results.setAttribute('aria-rowcount', String(reply.total + 1))
    empty.hidden = reply.total > 0
    empty.textContent = reply.partial ? 'Nothing yet: the index is not complete.' : 'Nothing matches.'
    statusLine.showAnswer(reply)
  },
  onError(error, failed) {
    errorLine.show(error, failed.text)
    results.classList.add('stale')
    if (!(error instanceof ApiError)) statusLine.showOffline()
  },
})

const showSort = columnHeads(key => {
  change(sortedBy(state, key))
  input.focus()
})

function change(next: SearchState): void {
  state = next
  showState()
  session.search(state)
  clearTimeout(urlTimer)
  urlTimer = setTimeout(() => history.replaceState(null, '', location.pathname + stateToUrl(state)), URL_DELAY_MS)
}

function showState(): void {
  showSort(state)
  document.title = state.text === '' ? 'hotpath' : `${visibleText(state.text)} · hotpath`
}

function copyActive(): void {
  const hit = list.activeHit
  if (hit === undefined) return
  void copyPath(hit.path)
  void reportOpen(hit)
}

input.addEventListener('input', () => change({ ...state, text: input.value }))
byId('copy', HTMLButtonElement).addEventListener('click', copyActive)
bindKeyboard(input, list, {
  copyActive,
  clear() {
    input.value = ''
    change({ ...state, text: '' })
  },
})
addEventListener('popstate', () => {
  state = stateFromUrl(location.search)
  input.value = state.text
  showState()
  session.search(state)
})

input.value = state.text
showState()
session.search(state)
followIndex({
  onChange: () => session.refreshSoon(),
  onStatus(status) {
    statusLine.showStatus(status)
    scanProgress.show(status)
    // While a root is read for the first time, its entries can be found as they come.
    if (status.partial && status.roots.some(root => root.scan !== null)) session.refreshSoon()
  },
  onAway: () => statusLine.showOffline(),
})
input.focus()
