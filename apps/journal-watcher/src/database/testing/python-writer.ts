import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { SqlValue } from '@hotpath/model'

/** Reads a command in a line and answers in a line. Values are tagged, so that none loses its type. */
const PROGRAM = `
import json, sqlite3, sys, time
connections = {}
def tagged(value):
    if value is None: return None
    if isinstance(value, int): return {'i': str(value)}
    if isinstance(value, float): return {'r': value.hex()}
    if isinstance(value, bytes): return {'b': value.hex()}
    return {'t': value}
def plain(value):
    if value is None: return None
    (kind, text), = value.items()
    return {'i': int, 'r': float.fromhex, 'b': bytes.fromhex, 't': str}[kind](text)
def run(command):
    kind, name = command['kind'], command['name']
    if kind == 'open':
        connections[name] = sqlite3.connect(command['path'], timeout=command['timeout'], isolation_level=None)
        return []
    if kind == 'close':
        connections.pop(name).close()
        return []
    if kind == 'many':
        timings = []
        for sql in command['sql']:
            if isinstance(sql, (int, float)):
                time.sleep(sql)
                continue
            begin = time.perf_counter()
            connections[name].execute(sql)
            timings.append([time.time() * 1000, (time.perf_counter() - begin) * 1000])
        return timings
    cursor = connections[name].execute(command['sql'], [plain(value) for value in command['values']])
    return [[tagged(value) for value in row] for row in cursor.fetchall()]
for line in sys.stdin:
    try:
        answer = {'rows': run(json.loads(line))}
    except Exception as error:
        answer = {'error': str(error)}
    print(json.dumps(answer), flush=True)
`

type Tagged = null | { readonly i: string } | { readonly r: string } | { readonly b: string } | { readonly t: string }

/** Another process with connections to databases, by Python's sqlite3. */
export class PythonWriter {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #answers: ((line: string) => void)[] = []

  constructor() {
    this.#child = spawn('python3', ['-c', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout! })
    this.#lines.on('line', line => this.#answers.shift()?.(line))
  }

  async open(path: string, name = 'main', timeoutSeconds = 5): Promise<void> {
    await this.#ask({ kind: 'open', name, path, timeout: timeoutSeconds })
  }

  async close(name = 'main'): Promise<void> {
    await this.#ask({ kind: 'close', name })
  }

  async run(sql: string, values: readonly SqlValue[] = [], name = 'main'): Promise<SqlValue[][]> {
    const rows = (await this.#ask({ kind: 'run', name, sql, values: values.map(tagged) })) as Tagged[][]
    return rows.map(row => row.map(untagged))
  }

  /** Statements one after the other; a number waits so many seconds. Of each statement when it ended (ms since 1970), and how long it took (ms). */
  async many(sql: readonly (string | number)[], name = 'main'): Promise<[number, number][]> {
    return (await this.#ask({ kind: 'many', name, sql })) as [number, number][]
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
    this.#lines.close()
  }

  async #ask(command: object): Promise<unknown> {
    const line = await new Promise<string>((resolve, reject) => {
      this.#answers.push(resolve)
      this.#child.once('exit', () => reject(new Error('the writer has ended')))
      this.#child.stdin!.write(`${JSON.stringify(command)}\n`)
    })
    this.#child.removeAllListeners('exit')
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
