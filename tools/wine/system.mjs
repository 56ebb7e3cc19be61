// A whole system under Wine, as a person starts it in a console.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { read } from './tools.mjs'

const READY_MS = 90_000
const STOP_MS = 30_000

/** Supervisor and four processes, with the data directory that Windows gives them. */
export class WineSystem {
  constructor(wine, running, dataDir) {
    this.wine = wine
    this.running = running
    /** As Linux knows it. */
    this.dataDir = dataDir
  }

  /** Starts in a console, and waits until the gateway says where it is. Throws with what was printed if it does not. */
  static async start(wine, name, flags) {
    const local = join(wine.prefix, 'drive_c/users', userOf(wine), 'AppData/Local')
    const script = wine.windowsPath(join(wine.app, 'apps/cli/bin/hotpath.mjs'))
    rmSync(join(local, 'hotpath/endpoints.json'), { force: true })
    const running = wine.console(name, [script, 'start', '--port', '0', ...flags])
    const system = new WineSystem(wine, running, join(local, 'hotpath'))
    if ((await wine.until(() => system.isListening(), READY_MS)) === undefined)
      throw new Error(`not ready: ${system.report()}`)
    return system
  }

  isListening() {
    return existsSync(join(this.dataDir, 'endpoints.json'))
  }

  endpoints() {
    return JSON.parse(readFileSync(join(this.dataDir, 'endpoints.json'), 'utf8'))
  }

  /** An answer of the HTTP interface. */
  async get(path) {
    const token = readFileSync(join(this.dataDir, 'token'), 'latin1').trim()
    const response = await fetch(new URL(path, this.endpoints().http), {
      headers: { authorization: `Bearer ${token}` },
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

  /** All paths of the index, sorted. */
  async paths() {
    const paths = []
    for (;;) {
      const { total, hits } = await this.get(`/api/search?q=&limit=1000&sort=path&offset=${paths.length}`)
      paths.push(...hits.map(({ path }) => path))
      if (hits.length === 0 || paths.length >= total) return paths.sort()
    }
  }

  /** Waits until every root is read whole. */
  settled() {
    return this.wine.until(async () => {
      const { partial, roots } = await this.get('/api/status').catch(() => ({ partial: true, roots: [] }))
      return !partial && roots.length > 0 && roots.every(root => root.scan === undefined || root.scan === null)
    }, READY_MS)
  }

  /** Types Ctrl-C, and waits until none of its processes is left. */
  stop() {
    this.running.type('\x03')
    return this.ended()
  }

  /** Ends what is left after a step that failed. */
  kill() {
    for (const pid of Object.values(this.processes())) process.kill(pid, 'SIGKILL')
  }

  /** Process ids (of Linux) by name of the stage; the supervisor is called `cli`. */
  processes() {
    const found = {}
    for (const pid of this.wine.nodeProcesses()) {
      // It may have ended since it was listed.
      const command = read(`/proc/${pid}/cmdline`)
      const name = /apps[\\/]([a-z-]+)[\\/]/.exec(command)?.[1]
      if (name !== undefined) found[name] = Number(pid)
    }
    return found
  }

  /** Waits until none of its processes is left. */
  ended() {
    return this.wine.until(() => Object.keys(this.processes()).length === 0, STOP_MS)
  }

  /** What it said, for failed checks. */
  report() {
    const logs = join(this.dataDir, 'logs')
    const files = existsSync(logs) ? readdirSync(logs).map(name => join(logs, name)) : []
    const tails = files.map(file => `${file}\n${readFileSync(file, 'utf8').slice(-1500)}`)
    return [this.running.out().slice(-3000), this.running.err(), ...tails].join('\n')
  }
}

function userOf(wine) {
  return readdirSync(join(wine.prefix, 'drive_c/users')).find(name => name !== 'Public')
}
