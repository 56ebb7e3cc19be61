// What steps work with: checks that are counted, and programs that run under Wine in a prefix of their own.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const COMMAND_MS = 60_000
const PREFIX_MS = 180_000

/** Counts checks; each prints a line. */
export class Checks {
  passed = 0
  failed = 0

  /** `found` must be true, or else `detail` says why. */
  that(name, found, detail = '') {
    if (found === true) this.passed++
    else this.failed++
    process.stdout.write(`${found === true ? 'ok' : 'not ok'} - ${name}\n`)
    if (found !== true && detail !== '') process.stdout.write(`${String(detail).replace(/^/gm, '    ')}\n`)
  }

  /** Both as JSON. */
  equal(name, found, expected) {
    const [left, right] = [JSON.stringify(found), JSON.stringify(expected)]
    this.that(name, left === right, `found ${left?.slice(0, 2000)}\nexpected ${right?.slice(0, 2000)}`)
  }

  /** What a step throws is a failed check. */
  async step(name, run) {
    try {
      await run()
    } catch (error) {
      this.that(name, false, error?.stack ?? error)
    }
  }
}

/** A prefix of Wine, and what runs in it. */
export class Wine {
  #files = 0

  constructor(root, app, scratch) {
    this.root = root
    this.app = app.path
    this.nodePath = app.node
    /** For whatever steps write; removed at the end. */
    this.scratch = scratch
    this.prefix = join(scratch, 'prefix')
    this.environment = {
      PATH: process.env.PATH,
      // Wine links the directories of a user to those in HOME.
      HOME: join(scratch, 'home'),
      LANG: 'C.UTF-8',
      WINEPREFIX: this.prefix,
      WINEARCH: 'win64',
      WINEDEBUG: '-all',
      WINEDLLOVERRIDES: 'mscoree,mshtml=',
    }
  }

  /** Makes the prefix: Windows 10, and no debugger for programs that crash, which would hide their exit codes. */
  static async start(root, app) {
    const wine = new Wine(root, app, mkdtempSync(join(tmpdir(), 'hotpath-wine-')))
    mkdirSync(wine.environment.HOME)
    const debug = 'HKLM\\Software\\Microsoft\\Windows NT\\CurrentVersion\\AeDebug'
    for (const command of [
      ['wineboot', '-u'],
      ['wine', 'winecfg', '-v', 'win10'],
      ['wine', 'reg', 'add', debug, '/v', 'Debugger', '/t', 'REG_SZ', '/d', 'false', '/f'],
    ])
      await wine.run(command[0], command, { timeoutMs: PREFIX_MS })
    return wine
  }

  /** A script of `inside/`, where it finds the packages of the programs, as Windows knows it. */
  inside(name) {
    return this.windowsPath(join(this.app, 'inside', name))
  }

  /** What a script has written by `answer`, undefined if it did not come so far. */
  answerOf(file) {
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  }

  /** A path of Linux as Windows programs know it. */
  windowsPath(path) {
    return `Z:${path.replaceAll('/', '\\')}`
  }

  /** A path of drive C: as Linux knows it. */
  linuxPath(path) {
    return join(this.prefix, 'drive_c', path.replace(/^C:\\/i, '').replaceAll('\\', '/'))
  }

  /** Runs node.exe with a script and arguments, paths as Windows has them, until it ends. */
  node(name, args, options = {}) {
    return this.run(name, ['wine', this.nodePath, ...args], options)
  }

  /** `hotpath …` */
  hotpath(name, args, options = {}) {
    return this.node(name, [this.windowsPath(join(this.app, 'apps/cli/bin/hotpath.mjs')), ...args], options)
  }

  /** Runs a command until it ends, or kills it. Returns its exit code and what it wrote. */
  async run(name, command, options = {}) {
    const running = this.spawn(name, command, options)
    const code = await running.ended(options.timeoutMs ?? COMMAND_MS)
    return { code, out: running.out(), err: running.err() }
  }

