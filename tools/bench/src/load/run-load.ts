import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LoadPlan, LoadResult } from './load-plan.js'

const SCRIPT = fileURLToPath(new URL('./load-client.js', import.meta.url))
/** Beyond the time of the plan: to start, connect, and be answered. */
const GRACE_MS = 30_000

/** Runs one process for each plan, all at the same time. @throws Error if one of them fails or does not end */
export async function runLoad(plans: readonly LoadPlan[]): Promise<LoadResult> {
  const results = await Promise.all(plans.map(runOne))
  return {
    latenciesMs: results.flatMap(({ latenciesMs }) => latenciesMs),
    cached: results.reduce((sum, { cached }) => sum + cached, 0),
    replaced: results.reduce((sum, { replaced }) => sum + replaced, 0),
    errors: results.flatMap(({ errors }) => errors),
  }
}

async function runOne(plan: LoadPlan): Promise<LoadResult> {
  const child = spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] })
  const killer = setTimeout(() => child.kill('SIGKILL'), plan.durationMs + GRACE_MS)
  try {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    // Whoever ends early does not read: its exit code says more.
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify(plan))
    const [code, signal] = await once(child, 'close')
    if (code !== 0) throw new Error(`a process of clients ended with ${code ?? signal}`)
    return JSON.parse(text)
  } finally {
    clearTimeout(killer)
  }
}
