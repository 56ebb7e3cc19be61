import type { Hit } from './hit.js'

/** Hits of one source in order, as numbers: what they look like is found out when they are compared or shown. */
export class HitList {
  private at = 0
  private made: Hit | undefined

  constructor(
    private readonly entries: ArrayLike<number>,
    private readonly make: (entry: number) => Hit,
  ) {}

  /** Hits that were not taken yet. */
  get left(): number {
    return this.entries.length - this.at
  }

  /** The first of these. */
  get head(): Hit {
    this.made ??= this.make(this.entries[this.at])
    return this.made
  }

  /** One of them, counted from the first. */
  ahead(steps: number): Hit {
    return this.make(this.entries[this.at + steps])
  }

  skip(count: number): void {
    this.at += count
    this.made = undefined
  }
}

/**
 * Visits hits `offset` … `offset + limit` of sorted lists together. What comes before is not merged but skipped: some
 * log(offset) · lists² comparisons. No hit is kept.
 */
export function mergeHits(
  lists: readonly HitList[],
  offset: number,
  limit: number,
  compare: (a: Hit, b: Hit) => number,
  visit: (hit: Hit) => void,
): void {
  const open = lists.filter(list => list.left > 0)
  const skip = (list: HitList, count: number): void => {
    list.skip(count)
    if (list.left === 0) open.splice(open.indexOf(list), 1)
  }
  let ahead = offset
  while (ahead > 0 && open.length > 0) {
    // Of the hits at the ends of equal steps the least has no more than `ahead` before it: its step is skipped.
    const step = Math.max(1, Math.floor(ahead / open.length))
    const endOf = (list: HitList): Hit => list.ahead(Math.min(step, list.left) - 1)
    let least = open[0]
    let end = endOf(least)
    for (let i = 1; i < open.length; i++) {
      const other = endOf(open[i])
      if (compare(other, end) < 0) {
        least = open[i]
        end = other
      }
    }
    const skipped = Math.min(step, least.left)
    ahead -= skipped
    skip(least, skipped)
  }
  for (let left = limit; left > 0 && open.length > 0; left--) {
    let first = open[0]
    for (let i = 1; i < open.length; i++) if (compare(open[i].head, first.head) < 0) first = open[i]
    visit(first.head)
    skip(first, 1)
  }
}
