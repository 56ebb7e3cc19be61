import type { Hit } from './hit.js'

/** Hits of one source in order, as numbers: what they look like is found out when they are compared or shown. */
export class HitList {
  private readonly made = new Map<number, Hit>()

  constructor(
    private readonly entries: ArrayLike<number>,
    private readonly make: (entry: number) => Hit,
  ) {}

  get length(): number {
    return this.entries.length
  }

  at(index: number): Hit {
    let hit = this.made.get(index)
    if (hit === undefined) {
      hit = this.make(this.entries[index])
      this.made.set(index, hit)
    }
    return hit
  }
}

/**
 * Hits `offset` … `offset + limit` of sorted lists together. What comes before is not merged but skipped: some
 * log(offset) · lists² comparisons.
 */
export function mergedHits(
  lists: readonly HitList[],
  offset: number,
  limit: number,
  compare: (a: Hit, b: Hit) => number,
): Hit[] {
  const open = lists.filter(list => list.length > 0).map(list => ({ list, at: 0 }))
  let ahead = offset
  while (ahead > 0 && open.length > 0) {
    // Of the hits at the ends of equal steps the least has no more than `ahead` before it: its step is skipped.
    const step = Math.max(1, Math.floor(ahead / open.length))
    let least = open[0]
    for (const other of open) if (other !== least && compare(endOf(other, step), endOf(least, step)) < 0) least = other
    const skipped = Math.min(step, least.list.length - least.at)
    least.at += skipped
    ahead -= skipped
    if (least.at === least.list.length) open.splice(open.indexOf(least), 1)
  }
  const merged: Hit[] = []
  while (merged.length < limit && open.length > 0) {
    let first = open[0]
    for (const other of open) {
      if (other !== first && compare(other.list.at(other.at), first.list.at(first.at)) < 0) first = other
    }
    merged.push(first.list.at(first.at++))
    if (first.at === first.list.length) open.splice(open.indexOf(first), 1)
  }
  return merged
}

function endOf({ list, at }: { list: HitList; at: number }, step: number): Hit {
  return list.at(Math.min(at + step, list.length) - 1)
}
