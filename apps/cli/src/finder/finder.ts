import { isUtf8 } from 'node:buffer'
import { spawn } from 'node:child_process'
import type { Hit, QueryError, SearchResult } from '@hotpath/client'
import type { IndexClient } from '../index-client.js'
import type { MarkName } from '../output/name-pieces.js'
import {
  answered,
  type FinderAction,
  type FinderState,
  initialState,
  isAnswered,
  pressed,
  resized,
  selectedHit,
  wantedSearch,
} from './finder-state.js'
import { drawFinder, listRowsOf } from './finder-view.js'
import { KeyDecoder, type KeyPress } from './key-decoder.js'
import type { Palette } from './palette.js'
import { isSameSearch, missingPages, PAGE_ROWS, resultsOf, rowsOf, type WantedSearch } from './results.js'
import { Screen } from './screen.js'
import type { SearchSession } from './search-session.js'
import type { FinderTerminal } from './terminal.js'

/** How a finder ended: with a hit, or with an exit code. */
export type FinderEnd = { readonly hit: Hit } | { readonly exitCode: number }

/** Exit codes of a finder in which nothing was chosen. */
const NOTHING_CHOSEN = 1
const INTERRUPTED = 130
const TERMINAL_LOST = 129

/** An Esc that is a key is followed by nothing for this time; terminals send sequences in one piece. */
const ESCAPE_MS = 40

export interface FinderOptions {
  readonly terminal: FinderTerminal
  readonly palette: Palette
  readonly query: string
  /** Connects to the index and says meanwhile what it waits for; called when the first frame is shown. */
  connect(say: (text: string) => void): Promise<IndexClient>
  /** Loaded after the first frame. */
  loadSession(): Promise<typeof import('./search-session.js')>
  loadMarks(): Promise<{ markerOf(search: WantedSearch): MarkName }>
  /** Stops this process until it is continued. */
  suspend(): void
}

/** The finder: reads keys, asks the index, draws what there is. */
export class Finder {
  private state: FinderState
  private readonly screen = new Screen()
  private readonly decoder = new KeyDecoder()
  private escapeTimer: NodeJS.Timeout | undefined
  private client: IndexClient | undefined
  private session: SearchSession | undefined
  private markerOf: ((search: WantedSearch) => MarkName) | undefined
  private mark: MarkName = () => []
  private isDrawing = false
  private finish!: (end: FinderEnd) => void
  private fail!: (error: unknown) => void
  private readonly ended = new Promise<FinderEnd>((resolve, reject) => {
    this.finish = resolve
    this.fail = reject
  })

  constructor(private readonly options: FinderOptions) {
    this.state = initialState(options.query, listRowsOf(options.terminal.size))
  }

  /** Resolves when a hit was chosen or the finder was left, with the terminal as it was before. Rejects if the index cannot be reached. */
  async run(): Promise<FinderEnd> {
    const { terminal } = this.options
    terminal.onInput = bytes => this.take(bytes)
    terminal.onResize = () => this.resize()
    terminal.onEnd = () => this.finish({ exitCode: TERMINAL_LOST })
    terminal.enter()
    this.draw()
    this.begin().catch(this.fail)
    try {
      const end = await this.ended
      if ('hit' in end) await this.record(end.hit)
      return end
    } finally {
      clearTimeout(this.escapeTimer)
      this.session?.close()
      terminal.leave()
    }
  }

  /** The connection, if there is one: whoever ran the finder closes it. */
  get connection(): IndexClient | undefined {
    return this.client
  }

  /** Ends it from outside (a signal). */
  stop(exitCode: number): void {
    this.finish({ exitCode })
  }

  /** The terminal shows something else: another program had it. */
  resume(): void {
    this.options.terminal.enter()
    this.resize()
  }

  private async begin(): Promise<void> {
    // The first frame is on its way before anything else is loaded.
    await new Promise(resolve => setImmediate(resolve))
    const [client, { SearchSession }] = await Promise.all([
      this.options.connect(text => this.update({ ...this.state, link: text })),
      this.options.loadSession(),
    ])
    this.client = client
    this.session = new SearchSession(client, {
      onAnswer: (search, page, answer, isFresh) => this.show(search, page, answer, isFresh),
      onProblem: (search, error) => this.refuse(search, error),
      onStale: () => this.refresh(),
      onAway: reason => this.update({ ...this.state, link: reason }),
    })
    this.session.ask(wantedSearch(this.state))
    const { markerOf } = await this.options.loadMarks()
    this.markerOf = markerOf
    if (this.state.results !== undefined) this.mark = markerOf(this.state.results.search)
    this.draw()
  }

