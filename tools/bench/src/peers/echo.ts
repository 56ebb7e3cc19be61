import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Dealer } from 'zeromq'
import { type Spread, spreadOf } from '../statistics.js'

const SERVER = fileURLToPath(new URL('./echo-server.js', import.meta.url))

export interface EchoFigures {
  /** Milliseconds of one message and its echo, one after the other. */
  readonly alone: Spread
  /** Echoes per second with several connections and messages under way. */
  readonly perSecond: number
}

export interface EchoShape {
  readonly socketPath: string
  readonly requestBytes: number
  readonly replyBytes: number
  readonly connections: number
  /** Messages under way on each connection. */
  readonly outstanding: number
  readonly count: number
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
      const alone = await askOneByOne(dealers[0]!, request, shape.count)
      const startedMs = performance.now()
      await Promise.all(dealers.map(dealer => askMany(dealer, request, shape.count, shape.outstanding)))
      const seconds = (performance.now() - startedMs) / 1000
      return { alone, perSecond: (shape.count * dealers.length) / seconds }
    } finally {
      for (const dealer of dealers) dealer.close()
    }
  } finally {
    server.stdin.end()
    await closed
  }
}

async function askOneByOne(dealer: Dealer, request: Buffer, count: number): Promise<Spread> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now()
    await dealer.send(request)
    await dealer.receive()
    times.push(performance.now() - startedMs)
  }
  return spreadOf(times.slice(Math.floor(count / 10)))
}

async function askMany(dealer: Dealer, request: Buffer, count: number, outstanding: number): Promise<void> {
  for (let i = 0; i < Math.min(outstanding, count); i++) await dealer.send(request)
  for (let received = 0; received < count; received++) {
    await dealer.receive()
    if (received + outstanding < count) await dealer.send(request)
  }
}
