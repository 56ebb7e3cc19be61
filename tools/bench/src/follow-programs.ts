import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { spawnOwn } from './own-process.js'

/**
 * What writes a database, and what else could tell of its commits: Python's `sqlite3` in processes of its own. Times are milliseconds of the
 * wall clock, which all processes share.
 */
const PROGRAM = `
import json, sqlite3, sys, time
role = sys.argv[1]
if role == 'write':
    connections = [sqlite3.connect(path, isolation_level=None) for path in sys.argv[2:]]
    for c in connections:
        c.execute('PRAGMA journal_mode=WAL')
        c.execute('CREATE TABLE IF NOT EXISTS message(id INTEGER PRIMARY KEY, body TEXT)')
    print('ready', flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        done = []
        for c in connections: c.execute('PRAGMA synchronous=' + job['synchronous'])
        start = time.perf_counter()
        for i in range(job['commits']):
            times = []
            # The first database and the other take turns at being the first to be written.
            for k, c in enumerate(connections if i % 2 == 0 else connections[::-1]):
                left = start + (i + k * job['apart']) / job['rate'] - time.perf_counter()
                if left > 0: time.sleep(left)
                begin = time.perf_counter()
                c.execute('INSERT INTO message VALUES(?, ?)', (job['first'] + i, 'x' * 300))
                times.append([time.time() * 1000, (time.perf_counter() - begin) * 1000])
            if i % 2 == 1: times.reverse()
            done.append([job['first'] + i, times[0][0], *[t[1] for t in times]])
        print(json.dumps(done), flush=True)
else:
    c = sqlite3.connect(sys.argv[2], isolation_level=None)
    pause = float(sys.argv[3])
    version = c.execute('PRAGMA data_version').fetchone()[0]
    last = c.execute('SELECT coalesce(max(id), 0) FROM message').fetchone()[0]
    print('ready', flush=True)
    while True:
        time.sleep(pause)
        now = c.execute('PRAGMA data_version').fetchone()[0]
        if now == version: continue
        version = now
        rows = c.execute('SELECT id FROM message WHERE id > ?', (last,)).fetchall()
        at = time.time() * 1000
        if rows: last = rows[-1][0]
        print(json.dumps([[row[0], at] for row in rows]), flush=True)
`

/** A commit: id of its row, when COMMIT returned, how long it took, and how long one of the database took that nobody follows. */
export type Commit = readonly [id: number, atMs: number, tookMs: number, aloneMs: number]

class Program {
  protected readonly child: ChildProcess
  protected readonly lines: Interface

  constructor(args: readonly string[]) {
    this.child = spawnOwn('python3', ['-c', PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = createInterface({ input: this.child.stdout! })
  }

  async ready(): Promise<void> {
    await once(this.lines, 'line')
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.kill()
    await ended
  }
}

/** Writes the same rows into the followed database and into another one, in turn. */
export class RowWriter extends Program {
  constructor(followed: string, other: string) {
    super(['write', followed, other])
  }

  async commit(job: {
    readonly synchronous: string
    readonly rate: number
    readonly commits: number
    readonly first: number
    /** How much later the second database is written, as a part of the time between two commits: 0, at once. */
    readonly apart: number
  }): Promise<readonly Commit[]> {
    this.child.stdin!.write(`${JSON.stringify(job)}\n`)
    const [line] = (await once(this.lines, 'line')) as [string]
    return JSON.parse(line)
  }
}

/** Asks the database whether something was committed, again and again, and reads the rows that are new. */
export class Poller extends Program {
  /** When each row was seen. */
  readonly seen = new Map<number, number>()

  constructor(file: string, pauseMs: number) {
    super(['poll', file, `${pauseMs / 1000}`])
  }

  override async ready(): Promise<void> {
    await super.ready()
    this.lines.on('line', line => {
      for (const [id, atMs] of JSON.parse(line) as [number, number][]) this.seen.set(id, atMs)
    })
  }
}
