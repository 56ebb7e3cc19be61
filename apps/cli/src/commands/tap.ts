import { randomBytes } from 'node:crypto'
import {
  type Body,
  DealerPeer,
  describeEnvelope,
  type Endpoints,
  SOCKET_NAMES,
  type SocketName,
  socketEndpoints,
} from '@hotpath/protocol'
import { type Config, escapeForTerminal, stageDirectories } from '@hotpath/service'
import { type CommandContext, CommandError, CommandExit, type DataFlags, note } from '../context.js'
import { ByteWriter } from '../output/byte-writer.js'

/**
 * `hotpath tap ENDPOINT`: prints what goes through a socket (`store-ingest`) or all sockets of a process (`store`),
 * one decoded message a line, until it is interrupted or nobody reads.
 */
export async function tap(name: string, flags: DataFlags, context: CommandContext): Promise<number> {
  const config = await context.configure(flags.data)
  const endpoints = endpointsOf(config)
  const socket = SOCKET_NAMES.find(one => one === name)
  const owner = name.split('-')[0]!
  const control = SOCKET_NAMES.find(one => one === `${owner}-control`)
  if (control === undefined || (socket === undefined && name !== owner)) {
    throw new CommandError(`there is no endpoint ${JSON.stringify(name)}; there are ${SOCKET_NAMES.join(', ')}`)
  }
  const only = socket === undefined || socket === control ? undefined : endpoints[socket]
  const nameOf = new Map(SOCKET_NAMES.map((one: SocketName) => [endpoints[one], one]))

  const out = new ByteWriter(context.out)
  const done = new AbortController()
  context.interrupted.addEventListener('abort', () => done.abort(), { once: true })
  const show = (body: Body) => {
    if (body.type !== 'tapCopy') return
    const { direction, endpoint, at, envelope, size, dropped } = body.value
    if (only !== undefined && endpoint !== only) return
    const content = envelope.length === 0 ? `${size} bytes, too large to copy` : describeEnvelope(envelope)
    const lost = dropped === 0 ? '' : ` (${dropped} lost)`
    const line = `${(at / 1e6).toFixed(6)} ${direction === 'in' ? '>' : '<'} ${nameOf.get(endpoint) ?? endpoint}${lost} ${content}`
    // Traffic is shown as it comes: a line that waits for others is of no use here.
    void out.write(`${escapeForTerminal(line)}\n`).then(() => out.flush())
    if (out.closed) done.abort()
  }
  const instance = `cli-${randomBytes(8).toString('hex')}`
  const peer = new DealerPeer({
    endpoint: endpoints[control],
    identity: { stage: 'client', instance, pid: process.pid },
    onMessage: show,
    // A restarted process knows nothing of us.
    onWelcome: () => void peer.request('tapRequest', { on: true }).catch(error => note(context, String(error))),
  })
  peer.start()
  try {
    await peer.ready({ signal: done.signal })
    await untilAborted(done.signal)
  } finally {
    await peer.stop()
  }
  return CommandExit.found
}

function endpointsOf(config: Config): Endpoints {
  return socketEndpoints(stageDirectories(config.dataDir).runtime)
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
