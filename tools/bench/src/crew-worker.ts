import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type CrewTask, Engine, KernelSegmentOpener } from '@hotpath/engine'
import { loadWasm } from '@hotpath/kernels'
import type { EngineOp } from '@hotpath/model'

/** What a second query worker is started with. */
export interface CrewWorkerStart {
  readonly ops: readonly EngineOp[]
  readonly port: MessagePort
}

/** A second query worker: has the same segments, and helps the searches of the first as it does in the index store. */
const { ops, port } = workerData as CrewWorkerStart
const engine = new Engine(
  new KernelSegmentOpener(loadWasm()),
  () => {},
  (_view, _segment, error) => {
    throw error
  },
)
engine.apply(ops)
port.on('message', (task: CrewTask) => engine.help(task))
parentPort?.once('message', () => {
  engine.close()
  port.close()
})
parentPort?.postMessage('ready')
