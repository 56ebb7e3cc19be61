import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import { createDirectoryReader, type DirectoryReader } from '@hotpath/platform'
import { ExclusionRules } from '../exclusion/exclusion-rules.js'
import { scopeOfChain } from '../exclusion/ignore-scope.js'
import { BatchBuilder } from './batch-builder.js'
import { DirectoryWalker } from './directory-walker.js'
import { MountPolicy } from './mount-policy.js'
import { VisitedSet } from './visited-set.js'
import type { DeferredMount, WalkHost } from './walk-host.js'
import {
  CELLS_PER_THREAD,
  Cell,
  type FromWorker,
  type JobEnd,
  MAX_BATCHES_ON_THE_WAY,
  type ToThread,
  type ToWorker,
  type WalkJobData,
} from './walk-messages.js'

/** Until the next job, or the end of the pool. */
parentPort!.on('message', (message: ToThread) => {
  if (message.type === 'close') parentPort!.close()
  else parentPort!.postMessage(endOf(message.data))
})

/** Does a job to its end; a failure is part of what it returns, so that the thread lives on. */
function endOf(data: WalkJobData): JobEnd {
  let reader: DirectoryReader | undefined
  try {
    reader = createDirectoryReader(data.root, { mode: data.readerMode, accessLists: data.access })
    walk(data, reader)
    return {}
  } catch (failure) {
    return { failure }
  } finally {
    reader?.close()
    data.port.close()
  }
}

/**
 * The part of this thread in one walk. It does not return to the event loop before the end: it waits on shared cells
 * and takes messages when it wants them, so a directory costs system calls and nothing else.
 */
function walk(data: WalkJobData, reader: DirectoryReader): void {
  const cells = new Int32Array(data.shared)
  const onTheWay = Cell.perThread + data.thread * CELLS_PER_THREAD
  const sent = onTheWay + 1

  /** Where mounts that are met go: to the main thread, or while mounts are walked, to the end of that list. */
  let mountList: DeferredMount[] | undefined

  const builder = new BatchBuilder(data.namesOnly, data.access)

  const host: WalkHost = {
    nextNumber: () => Atomics.add(cells, Cell.nextNumber, 1),
    handOver() {
      for (
        let now = Atomics.load(cells, onTheWay);
        now >= MAX_BATCHES_ON_THE_WAY;
        now = Atomics.load(cells, onTheWay)
      ) {
        if (host.isStopped()) return
        Atomics.wait(cells, onTheWay, now)
      }
      Atomics.add(cells, onTheWay, 1)
      const batch = builder.take()
      post({ type: 'batch', batch }, [batch.buffer])
    },
    problem: problem => post({ type: 'problem', problem }),
    wantsDonation: () => Atomics.load(cells, Cell.hungry) > 0,
    donate({ scope, ...group }) {
      // Until the main thread has counted again, nobody else needs to give for the same one.
      const hungry = Atomics.load(cells, Cell.hungry)
      if (hungry > 0) Atomics.compareExchange(cells, Cell.hungry, hungry, hungry - 1)
      post({ type: 'donation', group: { ...group, rules: scope?.chain() ?? [] } })
    },
    defer(mount) {
      if (mountList !== undefined) mountList.push(mount)
      else {
        // The row of its directory must arrive first.
        walker.flush()
        post({ type: 'mount', mount })
      }
    },
    directoryDone() {},
    isStopped: () => Atomics.load(cells, Cell.stop) !== 0,
  }

  const walker = new DirectoryWalker(
    {
      reader,
      rules: new ExclusionRules({ root: data.root, excludes: data.excludes, directories: data.excludedDirectories }),
      mounts: new MountPolicy({
        root: data.realRoot,
        rootDevice: data.rootDevice,
        rootVolume: data.rootVolume,
        crossDevices: data.crossDevices,
      }),
      namesOnly: data.namesOnly,
      sink: builder,
    },
    host,
  )

  function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
    data.port.postMessage(message, transfer)
  }

  /** The next message; waits for it. */
  function receive(): ToWorker {
    for (;;) {
      const count = Atomics.load(cells, sent)
      const received = receiveMessageOnPort(data.port)
      if (received !== undefined) return received.message as ToWorker
      if (host.isStopped()) return { type: 'end' }
      Atomics.wait(cells, sent, count)
    }
  }

  function handle(message: ToWorker): void {
    if (message.type === 'visited?') {
      const triples = walker.visited()
      post({ type: 'visited', triples }, [triples.buffer])
    } else if (message.type === 'groups') {
      for (const { rules, ...group } of message.groups) walker.push({ ...group, scope: scopeOfChain(rules) })
      walker.run()
      post({ type: 'idle' })
    } else if (message.type === 'mounts') {
      mountList = [...message.mounts]
      walker.runDeferred(mountList, new VisitedSet(message.visited))
      post({ type: 'idle' })
    }
  }

  for (let message = receive(); message.type !== 'end'; message = receive()) handle(message)
}
