import { parentPort, workerData } from 'node:worker_threads'
import { createDirectoryReader, takeIdlePriority } from '@hotpath/platform'
import { ExclusionRules } from '../exclusion/exclusion-rules.js'
import { DirectoryWalker } from '../walk/directory-walker.js'
import { MountPolicy } from '../walk/mount-policy.js'
import { VisitedSet } from '../walk/visited-set.js'
import type { DeferredMount, WalkHost } from '../walk/walk-host.js'
import { inOrderOfPaths, WalkOrder } from '../walk/walk-order.js'
import { openRoot, pseudoFileSystemOf, ROOT_NUMBER } from '../walk/walk-root.js'
import {
  CheckCell,
  type CheckCounters,
  type CheckJobData,
  type FromCheckWorker,
  MAX_CHECK_BATCHES_ON_THE_WAY,
} from './check-messages.js'
import { CheckSink } from './check-sink.js'
import { EntryRate } from './entry-rate.js'

/** As for scans. */
const MAX_AGE_MICROS = 250_000
/** Nobody waits, and each batch wakes two processes. */
const MAX_BACKGROUND_AGE_MICROS = 10_000_000

const data = workerData as CheckJobData
const cells = new Int32Array(data.shared)
const post = (message: FromCheckWorker) => parentPort!.postMessage(message)

try {
  if (data.isBackground) {
    const parts = takeIdlePriority()
    if (parts.length > 0) post({ type: 'refused', parts })
  }
  post({ type: 'end', counters: check() })
} catch (failure) {
  post({ type: 'failure', failure })
}

/** Reads everything, in this thread alone; between directories it may wait. */
function check(): CheckCounters {
  const path = Buffer.from(data.root).toString()
  const root = openRoot(path, data.readerMode)
  if (pseudoFileSystemOf(root.realRoot) !== undefined) return { directories: 0, entries: 0, skipped: 1 }
  const order = new WalkOrder(data.after)
  const rate = new EntryRate(data.entriesPerSecond, ms => Atomics.wait(cells, CheckCell.stop, 0, ms))
  const mounts: DeferredMount[] = []
  const isStopped = () => Atomics.load(cells, CheckCell.stop) !== 0
  let nextNumber = ROOT_NUMBER
  let skipped = 0
  const sink = new CheckSink({
    root: data.root,
    isFull: data.isFull,
    namesOnly: data.namesOnly,
    maxAgeMicros: data.isBackground ? MAX_BACKGROUND_AGE_MICROS : MAX_AGE_MICROS,
    onBatch(batch) {
      waitWhile(CheckCell.onTheWay, now => now >= MAX_CHECK_BATCHES_ON_THE_WAY && !isStopped())
      if (isStopped()) return
      Atomics.add(cells, CheckCell.onTheWay, 1)
      post({ type: 'batch', batch })
    },
  })
  const host: WalkHost = {
    nextNumber: () => ++nextNumber,
    handOver() {},
    problem({ isDirectory }) {
      if (isDirectory) skipped++
    },
    wantsDonation: () => false,
    donate: group => walker.push(group),
    defer(mount) {
      // What is reached by another way is known only to who has read everything.
      if (!order.isWhole) {
        skipped++
        sink.leaveOut()
        return
      }
      sink.hold()
      mounts.push(mount)
    },
    directoryDone(entries) {
      waitWhile(CheckCell.paused, paused => paused !== 0 && !isStopped())
      rate.spend(entries + 1)
    },
    isStopped,
  }
  const reader = createDirectoryReader(data.root, { mode: data.readerMode })
  const walker = new DirectoryWalker(
    {
      reader,
      rules: new ExclusionRules({ root: data.root, excludes: data.excludes, directories: data.excludedDirectories }),
      mounts: new MountPolicy({
        root: root.realRoot,
        rootDevice: root.device,
        rootVolume: root.volume,
        crossDevices: data.crossDevices,
      }),
      namesOnly: data.namesOnly || !data.isFull,
      sink,
      asksDirectories: true,
      order,
    },
    host,
  )
  try {
    host.directoryDone(0)
    walker.push(root.group)
    walker.run()
    if (mounts.length > 0) walker.runDeferred(inOrderOfPaths(mounts), new VisitedSet([walker.visited()]))
    sink.finish()
  } finally {
    reader.close()
  }
  return { directories: sink.directories, entries: sink.entries, skipped }
}

function waitWhile(cell: number, isSo: (value: number) => boolean): void {
  for (let now = Atomics.load(cells, cell); isSo(now); now = Atomics.load(cells, cell)) Atomics.wait(cells, cell, now)
}
