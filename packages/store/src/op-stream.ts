import type { EngineOp } from '@hotpath/model'
import { Listeners } from './listeners.js'

/** Lists of operations on their way to query workers: each list is one atomic step, and all get all lists in order. */
export class OpStream {
  private readonly listeners = new Listeners<[ops: EngineOp[]]>()

  /** A step that changes nothing for queries is not told. */
  emit(ops: EngineOp[]): void {
    if (ops.length > 0) this.listeners.tell(ops)
  }

  /** @returns stops that */
  listen(listener: (ops: EngineOp[]) => void): () => void {
    return this.listeners.add(listener)
  }
}
