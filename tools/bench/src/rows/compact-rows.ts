import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Op } from '@hotpath/model'
import { openStore, WorkerSegmentBackend } from '@hotpath/store'
import { type PlainChange, Random } from '@hotpath/testing'
import type { BenchContext } from '../bench-context.js'
import { openCountingStore } from '../counting-store.js'
import { openEngine, readList } from '../engine-index.js'
import { formatCount, formatMegabytes, formatMs } from '../format.js'
import { fileName, fileRow, MadeTree } from '../made-tree.js'
import { timeQuery } from '../query-timing.js'
import { type BenchRow, row } from '../report.js'
import { type Spread, spreadOf } from '../statistics.js'

/** Slices that are merged. */
const SLICES = 8
const MAX_SLICE_ROWS = 1_000_000
const SEED = 4_711
/** Share of new files and of changed ones among the changes; the rest is deleted. */
const NEW_SHARE = 0.5
const CHANGED_SHARE = 0.35
/** Bytes of a row beside its name: kind, size, three times, two refs, when it was observed. */
const ROW_BYTES = 1 + 8 + 3 * 12 + 2 * 12 + 8

/** What compaction costs those who search, and the disk. */
export async function compactRows(context: BenchContext): Promise<BenchRow[]> {
  return [await queriesBeside(context), await amplification(context)]
}

/**
 * The mix while the store's worker thread merges the slices of the corpus into one segment, again and again until each
 * query was asked at least once beside it, and before that without it.
 */
async function queriesBeside(context: BenchContext): Promise<BenchRow> {
  const { listFile, queries, entries } = await context.corpus()
  context.log('queries while segments are merged')
  const directory = join(context.folder, 'compact-index')
  const sliceRows = Math.min(MAX_SLICE_ROWS, Math.max(1_000, Math.ceil(entries / SLICES)))
  const store = await openStore({ directory, sliceRows })
  const backend = new WorkerSegmentBackend()
  try {
    // The files of the slices stay as long as a reader has not given them up.
    store.registerReader()
    await readList(store, listFile)
    // At once: the store itself begins to merge them.
    const sources = store.sizes().map(({ file }) => ({ file, dead: new Uint8Array(0) }))
    const opened = await openEngine(store)
    await store.compact()
    try {
      const some = queries.slice(0, context.scale(400, 30))
      const ask = async (isOver: () => boolean): Promise<number[]> => {
        const times: number[] = []
        for (const query of some) {
          if (isOver()) break
          times.push(timeQuery(opened.engine, query, 'name').totalMs)
          await nextTurn()
        }
        return times
      }
      const never = (): boolean => false
      await ask(never)
      const without = spreadOf(await ask(never))
      const times: number[] = []
      const mergeMs: number[] = []
      while (times.length < some.length) {
        const startedMs = performance.now()
        let isMerged = false
        const merging = backend.merge(sources, new Map(), join(directory, 'merged')).finally(() => {
          isMerged = true
        })
        merging.catch(() => {})
        while (!isMerged) times.push(...(await ask(() => isMerged)))
        await merging
        mergeMs.push(performance.now() - startedMs)
      }
      const beside = spreadOf(times)
      return row({
        id: 'compact.queries',
        what: 'the query mix while slices are merged to one segment, two query workers; without that',
        ours: {
          text: `${line(beside)}; without: ${line(without)}`,
          figures: {
            p50Ms: beside.p50,
            p99Ms: beside.p99,
            maxMs: beside.max,
            withoutP50Ms: without.p50,
            withoutP99Ms: without.p99,
            withoutMaxMs: without.max,
            searches: beside.count,
            mergeP50Ms: spreadOf(mergeMs).p50,
            merges: mergeMs.length,
            slices: sources.length,
          },
        },
        notes: [
          `page and exact total over ${sources.length} slices, ${formatCount(beside.count)} searches with ${some.length} of the queries; ` +
            `a merge took ${formatMs(spreadOf(mergeMs).p50)} beside them (median of ${mergeMs.length})`,
        ],
      })
    } finally {
      await opened.close()
    }
  } finally {
    await backend.stop()
    await store.close()
    rmSync(directory, { recursive: true })
  }
}

function line({ p50, p99 }: Spread): string {
  return `p50 ${formatMs(p50)}, p99 ${formatMs(p99)}`
}

/** Bytes written for a stream of changes to a tree, with the flushes and compactions that it causes. */
async function amplification(context: BenchContext): Promise<BenchRow> {
  const files = context.scale(1_000_000, 10_000)
  const changes = context.scale(500_000, 4_000)
  const batchRows = context.scale(1_000, 100)
  const flushRows = context.scale(32_768, 400)
  context.log('a stream of changes')
  const directory = join(context.folder, 'stream-index')
  const { store, written } = await openCountingStore({ directory, flushRows })
  try {
    const tree = await MadeTree.make(store, files)
    await store.compact()
    const before = { ...written }
    const random = new Random(SEED)
    const gone = new Set<number>()
    let payload = 0
    let next = files
    const change = (): PlainChange => {
      const kind = random.below(1_000) / 1_000
      let file = random.below(files)
      while (gone.has(file)) file = random.below(files)
      const { parentRef, inode } = tree.placeOf(file)
      const observed = tree.tick()
      if (kind < NEW_SHARE) {
        const own = next++
        return { op: Op.present, parentRef, name: fileName(own), row: fileRow(own + files * 2, own), observed }
      }
      const name = fileName(file)
      if (kind < NEW_SHARE + CHANGED_SHARE)
        return { op: Op.present, parentRef, name, row: fileRow(inode, next), observed }
      gone.add(file)
      return { op: Op.absent, parentRef, name, observed }
    }
    const startedMs = performance.now()
    for (let sent = 0; sent < changes; sent += batchRows) {
      const batch = Array.from({ length: batchRows }, change)
      for (const { name } of batch) payload += name.length + ROW_BYTES
      await (await tree.apply(batch)).durable
    }
    await store.flush()
    const tookMs = performance.now() - startedMs
    const bytes = {
      segments: written.segments - before.segments,
      wal: written.wal - before.wal,
      manifest: written.manifest - before.manifest,
      tombstones: written.tombstones - before.tombstones,
    }
    const all = bytes.segments + bytes.wal + bytes.manifest + bytes.tombstones
    const ratio = all / payload
    const per = (part: number): string => (part / payload).toFixed(2)
    return row({
      id: 'compact.amplification',
      what: `bytes written for each byte of entries, ${formatCount(changes)} changes to a tree of ${formatCount(files)} files`,
      ours: {
        text:
          `${ratio.toFixed(2)}: segments ${per(bytes.segments)}, log ${per(bytes.wal)}, tombstones ${per(bytes.tombstones)}, ` +
          `manifest ${per(bytes.manifest)}`,
        figures: {
          amplification: ratio,
          segmentBytes: bytes.segments,
          walBytes: bytes.wal,
          tombstoneBytes: bytes.tombstones,
          manifestBytes: bytes.manifest,
          entryBytes: payload,
          changesPerSecond: (changes / tookMs) * 1000,
          segments: store.sizes().length,
        },
      },
      notes: [
        `half new files, ${CHANGED_SHARE * 100} % changed ones, the rest deleted, ${formatCount(batchRows)} in a batch, each durable before ` +
          `the next; flushed at ${formatCount(flushRows)} rows; ${formatMegabytes(payload)} of entries (names and ${ROW_BYTES} bytes a row); ` +
          `${store.sizes().length} segments at the end; ${formatMs(tookMs)}`,
      ],
    })
  } finally {
    await store.close()
    rmSync(directory, { recursive: true })
  }
}
