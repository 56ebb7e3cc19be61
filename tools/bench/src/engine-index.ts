import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { MessageChannel, Worker } from 'node:worker_threads'
import { Engine, KernelSegmentOpener, VerifyCrew } from '@hotpath/engine'
import { ListParser } from '@hotpath/file-list'
import { loadWasm } from '@hotpath/kernels'
import type { EntryColumns } from '@hotpath/model'
import { openStore, type SegmentSizes, type Store } from '@hotpath/store'
import type { CrewWorkerStart } from './crew-worker.js'

export interface EngineIndex {
  readonly store: Store
  readonly entries: number
  /** From opening the list until all of it can be searched. */
  readonly buildMs: number
  /** Processor time of this process meanwhile, all threads. */
  readonly buildCpuMs: number
  readonly slices: number
  /** Merging the slices to one segment afterwards. */
  readonly mergeMs: number
  readonly sizes: readonly SegmentSizes[]
}

/** Compiled, also where this file is run from its source by a test. */
const WORKER = new URL('../dist/crew-worker.js', import.meta.url)

const ROOT = 'list'
const NOTHING_LISTED = { directory: new Uint32Array(0), observed: new Float64Array(0) }
/** As the scanner reads lists. */
const READ_BYTES = 256 * 1024

/** Rows of a list as other rows: with further columns. */
export type ChangeRows = (rows: EntryColumns) => EntryColumns

/**
 * Parses a list into a new store in this process, as scanner and index store do it in two, and merges it.
 * @param change makes other rows of those of the list
 */
export async function buildEngineIndex(
  listFile: string,
  directory: string,
  change: ChangeRows = rows => rows,
): Promise<EngineIndex> {
  const store = await openStore({ directory })
  const startedMs = performance.now()
  const cpuBefore = process.cpuUsage()
  const entries = await readList(store, listFile, change)
  const buildMs = performance.now() - startedMs
  const { user, system } = process.cpuUsage(cpuBefore)
  const slices = store.sizes().length
  const mergeStartedMs = performance.now()
  await store.compact()
  return {
    store,
    entries,
    buildMs,
    buildCpuMs: (user + system) / 1000,
    slices,
    mergeMs: performance.now() - mergeStartedMs,
    sizes: store.sizes(),
  }
}

/** Resolves with the number of entries when all of the list can be searched; its slices are merged behind that. */
export async function readList(store: Store, listFile: string, change: ChangeRows = rows => rows): Promise<number> {
  const place = { volume: ROOT, prefix: new Uint8Array(0), virtualRoot: true }
  await store.addRoot({ id: ROOT, kind: 'list', path: listFile }, place)
  const epoch = await store.beginScan(ROOT, { bootId: 'bench', startedAt: 0, partial: true })
  const parser = new ListParser({ format: 'auto' })
  let sequence = 0
  const add = async (batches: readonly EntryColumns[]): Promise<void> => {
    for (const batch of batches) await store.addEntries(epoch, ++sequence, change(batch), NOTHING_LISTED).received
  }
  for await (const chunk of createReadStream(listFile, { highWaterMark: READ_BYTES })) await add(parser.push(chunk))
  await add(parser.end())
  const { entries } = await store.endScan(epoch, { lastSequence: sequence })
  return entries
}

/** The engine as a query worker has it. */
export interface QueryEngine {
  readonly engine: Engine
  close(): Promise<void>
}

/** A replica of the store's state in this thread, and another thread that helps it as query workers help each other. */
export async function openEngine(store: Store): Promise<QueryEngine> {
  const ops = store.snapshotOps()
  const { port1, port2 } = new MessageChannel()
  const workerData: CrewWorkerStart = { ops, port: port2 }
  const worker = new Worker(WORKER, { workerData, transferList: [port2] })
  await once(worker, 'message')
  const fail = (_view: number, _segment: number, error: Error): never => {
    throw error
  }
  const engine = new Engine(new KernelSegmentOpener(loadWasm(), new VerifyCrew([port1])), () => {}, fail)
  engine.apply(ops)
  return {
    engine,
    async close() {
      engine.close()
      port1.close()
      const ended = once(worker, 'exit')
      worker.postMessage('stop')
      await ended
    },
  }
}
