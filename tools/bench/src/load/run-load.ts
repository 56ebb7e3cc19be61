import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { LoadPlan, LoadResult } from './load-plan.js'

const SCRIPT = fileURLToPath(new URL('./load-client.js', import.meta.url))
/** Beyond the time of the plan: to start, connect, and be answered. */
const GRACE_MS = 30_000

/**
 * Runs one process for each plan; all begin when the last of them is connected: how programs start would be measured otherwise.
 *
 * @throws Error if one of them fails or does not end
 */
export async function runLoad(plans: readonly LoadPlan[]): Promise<LoadResult> {
  const runs = plans.map(plan => new ClientProcess(plan))
  try {
    await Promise.all(runs.map(run => run.connected()))
    const results = await Promise.all(runs.map(run => run.result()))
    return {
      latenciesMs: results.flatMap(({ latenciesMs }) => latenciesMs),
      cached: results.reduce((sum, { cached }) => sum + cached, 0),
      replaced: results.reduce((sum, { replaced }) => sum + replaced, 0),
      errors: results.flatMap(({ errors }) => errors),
    }
  } finally {
    for (const run of runs) run.kill()
  }
}

class ClientProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #closed: Promise<unknown[]>
  readonly #lines: AsyncIterator<string>
  readonly #killer: NodeJS.Timeout

  constructor(plan: LoadPlan) {
    this.#child = spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#closed = once(this.#child, 'close')
    this.#killer = setTimeout(() => this.kill(), plan.durationMs + GRACE_MS)
    // Whoever ends early does not read: its exit code says more.
    this.#child.stdin.on('error', () => {})
    this.#child.stdin.write(`${JSON.stringify(plan)}\n`)
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async connected(): Promise<void> {
    const { done } = await this.#lines.next()
    if (done) await this.#failed()
  }

  /** Begins. */
  async result(): Promise<LoadResult> {
    this.#child.stdin.end('begin\n')
    const { value, done } = await this.#lines.next()
    if (done) await this.#failed()
    await this.#closed
    return JSON.parse(value)
  }

  kill(): void {
    clearTimeout(this.#killer)
    this.#child.kill('SIGKILL')
  }

  async #failed(): Promise<never> {
    const [code, signal] = await this.#closed
    throw new Error(`a process of clients ended with ${code ?? signal}`)
  }
}
