import { processAge, processMemory } from '@hotpath/platform'

/** The kernel walks all pages of a process for a reading: 1 to 10 ms. A status is asked for many times a second while a scan runs. */
const READING_AGE_MS = 1_000
/** More processes than a store has peers: those of earlier starts are forgotten. */
const MAX_READINGS = 64

/** Anonymous memory of processes in bytes, read at most once a second for each. */
export class MemoryReadings {
  readonly #readings = new Map<number, { readonly bytes: number; readonly atMs: number }>()

  constructor(
    private readonly read = (pid: number) => processMemory(pid).anonymousBytes,
    private readonly nowMs = () => performance.now(),
  ) {}

  /** Throws the error of node:fs if there is no such process and it was not read lately. */
  of(pid: number): number {
    const last = this.#readings.get(pid)
    const atMs = this.nowMs()
    if (last !== undefined && atMs - last.atMs < READING_AGE_MS) return last.bytes
    if (this.#readings.size >= MAX_READINGS) this.#readings.clear()
    const bytes = this.read(pid)
    this.#readings.set(pid, { bytes, atMs })
    return bytes
  }
}

/** Age of a process in milliseconds and its anonymous memory in bytes (NaN if unknown). A process that has ended has age 0. */
export function processFacts(pid: number, memory: MemoryReadings): { uptimeMs: number; memoryBytes: number } {
  try {
    return { uptimeMs: processAge(pid), memoryBytes: memory.of(pid) }
  } catch {
    return { uptimeMs: 0, memoryBytes: Number.NaN }
  }
}
