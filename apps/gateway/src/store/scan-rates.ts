import type { ScanProgress } from '@hotpath/protocol'

/** Long enough to be calm, short enough to follow a slow disk. */
const WINDOW_MS = 3_000

interface Sample {
  readonly atMs: number
  readonly entries: number
}

/** How fast running scans are, from the reports that pass by. Forgets a scan when another of its root reports. */
export class ScanRates {
  readonly #scans = new Map<string, { epoch: number; samples: Sample[] }>()

  constructor(readonly nowMs: () => number = () => performance.now()) {}

  observe({ root, epoch, entries }: ScanProgress): void {
    const atMs = this.nowMs()
    const known = this.#scans.get(root)
    if (known?.epoch !== epoch) {
      this.#scans.set(root, { epoch, samples: [{ atMs, entries }] })
      return
    }
    const { samples } = known
    if (samples.at(-1)?.entries !== entries) samples.push({ atMs, entries })
    while (samples.length > 2 && atMs - samples[1]!.atMs >= WINDOW_MS) samples.shift()
  }

  /** Entries per second in the last seconds; 0 where it is not known yet. */
  perSecond(scan: ScanProgress): number {
    this.observe(scan)
    const samples = this.#scans.get(scan.root)?.samples ?? []
    const [first] = samples
    const last = samples.at(-1)
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0
    return Math.max(0, ((last.entries - first.entries) * 1000) / (last.atMs - first.atMs))
  }

  forget(root: string): void {
    this.#scans.delete(root)
  }
}
