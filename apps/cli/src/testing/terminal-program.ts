import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { TextScreen } from './text-screen.js'

const BRIDGE = fileURLToPath(new URL('./pty-bridge.py', import.meta.url))

/** How a program ended or stopped, and whether its terminal was left in raw mode. */
export interface ProgramEnd {
  readonly code: number
  readonly raw: boolean
}

/** A program in the foreground of a real terminal, with what the terminal shows. */
export class TerminalProgram {
  screen: TextScreen
  /** Everything that was written to the terminal. */
  output = ''
  stops = 0
  stoppedRaw: boolean | undefined
  readonly ended: Promise<ProgramEnd>
  private readonly bridge: ChildProcess

  constructor(argv: readonly string[], environment: Record<string, string | undefined>, rows = 12, columns = 100) {
    this.screen = new TextScreen(columns, rows)
    this.bridge = spawn('python3', [BRIDGE, String(rows), String(columns), ...argv], {
      env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.ended = new Promise(resolve => {
      const lines = createInterface({ input: this.bridge.stdout! })
      lines.on('line', line => {
        const what = JSON.parse(line)
        if (what.output !== undefined) this.show(Buffer.from(what.output, 'base64'))
        if (what.stopped !== undefined) {
          this.stoppedRaw = what.raw
          this.stops++
        }
        if (what.ended !== undefined) resolve({ code: what.ended, raw: what.raw })
      })
    })
  }

  type(text: string): void {
    this.tell({ input: Buffer.from(text).toString('base64') })
  }

  signal(number: number): void {
    this.tell({ signal: number })
  }

  /** As `fg` of a shell. */
  continue(): void {
    this.tell({ continue: true })
  }

  resize(rows: number, columns: number): void {
    this.screen = new TextScreen(columns, rows)
    this.tell({ resize: [rows, columns] })
  }

  /** Waits until a row of the screen is as said. */
  async shows(row: number, expected: string | RegExp): Promise<void> {
    const text = () => this.screen.rows.at(row) ?? ''
    if (typeof expected === 'string') await expect.poll(text, { timeout: 20_000 }).toBe(expected)
    else await expect.poll(text, { timeout: 20_000 }).toMatch(expected)
  }

  /** Ends what still runs. */
  async close(): Promise<void> {
    this.bridge.stdin!.end()
    await this.ended
  }

  private show(bytes: Buffer): void {
    const text = this.decoder.decode(bytes, { stream: true })
    this.output += text
    this.screen.write(text)
  }

  private readonly decoder = new TextDecoder()

  private tell(command: object): void {
    this.bridge.stdin!.write(`${JSON.stringify(command)}\n`)
  }
}
