import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { SqlValue } from '@hotpath/model'

/** Whether a shell (`sqlite3`, `sqlcipher`) is installed here; says so if not. */
export function hasShell(name: string): boolean {
  const found = spawnSync(name, ['-version']).status === 0
  if (!found) console.log(`databases that ${name} writes are not followed here: it is missing`)
  return found
}

/** A shell that writes a database in a process of its own, and waits between statements. */
export class SqlShell {
  readonly #child: ChildProcessWithoutNullStreams
  #errors = ''
  #output = ''
  #runs = 0
  readonly #closed: Promise<unknown>

  constructor(
    name: string,
    readonly file: string,
  ) {
    this.#child = spawn(name, ['-batch', file])
    this.#closed = once(this.#child, 'close')
    this.#child.stderr.on('data', data => {
      this.#errors += data
    })
    this.#child.stdout.on('data', data => {
      this.#output += data
    })
  }

  /** Runs statements. */
  async run(...statements: string[]): Promise<void> {
    const done = `done ${++this.#runs}`
    // What a command of the system prints is there at once, what the shell prints when its buffer is full.
    this.#child.stdin.write([...statements.map(sql => `${sql};`), `.system echo ${done}`, ''].join('\n'))
    while (!this.#output.includes(`${done}\n`)) {
      await Promise.race([once(this.#child.stdout, 'data'), this.#closed])
      if (this.#child.exitCode !== null) throw new Error(`${statements.join('; ')}: the shell ended: ${this.#errors}`)
    }
    this.#output = ''
    if (this.#errors !== '') throw new Error(`${statements.join('; ')}: ${this.#errors}`)
  }

  /** The lines that a query gives. */
  async lines(sql: string): Promise<string[]> {
    const output = `${this.file}.lines`
    this.#child.stdin.write(`.output ${output}\n${sql};\n.output stdout\n`)
    await this.run()
    return readFileSync(output, 'utf8').split('\n').slice(0, -1)
  }

  /** Without giving it the time to take its log away. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}

/** A value as the function `quote` of SQL shows it; of reals only such as have few digits. */
export function quoted(value: SqlValue): string {
  if (value === null) return 'NULL'
  if (typeof value === 'bigint') return `${value}`
  if (typeof value === 'number') return Number.isInteger(value) ? `${value}.0` : `${value}`
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString('hex').toUpperCase()}'`
  throw new Error('no text here is invalid')
}
