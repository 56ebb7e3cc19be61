import type { SearchAnswer, SearcherQuery } from './searcher-messages.js'

/** What is warmed up: the query pool. */
export interface Warmed {
  /** A search that nobody asked for, in each free searcher; undefined if somebody else's search waits or runs. */
  searchWhileIdle(query: SearcherQuery): Promise<readonly SearchAnswer[]> | undefined
}

/** A first search, and what else happens at a start, comes before. */
const FIRST_DELAY_MS = 1_000
/** Looked at again after twice the time, while there is nothing to search in or others search. */
const LONGEST_DELAY_MS = 30_000
/** Between two searches, for whoever wants the processor. */
const PAUSE_MS = 5
/** All of it together takes no longer. */
const MOST_MS = 2_000
const ROUNDS = 4
/** Frequent pieces of names, short and long: each way in which the engine finds names, orders them and counts them, all over the dictionary. */
const TEXTS = `
  a e re in con test index main .txt .png lib read data html src conf th er on an ti es en at nd or ing ent ion for tion ter ver com pro sta str util core base
  image icon python java script style doc lang local share help license change make build module class type file list string math time date user system net http web server client config
  theme font color view edit copy map node tree graph table page text word number key value option error debug 1 2 10 0.1 _a -b s. .js .py .h .c`
  .trim()
  .split(/\s+/)

/**
 * Searches a little while nobody else does, once after a start: the first searches of people and programs then meet code that is compiled
 * and pages whose checksums were compared. Without it five clients who begin with 200 queries a second each waited up to 0.9 s in
 * the first second, with a million entries; later 20 ms.
 */
export class WarmUp {
  private timer: NodeJS.Timeout | undefined
  private delayMs = FIRST_DELAY_MS
  private stopped = false

  /** @param hasEntries whether there is something to search in */
  constructor(
    private readonly pool: Warmed,
    private readonly hasEntries: () => boolean,
  ) {}

  start(): void {
    this.timer = setTimeout(() => void this.run(), this.delayMs)
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
  }

  private async run(): Promise<void> {
    const isDone = this.hasEntries() && (await this.searches())
    if (isDone || this.stopped) return
    this.delayMs = Math.min(LONGEST_DELAY_MS, this.delayMs * 2)
    this.start()
  }

  /** @returns false if others wanted to search */
  private async searches(): Promise<boolean> {
    let tookMs = 0
    for (let at = 0; at < TEXTS.length * ROUNDS && tookMs < MOST_MS && !this.stopped; at++) {
      const startedMs = performance.now()
      const answers = this.pool.searchWhileIdle(queryOf(TEXTS[at % TEXTS.length]!, at))
      if (answers === undefined) return false
      // The pool may end meanwhile.
      await answers.catch(() => {})
      tookMs += performance.now() - startedMs
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
    return true
  }
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
    // What people ask for is kept, and this is not.
    noCache: true,
    explain: false,
    deadlineMs: Date.now() + MOST_MS,
  }
}
