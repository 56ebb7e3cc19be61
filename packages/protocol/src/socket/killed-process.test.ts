/** Processes that die or hang without a goodbye. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { PeerLostError } from '../errors.js'
import { Inbox, testSockets } from '../testing/sockets.js'

const sockets = testSockets()
const program = fileURLToPath(new URL('../../dist/testing/peer-process.js', import.meta.url))
/** So long that only a broken connection can explain what is noticed within the test's time. */
const PATIENT_MS = 1_000_000

async function start(role: 'server' | 'client', endpoint: string, lostMs = PATIENT_MS): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, role, endpoint, String(lostMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  sockets.onClose(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  })
  const [line] = await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')])
  expect(String(line)).toBe('ready\n')
  return child
}

it('a killed server is noticed at once, and its successor on the same path is found', async () => {
  const endpoint = sockets.endpoint()
  const server = await start('server', endpoint)
  const lost = new Inbox<string>()
  const restarts = new Inbox<boolean>()
  const peer = sockets.peer({
    endpoint,
    onPeerLost: reason => lost.push(reason),
    onWelcome: (_, restarted) => restarts.push(restarted),
  })
  expect((await peer.request('clockRequest', {})).clock).toBe(`server-${server.pid}`)
  expect(await restarts.next()).toBe(false)
  const open = peer.request('statusRequest', {}, { timeoutMs: 60_000 })
  await Promise.all([expect(open).rejects.toThrow(PeerLostError), server.kill('SIGKILL')])
  expect(await lost.next()).toBe('disconnected')
  const successor = await start('server', endpoint)
  expect((await peer.request('clockRequest', {}, { timeoutMs: 60_000 })).clock).toBe(`server-${successor.pid}`)
  expect(await restarts.next()).toBe(true)
})

it('a killed peer is noticed at once', async () => {
  const lost = new Inbox<[number, string]>()
  const server = await sockets.server({
    endpoint: sockets.endpoint(),
    heartbeatMs: PATIENT_MS / 5,
    lostMs: PATIENT_MS,
    onMessage: () => undefined,
    onPeerLost: (peer, reason) => lost.push([peer.identity.pid, reason]),
  })
  const client = await start('client', server.endpoint)
  client.kill('SIGKILL')
  expect(await lost.next()).toEqual([client.pid, 'gone'])
})

it('a server that hangs is noticed by its silence', async () => {
  const endpoint = sockets.endpoint()
  const server = await start('server', endpoint, 500)
  const lost = new Inbox<string>()
  const peer = sockets.peer({ endpoint, onPeerLost: reason => lost.push(reason) })
  await peer.ready()
  server.kill('SIGSTOP')
  expect(await lost.next()).toMatch(/^silent for \d+ ms$/)
  server.kill('SIGCONT')
  expect((await peer.request('clockRequest', {}, { timeoutMs: 60_000 })).clock).toBe(`server-${server.pid}`)
})
