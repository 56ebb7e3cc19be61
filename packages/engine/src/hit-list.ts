import type { Hit } from './hit.js'

/** Hits of one source in order, as numbers: what they look like is found out when they are compared or shown. */
export class HitList {
  private at = 0
  private made: Hit | undefined

  /** @param entryAt by place, below `length` */
  constructor(
    private readonly length: number,
    private readonly entryAt: (place: number) => number,
    private readonly make: (entry: number) => Hit,
  ) {}

  /** Hits that were not taken yet. */
  get left(): number {
    return this.length - this.at
  }

  /** The first of these. */
  get head(): Hit {
    this.made ??= this.make(this.entryAt(this.at))
    return this.made
  }

  /** One of them, counted from the first. */
  ahead(steps: number): Hit {
    return this.make(this.entryAt(this.at + steps))
  }

  skip(count: number): void {
    this.at += count
    this.made = undefined
  }
}

/** A list on its way to the offset, and the last hit of its next step. */
interface Skipped {
  readonly list: HitList
  end: Hit | undefined
}

/**
 * Visits hits `offset` … `offset + limit` of sorted lists together. What comes before is not merged but skipped: some
 * log(offset) · lists hits are made for that, each compared with one of each list. No hit is kept.
 */
export function mergeHits(
  lists: readonly HitList[],
  offset: number,
  limit: number,
  compare: (a: Hit, b: Hit) => number,
  visit: (hit: Hit) => void,
): void {
  const open = lists.filter(list => list.left > 0)
  skipTo(open, offset, compare)
  for (let left = limit; left > 0 && open.length > 0; left--) {
    let first = open[0]
    for (let i = 1; i < open.length; i++) if (compare(open[i].head, first.head) < 0) first = open[i]
    visit(first.head)
    first.skip(1)
    if (first.left === 0) open.splice(open.indexOf(first), 1)
  }
}

/** Skips the first `count` hits; lists that end are taken out. */
function skipTo(open: HitList[], count: number, compare: (a: Hit, b: Hit) => number): void {
  let ahead = count
  let step = 0
  let skipped: Skipped[] = []
  while (ahead > 0 && open.length > 0) {
    // Of the hits at the ends of equal steps the least has no more than `ahead` before it: its step is skipped. Ends
    // are good until steps become shorter, or their list is skipped.
    const longest = Math.max(1, Math.floor(ahead / open.length))
    if (step === 0 || step > longest) {
      step = longest > 2 ? Math.ceil(longest / 2) : longest
      skipped = open.map(list => ({ list, end: undefined }))
    }
    let least: Skipped | undefined
    for (const each of skipped) {
      each.end ??= each.list.ahead(Math.min(step, each.list.left) - 1)
      if (least?.end === undefined || compare(each.end, least.end) < 0) least = each
    }
    if (least === undefined) return
    const { list } = least
    const taken = Math.min(step, list.left)
    ahead -= taken
    list.skip(taken)
    least.end = undefined
    if (list.left > 0) continue
    open.splice(open.indexOf(list), 1)
    skipped = skipped.filter(each => each.list !== list)
  }
}
