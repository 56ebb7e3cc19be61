import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Dealer } from 'zeromq'
import { type Spread, spreadOf } from '../statistics.js'

const SERVER = fileURLToPath(new URL('./echo-server.js', import.meta.url))

export interface EchoFigures {
  /** Milliseconds of one message and its echo, one after the other. */
  readonly alone: Spread
  /** Echoes per second with several connections. */
  readonly perSecond: number
}

export interface EchoShape {
  readonly socketPath: string
  readonly requestBytes: number
  readonly replyBytes: number
  /** Each with one message under way. */
  readonly connections: number
  readonly durationMs: number
}

/** What ZeroMQ alone can do between two processes of this machine, with messages of the same sizes. */
export async function measureEcho(shape: EchoShape): Promise<EchoFigures> {
  const endpoint = `ipc://${shape.socketPath}`
  const server = spawn(process.execPath, [SERVER, String(shape.replyBytes), endpoint], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const closed = once(server, 'close')
  try {
    await once(server.stdout, 'data')
    const request = Buffer.alloc(shape.requestBytes)
    const dealers = Array.from({ length: shape.connections }, () => new Dealer({ linger: 0 }))
    for (const dealer of dealers) dealer.connect(endpoint)
    try {
      const alone = await askFor(dealers[0]!, request, shape.durationMs)
      const startedMs = performance.now()
      const all = await Promise.all(dealers.map(dealer => askFor(dealer, request, shape.durationMs)))
      const count = all.reduce((sum, times) => sum + times.length, 0)
      const perSecond = count / ((performance.now() - startedMs) / 1000)
      // The first ones connect and compile.
      return { alone: spreadOf(alone.slice(Math.floor(alone.length / 10))), perSecond }
    } finally {
      for (const dealer of dealers) dealer.close()
    }
  } finally {
    server.stdin.end()
    await closed
  }
}

/** Milliseconds of each message and its echo, one after the other. */
async function askFor(dealer: Dealer, request: Buffer, durationMs: number): Promise<number[]> {
  const times: number[] = []
  const untilMs = performance.now() + durationMs
  for (let startedMs = performance.now(); startedMs < untilMs; startedMs = performance.now()) {
    await dealer.send(request)
    await dealer.receive()
    times.push(performance.now() - startedMs)
  }
  return times
}
