import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { formatMegabytes } from './format.js'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
}

export function thisMachine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
  }
}

export function formatMachine({ cpu, cores, memoryBytes, kernel, node }: Machine): string {
  return `${cpu}, ${cores} cores, ${formatMegabytes(memoryBytes)} of memory, ${kernel}, Node ${node}`
}

/** Processes that wanted to run, averaged over one, five and fifteen minutes. */
export function loadNow(): readonly number[] {
  return loadavg()
}
