import type { HitColumns } from '@hotpath/protocol'
import type { SearchAnswer, SearcherQuery } from './searcher-messages.js'

/** What is warmed up: the query pool. */
export interface Warmed {
  /** A search that nobody asked for, in each free searcher; undefined if somebody else's search waits or runs. */
  searchWhileIdle(query: SearcherQuery): Promise<readonly SearchAnswer[]> | undefined
}

/** A first search, and what else happens at a start, comes before. */
const FIRST_DELAY_MS = 1_000
/** Looked at again after twice the time, while there is nothing to search in, the index is made or others search. */
const LONGEST_DELAY_MS = 30_000
/** Between two searches, for whoever wants the processor. */
const PAUSE_MS = 5
/** All of it together takes no longer. */
const MOST_MS = 2_000
const MOST_SEARCHES = 800
/** One that takes longer is given up: it would be in the way of somebody's. */
const MOST_SEARCH_MS = 100
/** An index that has grown so much meets other code: many parts, other lengths of lists. */
const GROWTH = 4
/** Of each page that was found, so many names. */
const PIECES_PER_PAGE = 4
/** Frequent pieces of names, short and long: each way in which the engine finds names, orders them and counts them, all over the dictionary. */
const TEXTS = `
  a e re in con test index main .txt .png lib read data html src conf th er on an ti es en at nd or ing ent ion for tion ter ver com pro sta str util core base
  image icon python java script style doc lang local share help license change make build module class type file list string math time date user system net http web server client config
  theme font color view edit copy map node tree graph table page text word number key value option error debug 1 2 10 0.1 _a -b s. .js .py .h .c`
  .trim()
  .split(/\s+/)

/**
 * Searches a little while nobody else does, once after a start and after the index has grown much: the first searches of people and programs then
 * meet code that is compiled and pages whose checksums were compared. It begins with frequent pieces of names, and goes on with pieces of the names
 * that it finds: what people type is mostly rare.
 */
export class WarmUp {
  private timer: NodeJS.Timeout | undefined
  private delayMs = FIRST_DELAY_MS
  private isRunning = false
  private stopped = false
  /** The delay is for want of entries. */
  private waitsForEntries = false
  /** Entries of the index when it was warmed. */
  private warmed = 0
  private work = new WarmWork()

  /** @param entries what there is to search in; 0 while more is being read */
  constructor(
    private readonly pool: Warmed,
    private readonly entries: () => number,
  ) {}

  /** To be called again when the index may have been read, or have grown. */
  start(): void {
    if (this.isRunning || this.stopped) return
    // Who made way for others comes again in his own time.
    if (this.timer !== undefined && !(this.waitsForEntries && this.entries() > 0)) return
    if (this.warmed > 0 && this.entries() < this.warmed * GROWTH) return
    clearTimeout(this.timer)
    this.waitsForEntries = false
    this.delayMs = FIRST_DELAY_MS
    this.plan()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
  }

  private plan(): void {
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.isRunning = true
      void this.run().finally(() => {
        this.isRunning = false
      })
    }, this.delayMs)
  }

  private async run(): Promise<void> {
    const entries = this.entries()
    this.waitsForEntries = entries === 0
    const isDone = entries > 0 && (await this.searches())
    if (isDone) {
      this.warmed = entries
      this.work = new WarmWork()
    }
    if (isDone || this.stopped) return
    this.delayMs = Math.min(LONGEST_DELAY_MS, this.delayMs * 2)
    this.plan()
  }

  /** @returns false if others wanted to search: what was done counts when it goes on */
  private async searches(): Promise<boolean> {
    const { work } = this
    while (!work.isDone && !this.stopped) {
      const startedMs = performance.now()
      const { at, text } = work.next()
      const answers = this.pool.searchWhileIdle(queryOf(text, at))
      if (answers === undefined) return false
      // The pool may end meanwhile.
      const [first] = await answers.catch(() => [])
      work.did(first, performance.now() - startedMs)
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
    return true
  }
}

/** What is left to be searched. */
class WarmWork {
  private readonly texts = [...TEXTS]
  private at = 0
  private tookMs = 0

  get isDone(): boolean {
    return this.at >= Math.min(this.texts.length, MOST_SEARCHES) || this.tookMs >= MOST_MS
  }

  next(): { readonly at: number; readonly text: string } {
    return { at: this.at, text: this.texts[this.at]! }
  }

  did(answer: SearchAnswer | undefined, tookMs: number): void {
    if (answer?.kind === 'page' && this.texts.length < MOST_SEARCHES) this.texts.push(...piecesOf(answer.rows, this.at))
    this.at++
    this.tookMs += tookMs
  }
}

/** Pieces of names of a page, of 3 to 7 letters from their start or behind it. */
function piecesOf({ count, paths, pathOffsets, nameStart }: HitColumns, salt: number): string[] {
  const pieces: string[] = []
  for (let i = 0; i < PIECES_PER_PAGE && i < count; i++) {
    const row = (i * 7 + salt) % count
    const name = Buffer.from(paths.subarray(pathOffsets[row]! + nameStart[row]!, pathOffsets[row + 1])).toString()
    const from = i % 2 === 0 ? 0 : Math.floor(name.length / 2)
    const piece = name.slice(from, from + 3 + ((salt + i) % 5))
    if (/^[\p{L}\p{N}_.]{3,}$/u.test(piece)) pieces.push(piece)
  }
  return pieces
}

/** As programs ask, and every other time as the page does. */
function queryOf(text: string, at: number): SearcherQuery {
  const asPage = at % 2 === 1
  return {
    text,
    limit: 100,
    offset: 0,
    sort: { column: 'hot', descending: false },
    match: asPage ? 'auto' : 'name',
    caseMode: 'ignore',
    under: undefined,
    nowMs: Date.now(),
    countOnly: false,
    fuzzy: asPage,
    // To keep results and come back to them is code, too; those of a letter or two are long.
    noCache: text.length < 3,
    explain: false,
    deadlineMs: Date.now() + MOST_SEARCH_MS,
  }
}
