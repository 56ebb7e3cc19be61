import { copyFileSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Engine, KernelSegmentOpener } from '@hotpath/engine'
import { loadWasm } from '@hotpath/kernels'
import type { EngineOp } from '@hotpath/model'
import { evictFile, type Residency, residencyOf } from '@hotpath/platform'
import type { Store } from '@hotpath/store'

/** What opening asked for is there once the resident pages stay the same for so long. */
const SETTLE_STEP_MS = 15
const SETTLE_STEPS = 100

/**
 * A query worker over copies of a store's segments, which it can make the kernel forget: the files themselves are mapped
 * by the store, and pages that are mapped stay in memory. The program, its tables and the processor stay warm.
 */
export class ColdEngine {
  readonly engine: Engine
  private readonly ops: readonly EngineOp[]
  private readonly files: string[] = []

  constructor(store: Store, folder: string) {
    mkdirSync(folder, { recursive: true })
    this.ops = store.snapshotOps().map(op => {
      if (op.op !== 'addSegment') return op
      const file = join(folder, basename(op.file))
      copyFileSync(op.file, file)
      this.files.push(file)
      return { ...op, file }
    })
    const fail = (_view: number, _segment: number, error: Error): never => {
      throw error
    }
    this.engine = new Engine(new KernelSegmentOpener(loadWasm()), () => {}, fail)
    this.engine.apply(this.ops)
  }

  /** Closes the segments, evicts their pages and opens them anew. @returns what stayed in memory before they were opened */
  async restart(): Promise<Residency> {
    this.engine.close()
    const left = this.files.map(evictFile).reduce(sum)
    this.engine.apply(this.ops)
    await this.settle()
    return left
  }

  residency(): Residency {
    return this.files.map(residencyOf).reduce(sum)
  }

  close(): void {
    this.engine.close()
  }

  private async settle(): Promise<void> {
    let before = -1
    for (let step = 0; step < SETTLE_STEPS; step++) {
      const { residentPages } = this.residency()
      if (residentPages === before) return
      before = residentPages
      await delay(SETTLE_STEP_MS)
    }
  }
}

function sum(a: Residency, b: Residency): Residency {
  return { residentPages: a.residentPages + b.residentPages, pages: a.pages + b.pages }
}