  /** Starts a command whose output goes to files. */
  spawn(name, command, { env = {} } = {}) {
    const base = join(this.scratch, `${++this.#files}-${name}`)
    const [out, err] = [openSync(`${base}.out`, 'w'), openSync(`${base}.err`, 'w')]
    const child = spawn(command[0], command.slice(1), {
      stdio: ['ignore', out, err],
      env: { ...this.environment, ...env },
      // On drive C:, where nothing of Linux is below the root.
      cwd: existsSync(this.linuxPath('C:\\')) ? this.linuxPath('C:\\') : this.scratch,
    })
    closeSync(out)
    closeSync(err)
    return new Running(child, `${base}.out`, `${base}.err`)
  }

  /**
   * Starts node.exe in a console, as in a window: what is written to `keys` is typed there. `script` gives it a terminal.
   */
  console(name, args) {
    const base = join(this.scratch, `${++this.#files}-${name}`)
    const command = ['wine', this.nodePath, ...args].map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
    const err = openSync(`${base}.err`, 'w')
    const child = spawn('script', ['-qfec', `stty cols 200; exec ${command}`, `${base}.out`], {
      stdio: ['pipe', 'ignore', err],
      env: { ...this.environment, TERM: 'xterm', SHELL: '/bin/sh' },
      cwd: this.linuxPath('C:\\'),
    })
    closeSync(err)
    const running = new Running(child, `${base}.out`, `${base}.err`)
    return Object.assign(running, { type: keys => child.stdin.write(keys) })
  }

  /** Asks until the answer is neither undefined nor false; returns undefined when time is over. */
  async until(ask, timeoutMs = COMMAND_MS) {
    for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(100)) {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    }
    return undefined
  }

  /** Processes of Linux that run node.exe of this prefix. */
  nodeProcesses() {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .filter(pid => belongsTo(pid, this.prefix) && /node\.exe/.test(read(`/proc/${pid}/cmdline`)))
  }

  /** Ends all that still runs in the prefix, and shows that nothing does. */
  async stop(checks) {
    const left = await this.until(() => this.nodeProcesses().length === 0, 10_000)
    checks.that(
      'no program of ours is left running',
      left === true,
      this.nodeProcesses()
        .map(pid => read(`/proc/${pid}/cmdline`))
        .join('\n'),
    )
    spawnSync('wineserver', ['-k'], { env: this.environment, stdio: 'ignore' })
    const none = () =>
      readdirSync('/proc')
        .filter(name => /^\d+$/.test(name))
        .every(pid => !belongsTo(pid, this.prefix))
    checks.that('nothing of Wine is left running', (await this.until(none, 20_000)) === true)
    this.end()
  }

  /** Ends everything at once. */
  end() {
    spawnSync('wineserver', ['-k'], { env: this.environment, stdio: 'ignore' })
    rmSync(this.scratch, { recursive: true, force: true, maxRetries: 3 })
  }
}

class Running {
  #ended

  constructor(child, outFile, errFile) {
    this.child = child
    this.outFile = outFile
    this.errFile = errFile
    this.#ended = new Promise(resolve => {
      child.once('error', () => resolve(127))
      child.once('exit', (code, signal) => resolve(code ?? signal))
    })
  }

  out() {
    return read(this.outFile)
  }

  err() {
    return read(this.errFile)
  }

  /** Its exit code; `timeout` if it had to be killed. */
  async ended(timeoutMs) {
    const timer = new AbortController()
    const late = sleep(timeoutMs, 'timeout', { signal: timer.signal }).catch(() => {})
    const code = await Promise.race([this.#ended, late])
    timer.abort()
    if (code === 'timeout') this.child.kill('SIGKILL')
    return code
  }
}

function belongsTo(pid, prefix) {
  return read(`/proc/${pid}/environ`).split('\0').includes(`WINEPREFIX=${prefix}`)
}

/** Empty if there is no such file (any more). */
export function read(file) {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  } catch {
    return ''
  }
}
