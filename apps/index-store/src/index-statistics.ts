import type { FolderSizes, TypeSums } from '@hotpath/engine'
import { sectionName } from '@hotpath/index-format'
import { MAX_CHILDREN, type SizesReply, type SizesRequest, type StatisticsReply } from '@hotpath/protocol'
import type { SegmentSizes, Store } from '@hotpath/store'
import type { ChangeRate } from './change-rate.js'
import type { IndexClock } from './index-clock.js'
import type { QueryPool } from './query/query-pool.js'

/** Children of a directory in an answer, where nobody asks for another number. */
const CHILDREN = 200
/** Answers of one clock that are kept: a person goes up and down in a tree. */
const MOST_KEPT = 64

/** What people ask about the whole index. Answers are kept while nothing changes. */
export class IndexStatistics {
  private readonly sizesAtClock = new Map<string, Promise<FolderSizes | undefined>>()
  private typesAtClock: Promise<readonly TypeSums[]> | undefined
  private clockOfKept = ''

  constructor(
    private readonly store: Store,
    private readonly pool: QueryPool,
    private readonly clock: IndexClock,
    private readonly changes: ChangeRate,
  ) {}

  async statistics(): Promise<StatisticsReply> {
    const clock = this.forgetOld()
    this.typesAtClock ??= this.pool.measure({ kind: 'types' }).catch((error: unknown) => {
      this.typesAtClock = undefined
      throw error
    })
    const types = await this.typesAtClock
    const segments = this.store.sizes()
    return {
      clock,
      types: types.map(({ type, count, size }) => ({ type, count, size: wholeBytes(size) })),
      sections: sectionsOf(segments),
      segments: segments.map(({ root, directories, files, stubs, sizeBytes }) => ({
        root,
        entries: directories - stubs + files,
        bytes: sizeBytes,
      })),
      changesPerMinute: this.changes.perMinute(),
    }
  }

  async sizes({ path, limit }: SizesRequest): Promise<SizesReply> {
    const clock = this.forgetOld()
    const children = Math.min(limit || CHILDREN, MAX_CHILDREN)
    const key = `${children} ${Buffer.from(path).toString('latin1')}`
    let known = this.sizesAtClock.get(key)
    if (known === undefined) {
      known = this.pool.measure({ kind: 'sizes', path: path.length > 0 ? path : undefined, limit: children })
      this.sizesAtClock.set(key, known)
      known.catch(() => this.sizesAtClock.delete(key))
    }
    return sizesReply(clock, await known)
  }

  /** @returns the clock now, for which alone answers are kept */
  private forgetOld(): string {
    const now = this.clock.now()
    if (now !== this.clockOfKept || this.sizesAtClock.size >= MOST_KEPT) {
      this.sizesAtClock.clear()
      this.typesAtClock = undefined
      this.clockOfKept = now
    }
    return now
  }
}

function sectionsOf(segments: readonly SegmentSizes[]) {
  const bytes = new Map<string, number>()
  for (const { sections } of segments) {
    for (const { tag, sizeBytes } of sections) bytes.set(tag, (bytes.get(tag) ?? 0) + sizeBytes)
  }
  return [...bytes]
    .map(([section, sum]) => ({ section, ...sectionName(section), bytes: sum }))
    .sort((a, b) => b.bytes - a.bytes)
}

function sizesReply(clock: string, sizes: FolderSizes | undefined): SizesReply {
  const found = sizes !== undefined
  const { path, count, size, children, rest } = sizes ?? {
    path: new Uint8Array(0),
    count: 0,
    size: 0,
    children: [],
    rest: { count: 0, size: 0 },
  }
  return {
    clock,
    found,
    path,
    count,
    size: wholeBytes(size),
    children: children.map(child => ({
      path: child.path,
      nameStart: Math.max(0, child.path.length - child.name.length),
      directory: child.isDirectory,
      count: child.count,
      size: wholeBytes(child.size),
    })),
    restCount: rest.count,
    restSize: wholeBytes(rest.size),
  }
}

/** Lists may say of a few rows that they take more bytes than a number holds. */
function wholeBytes(size: number): number {
  return Math.max(0, Math.min(size, Number.MAX_SAFE_INTEGER))
}
