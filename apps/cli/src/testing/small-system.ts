import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../bin/hotpath.mjs', import.meta.url))
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** Runs a program on a terminal and prints what it writes there. The terminal stays open until all is read: what is in it at its end may be lost. */
const ON_TERMINAL = `
import os, pty, select, subprocess, sys
master, slave = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
while True:
    if select.select([master], [], [], 0.1)[0]:
        sys.stdout.buffer.write(os.read(master, 65536))
    elif child.poll() is not None:
        break
`

export interface Outcome {
  readonly code: number
  readonly out: Buffer
  readonly err: string
}

/** A home directory with a tree and a data directory of its own, for programs that run for real. */
export class SmallSystem {
  readonly home = mkdtempSync(join(tmpdir(), 'hotpath-small-'))
  /** The tree that is indexed. */
  readonly root = join(this.home, 'r')
  readonly environment: Record<string, string | undefined> = {
    PATH: `${this.home}/bin:${process.env.PATH}`,
    HOME: this.home,
    HOTPATH_DATA: join(this.home, 'data'),
    HOTPATH_ROOTS: this.root,
    HOTPATH_PORT: '0',
  }
  /** What runs the command line. */
  readonly program: readonly string[] = [process.execPath, PROGRAM]

  constructor() {
    mkdirSync(this.root)
    mkdirSync(join(this.home, 'bin'))
  }

  run(argv: readonly string[], through: readonly string[] = []): Promise<Outcome> {
    const [command, ...rest] = [...through, ...this.program, ...argv]
    const options = {
      env: { TERM: 'xterm-256color', ...this.environment },
      encoding: 'buffer',
      maxBuffer: MAX_OUTPUT_BYTES,
    } as const
    return new Promise(resolve => {
      const child = execFile(command!, rest, options, (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err: err.toString() })
      })
      child.stdin?.end()
    })
  }

  /** What a command writes to a terminal of its own, byte by byte. */
  async runOnTerminal(argv: readonly string[]): Promise<Buffer> {
    const { out } = await this.run(argv, ['python3', '-c', ON_TERMINAL])
    return out
  }

  /** Waits until a query has so many hits. */
  async finds(query: string, count: number): Promise<void> {
    while ((await this.run(['search', query, '--count'])).out.toString() !== `${count}\n`) await sleep(50)
  }

  async stop(): Promise<void> {
    await this.run(['stop'])
    rmSync(this.home, { recursive: true, force: true })
  }
}
