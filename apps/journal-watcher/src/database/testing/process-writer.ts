import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { SqlValue } from '@hotpath/model'

type Tagged = null | { readonly i: string } | { readonly r: string } | { readonly b: string } | { readonly t: string }

/** Another process with connections to databases. It reads a command in a line and answers in a line; values are tagged, so that none loses its type. */
export class ProcessWriter {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #answers: ((line: string) => void)[] = []

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout! })
    this.#lines.on('line', line => this.#answers.shift()?.(line))
    // It may end before it has read a command: that shows as its end.
    this.#child.stdin!.on('error', () => {})
  }

  async open(path: string, name = 'main', timeoutSeconds = 5): Promise<void> {
    await this.ask({ kind: 'open', name, path, timeout: timeoutSeconds })
  }

  async close(name = 'main'): Promise<void> {
    await this.ask({ kind: 'close', name })
  }

  async run(sql: string, values: readonly SqlValue[] = [], name = 'main'): Promise<SqlValue[][]> {
    const rows = (await this.ask({ kind: 'run', name, sql, values: values.map(tagged) })) as Tagged[][]
    return rows.map(row => row.map(untagged))
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
    this.#lines.close()
  }

  protected async ask(command: object): Promise<unknown> {
    let ended = (): void => {}
    const line = await new Promise<string>((resolve, reject) => {
      ended = () => reject(new Error('the writer has ended'))
      this.#answers.push(resolve)
      this.#child.once('exit', ended)
      this.#child.stdin!.write(`${JSON.stringify(command)}\n`)
    })
    this.#child.off('exit', ended)
    const { rows, error } = JSON.parse(line) as { rows?: unknown; error?: string }
    if (error !== undefined) throw new Error(error)
    return rows
  }
}

function tagged(value: SqlValue): Tagged {
  if (value === null) return null
  if (typeof value === 'bigint') return { i: String(value) }
  if (typeof value === 'string') return { t: value }
  if (typeof value === 'number') return { r: String(value) }
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString('hex') }
  throw new TypeError('text that is no text')
}

function untagged(value: Tagged): SqlValue {
  if (value === null) return null
  if ('i' in value) return BigInt(value.i)
  if ('b' in value) return new Uint8Array(Buffer.from(value.b, 'hex'))
  return 't' in value ? value.t : parseHexFloat(value.r)
}

/** As Python writes reals exactly: `-0x1.8p+3`. */
function parseHexFloat(text: string): number {
  const match = /^(-?)0x([01])\.?([0-9a-f]*)p([+-]\d+)$/.exec(text)
  if (match === null) return Number(text.replace('inf', 'Infinity'))
  const [, sign, whole, fraction, exponent] = match
  const mantissa = Number(`0x${whole}${fraction}`) * 2 ** (-4 * fraction!.length)
  const scale = Number(exponent)
  // In two steps: the least reals are below 2^-1023.
  const value = scale < -1_000 ? mantissa * 2 ** (scale + 100) * 2 ** -100 : mantissa * 2 ** scale
  return sign === '-' ? -value : value
}
