import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, connect } from '@hotpath/client'
import { readEndpointsFile } from '@hotpath/protocol'

const CLI = fileURLToPath(new URL('../../apps/cli/bin/hotpath.mjs', import.meta.url))
const READY_MS = 60_000
const STOP_MS = 20_000

export type StageName = 'scanner' | 'watcher' | 'store' | 'gateway'

/** The real thing: supervisor and four processes over a data directory of their own. */
export class System {
  private constructor(
    readonly dataDir: string,
    readonly url: string,
    private readonly child: ChildProcess,
    readonly client: Client,
    private readonly output: { text: string },
  ) {}

  /**
   * Starts and waits for the URL.
   *
   * @param as a program that becomes the one that follows it
   */
  static async start(
    flags: readonly string[],
    dataDir = mkdtempSync(join(tmpdir(), 'hotpath-e2e-')),
    as: readonly string[] = [],
  ): Promise<System> {
    const command = [...as, process.execPath, CLI, 'start', '--data', dataDir, '--port', '0', ...flags]
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, XDG_RUNTIME_DIR: '', XDG_CONFIG_HOME: join(dataDir, 'no-config') },
    })
    const output = { text: '' }
    child.stderr?.on('data', (chunk: Buffer) => {
      output.text = (output.text + chunk.toString()).slice(-20_000)
    })
    const url = await new Promise<string>((resolve, reject) => {
      let printed = ''
      const timer = setTimeout(() => reject(new Error(`not ready in time:\n${output.text}`)), READY_MS)
      child.stdout?.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
        const found = /http:\/\/\S+/.exec(printed)
        if (found === null) return
        clearTimeout(timer)
        resolve(found[0])
      })
      child.once('exit', code => {
        clearTimeout(timer)
        reject(new Error(`ended with ${code}:\n${output.text}`))
      })
    })
    const client = await connect({ dataDir })
    return new System(dataDir, url, child, client, output)
  }

  get supervisorPid(): number {
    return this.child.pid!
  }

  /** Log of the supervisor so far, for messages of failed tests. */
  get log(): string {
    return this.output.text
  }

  /** Waits until every root has a complete index and nothing is being scanned. */
  async settled(timeoutMs = 120_000): Promise<void> {
    await this.until('the index is complete', timeoutMs, async () => {
      const status = await this.client.status()
      return (
        !status.partial &&
        status.roots.length > 0 &&
        status.roots.every(
          root => root.scan === undefined && (root.fresh.state === 'live' || root.fresh.state === 'unwatched'),
        )
      )
    })
  }

  /** Asks again until the answer is true; failures of the system while parts of it restart count as false. */
  async until(what: string, timeoutMs: number, ask: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + timeoutMs
    let last: unknown
    while (performance.now() < deadline) {
      try {
        if (await ask()) return
        last = undefined
      } catch (error) {
        last = error
      }
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    throw new Error(`${what}: not within ${timeoutMs} ms ${last ?? ''}\n${this.log}`)
  }

  /** All paths of the index with what is known of them. */
  async listing(): Promise<Map<string, { kind: string; size: number | undefined; seconds: number | undefined }>> {
    const entries = new Map<string, { kind: string; size: number | undefined; seconds: number | undefined }>()
    for (;;) {
      const page = await this.client.search({ query: '', limit: 50_000, offset: entries.size, sort: 'path' })
      for (const hit of page.hits) {
        const path = Buffer.from(hit.pathBytes).toString('latin1')
        if (entries.has(path)) throw new Error(`${path} twice`)
        entries.set(path, { kind: hit.kind, size: hit.sizeBytes, seconds: hit.modified?.seconds })
      }
      if (entries.size >= page.total || page.hits.length === 0) {
        if (entries.size !== page.total) throw new Error(`${entries.size} entries listed, total is ${page.total}`)
        return entries
      }
    }
  }

  /** Kills one stage with SIGKILL. @returns its process id */
  kill(stage: StageName): number {
    return this.signal(stage, 'SIGKILL')
  }

  /** Sends a signal to one stage. Only processes that this system started. @returns its process id */
  signal(stage: StageName, signal: NodeJS.Signals): number {
    const pid = this.pidOf(stage)
    if (pid === undefined) throw new Error(`no ${stage} runs\n${this.log}`)
    process.kill(pid, signal)
    return pid
  }

  /** Whether a stage runs now: after a kill it is away for a moment. */
  runs(stage: StageName): boolean {
    return this.pidOf(stage) !== undefined
  }

  /** An answer of the HTTP interface, wherever the gateway listens now. */
  async get<Answer>(path: string): Promise<Answer> {
    return (await (await this.fetch(path)).json()) as Answer
  }

  /** An answer over HTTP, with the token, whose body was not read. */
  async fetch(path: string, signal: AbortSignal | null = null): Promise<Response> {
    const { http } = readEndpointsFile(this.dataDir)
    if (http === undefined) throw new Error('the gateway does not say where it listens')
    const token = readFileSync(join(this.dataDir, 'token'), 'latin1').trim()
    const response = await fetch(new URL(path, http), { headers: { authorization: `Bearer ${token}` }, signal })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }

  /** A clock from `/api/clock` that covers everything that was done before this call. */
  async covered(timeoutMs = 120_000): Promise<string> {
    let clock = ''
    await this.until('a clock covers all roots', timeoutMs, async () => {
      const answer = await this.get<{ clock: string; notCovered: readonly string[] }>('/api/clock')
      clock = answer.clock
      return answer.notCovered.length === 0
    })
    return clock
  }

  /** Waits until the supervisor has started a stage again whose process `killed` was, and queries are answered. */
  async restarted(stage: StageName, killed: number): Promise<void> {
    await this.until(`the ${stage} is back`, 30_000, async () => {
      const pid = this.pidOf(stage)
      if (pid === undefined || pid === killed) return false
      await this.client.search({ query: 'readme', limit: 1 })
      return true
    })
  }

  /** Process id of a stage, undefined while it is away. */
  pidOf(stage: StageName): number | undefined {
    const main = { scanner: 'scanner', watcher: 'journal-watcher', store: 'index-store', gateway: 'gateway' }[stage]
    const children = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, 'latin1').trim().split(' ')
    for (const pid of children.filter(Boolean)) {
      if (commandOf(pid).includes(`/${main}/bundle/main.js`)) return Number(pid)
    }
    return undefined
  }

  /** Ends everything as Ctrl-C does. @returns the exit code */
  async stop(keepData = false): Promise<number | null> {
    await this.client.close()
    let code = this.child.exitCode
    if (code === null) {
      const ended = once(this.child, 'exit')
      this.child.kill('SIGINT')
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS)
      ;[code] = (await ended) as [number | null]
      clearTimeout(timer)
    }
    if (!keepData) rmSync(this.dataDir, { recursive: true, force: true })
    return code
  }
}

/** Command line of a process; empty if it has ended. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
