import { parentPort, workerData } from 'node:worker_threads'
import { doSomething, randomOf } from './random-operations.js'

export interface OperationsWork {
  readonly root: string
  readonly outside: string
  readonly seed: number
  readonly count: number
  readonly links: boolean
}

/** Does random things as fast as it can while somebody else watches, and tells what it did. */
const { root, outside, seed, count, links } = workerData as OperationsWork
const random = randomOf(seed)
const history: string[] = []
for (let i = 0; i < count; i++) history.push(doSomething(root, outside, random, links))
parentPort!.postMessage(history)