  private take(bytes: Uint8Array): void {
    clearTimeout(this.escapeTimer)
    for (const press of this.decoder.push(bytes)) this.press(press)
    if (!this.decoder.isWaiting) return
    this.escapeTimer = setTimeout(() => {
      for (const press of this.decoder.flush()) this.press(press)
    }, ESCAPE_MS)
  }

  private press(press: KeyPress): void {
    const before = wantedSearch(this.state)
    const { state, action } = pressed(this.state, press)
    this.update(state)
    const wanted = wantedSearch(state)
    if (!isSameSearch(before, wanted)) this.session?.ask(wanted)
    else this.loadMissing()
    if (action !== undefined) this.act(action)
  }

  private act(action: FinderAction): void {
    const hit = selectedHit(this.state)
    if (action === 'accept') this.finish(hit === undefined ? { exitCode: NOTHING_CHOSEN } : { hit })
    else if (action === 'quit') this.finish({ exitCode: NOTHING_CHOSEN })
    else if (action === 'interrupt') this.finish({ exitCode: INTERRUPTED })
    else if (action === 'suspend') this.options.suspend()
    else if (action === 'redraw') {
      this.screen.forget()
      this.draw()
    } else if (hit !== undefined) {
      if (action === 'open') this.open(hit)
      else this.copy(hit)
    }
  }

  private show(search: WantedSearch, page: number, answer: SearchResult, isFresh: boolean): void {
    const results = resultsOf(search, answer, page, isFresh ? undefined : this.state.results)
    const isNew = this.state.results === undefined || !isSameSearch(this.state.results.search, search)
    if (isNew && this.markerOf !== undefined) this.mark = this.markerOf(search)
    this.update(answered(this.state, results))
    this.loadMissing()
    if (!this.state.isAccepting || !isAnswered(this.state)) return
    if (selectedHit(this.state) !== undefined || rowsOf(results) === 0) this.act('accept')
  }

  private refuse(search: WantedSearch, error: QueryError): void {
    const { message, expected, position } = error
    const isSaid = expected === '' || message.includes(expected)
    const problem = {
      search,
      message: isSaid ? message : `${message}; expected ${expected}`,
      at: position === undefined ? undefined : Buffer.from(search.text).toString('utf8', 0, position).length,
    }
    this.update({ ...this.state, problem, link: '', isAccepting: false })
  }

  private refresh(): void {
    const { top, listRows } = this.state
    const first = Math.floor(top / PAGE_ROWS)
    this.session?.refresh(first, Math.floor((top + listRows) / PAGE_ROWS) - first + 1)
  }

  private loadMissing(): void {
    const { results, top, listRows } = this.state
    if (results === undefined || !isAnswered(this.state)) return
    const missing = missingPages(results, top, top + listRows)
    if (missing.length > 0) this.session?.more(missing[0]!, missing.at(-1)! - missing[0]! + 1)
  }

  private open(hit: Hit): void {
    const tell = (notice: string) => this.update({ ...this.state, notice })
    if (!isUtf8(hit.pathBytes)) {
      tell('a name that is no text cannot be given to xdg-open')
      return
    }
    const child = spawn('xdg-open', [hit.path], { detached: true, stdio: 'ignore' })
    child.on('error', error => tell(`xdg-open cannot be started: ${error.message}`))
    child.on('spawn', () => {
      tell(`opening ${hit.path}`)
      void this.record(hit)
    })
    child.on('exit', code => {
      if (code !== null && code > 0) tell(`xdg-open could not open it (exit code ${code})`)
    })
    child.unref()
  }

  /** By the terminal (OSC 52), so that it works over ssh, too. */
  private copy(hit: Hit): void {
    this.options.terminal.write(`\u001b]52;c;${Buffer.from(hit.pathBytes).toString('base64')}\u0007`)
    this.update({ ...this.state, notice: `copied ${hit.path}` })
  }

  /** A ranking that does not know of this open is no reason to make somebody wait. */
  private async record({ id }: Hit): Promise<void> {
    await this.client?.recordOpen({ id }, { timeoutMs: 1_000 }).catch(() => false)
  }

  private resize(): void {
    this.screen.forget()
    this.update(resized(this.state, listRowsOf(this.options.terminal.size)))
    this.loadMissing()
  }

  private update(state: FinderState): void {
    this.state = state
    if (this.isDrawing) return
    this.isDrawing = true
    // Once for all keys of a piece.
    queueMicrotask(() => {
      this.isDrawing = false
      this.draw()
    })
  }

  private draw(): void {
    const { terminal, palette } = this.options
    const text = this.screen.show(drawFinder(this.state, terminal.size, palette, this.mark))
    if (text !== '') terminal.write(text)
  }
}
