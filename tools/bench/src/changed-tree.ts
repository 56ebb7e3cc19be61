import { appendFileSync, closeSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@hotpath/client'
import { UnavailableError } from '@hotpath/model'

const DIRECTORY_FILES = 500
const GROWN_BYTES = 7
/** Files of each kind of change whose path and size are compared. */
const SAMPLES = 10

/** A tree of files whose names say what becomes of them. */
export class ChangedTree {
  /** Changes of each of four kinds. */
  private readonly each: number

  /**
   * @param unchanged files that stay as they are
   * @param changes that `change` makes, rounded up to a multiple of four
   */
  constructor(
    readonly folder: string,
    private readonly unchanged: number,
    changes: number,
  ) {
    this.each = Math.ceil(changes / 4)
  }

  /** Makes the files: those that stay as they are, and those that `change` will change. */
  make(): void {
    this.fill('stays', this.unchanged)
    for (const fate of ['goes', 'moves', 'grows']) this.fill(fate, this.each)
    for (let i = 0; i < this.each; i += DIRECTORY_FILES) {
      for (const fate of ['moved', 'comes']) mkdirSync(this.directoryOf(fate, i), { recursive: true })
    }
  }

  get changes(): number {
    return this.each * 4
  }

  /** A quarter of the changes is of each kind: files that come, go, are moved to another directory, and are written to. */
  change(): void {
    for (let i = 0; i < this.each; i++) {
      closeSync(openSync(this.pathOf('comes', i), 'w'))
      rmSync(this.pathOf('goes', i))
      renameSync(this.pathOf('moves', i), this.pathOf('moved', i))
      appendFileSync(this.pathOf('grows', i), 'x'.repeat(GROWN_BYTES))
    }
  }

  /**
   * Resolves with the time (performance.now) at which all totals were those after `change`, or with what is still wrong.
   * @throws UnavailableError if the totals are right, and a file of the sample has another path or size
   */
  async becomesEqual(client: Client, giveUpMs: number): Promise<number | string> {
    const deadlineMs = performance.now() + giveUpMs
    for (;;) {
      const wrong = await this.firstWrong(client)
      const nowMs = performance.now()
      if (wrong === undefined) {
        await this.checkSample(client)
        return nowMs
      }
      if (nowMs > deadlineMs) return wrong
      await delay(5)
    }
  }

  private async firstWrong(client: Client): Promise<string | undefined> {
    const totals: [query: string, total: number][] = [
      ['file:stays-', this.unchanged],
      ['file:comes-', this.each],
      ['file:goes-', 0],
      ['file:moves-', 0],
      ['file:moved-', this.each],
      [`file:grows- size:${GROWN_BYTES}`, this.each],
    ]
    for (const [query, expected] of totals) {
      const { total } = await client.search({ query, countOnly: true })
      if (total !== expected) return `${total} of ${expected} hits of ${query}`
    }
    return undefined
  }

  private async checkSample(client: Client): Promise<void> {
    const step = Math.max(1, Math.floor(this.each / SAMPLES))
    const sample = [
      ['comes', 0],
      ['moved', 0],
      ['grows', GROWN_BYTES],
    ] as const
    for (const [fate, size] of sample) {
      for (let i = 0; i < this.each; i += step) {
        const { hits } = await client.search({ query: `file:${nameOf(fate, i)}`, limit: 2 })
        const found = hits.map(({ path, sizeBytes }) => `${path} ${sizeBytes}`).join()
        const expected = `${this.pathOf(fate, i)} ${size}`
        if (found !== expected) throw new UnavailableError(`found ${found || 'nothing'}, expected ${expected}`)
      }
    }
  }

  private fill(fate: string, count: number): void {
    for (let i = 0; i < count; i++) {
      if (i % DIRECTORY_FILES === 0) mkdirSync(this.directoryOf(fate, i), { recursive: true })
      closeSync(openSync(this.pathOf(fate, i), 'w'))
    }
  }

  private directoryOf(fate: string, i: number): string {
    return join(this.folder, `${fate}-${Math.floor(i / DIRECTORY_FILES)}`)
  }

  private pathOf(fate: string, i: number): string {
    return join(this.directoryOf(fate, i), nameOf(fate, i))
  }
}

function nameOf(fate: string, i: number): string {
  return `${fate}-${i}.txt`
}
