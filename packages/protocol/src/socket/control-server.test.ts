import { describe, expect, it } from 'vitest'
import { describeEnvelope } from '../describe.js'
import { decodeEnvelope } from '../envelope.js'
import { MAX_TAP_BYTES } from '../limits.js'
import type { TapCopy } from '../messages/control.js'
import { Inbox, identity, testSockets } from '../testing/sockets.js'
import { ControlServer } from './control-server.js'
import { TapHub } from './tap-hub.js'

const sockets = testSockets()

async function controlled() {
  const tap = new TapHub()
  const shutdowns = new Inbox<string>()
  const who = identity('store')
  const control = new ControlServer({
    endpoint: sockets.endpoint(),
    identity: who,
    tap,
    health: () => ({ state: 'degraded', checks: [{ name: 'wal', ok: false, detail: 'disk is full' }] }),
    stats: () => [{ name: 'hotpath_wal_bytes', kind: 'gauge', value: 12, labels: [{ name: 'root', value: 'r' }] }],
    shutdown: reason => shutdowns.push(reason),
  })
  await control.start()
  sockets.onClose(() => control.stop())
  const copies = new Inbox<TapCopy>()
  const peer = sockets.peer({
    endpoint: control.endpoint,
    onMessage: body => body.type === 'tapCopy' && copies.push(body.value),
  })
  return { tap, shutdowns, who, control, peer, copies }
}

describe('a control socket', () => {
  it('answers ping, health, stats and shutdown', async () => {
    const { peer, who, shutdowns } = await controlled()
    expect(await peer.request('ping', {})).toEqual({})
    expect(await peer.request('healthRequest', {})).toMatchObject({
      state: 'degraded',
      instance: who.instance,
      pid: who.pid,
      checks: [{ name: 'wal', ok: false, detail: 'disk is full' }],
    })
    expect((await peer.request('statsRequest', {})).metrics[0]).toMatchObject({ name: 'hotpath_wal_bytes', value: 12 })
    expect(await peer.request('shutdownRequest', { reason: 'enough' })).toEqual({})
    expect(await peer.request('shutdownRequest', { reason: 'again' })).toEqual({})
    expect(await shutdowns.next()).toBe('enough')
    expect(shutdowns.size).toBe(0)
    await expect(peer.request('statusRequest', {})).rejects.toThrow('expected one that this socket is for')
  })

  it('copies the traffic of other sockets to those who ask, until they do not', async () => {
    const { peer, tap, copies } = await controlled()
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      tap,
      onMessage: () => ({ type: 'clockReply', value: { clock: 'c7', unwatchedRoots: [] } }),
    })
    const asker = sockets.peer({ endpoint: server.endpoint })
    await asker.ready()
    expect(tap.active).toBe(false)
    await peer.request('tapRequest', { on: true })
    expect(tap.active).toBe(true)
    await asker.request('clockRequest', {})
    const [question, answer] = [await copies.next(), await copies.next()]
    expect(question).toMatchObject({ direction: 'in', endpoint: server.endpoint, dropped: 0 })
    expect(decodeEnvelope(question.envelope).body.type).toBe('clockRequest')
    expect(answer.direction).toBe('out')
    expect(answer.at).toBeGreaterThanOrEqual(question.at)
    expect(describeEnvelope(answer.envelope)).toContain('clockReply')
    await peer.request('tapRequest', { on: false })
    expect(tap.active).toBe(false)
  })

  it('ends a tap with its asker', async () => {
    const { peer, tap } = await controlled()
    await peer.request('tapRequest', { on: true })
    await peer.stop()
    while (tap.active) await new Promise(resolve => setImmediate(resolve))
  })
})

describe('a tap', () => {
  it('drops copies that are not taken, and counts them', () => {
    const hub = new TapHub()
    const taken: TapCopy[] = []
    let room = 1
    hub.add(copy => room-- > 0 && taken.push(copy) > 0)
    for (let i = 0; i < 4; i++) hub.record('in', 'e', 'p', Uint8Array.of(i))
    room = 1
    hub.record('out', 'e', 'p', new Uint8Array(MAX_TAP_BYTES + 1))
    expect(taken).toMatchObject([
      { size: 1, dropped: 0 },
      { size: MAX_TAP_BYTES + 1, dropped: 3, envelope: new Uint8Array(0) },
    ])
  })
})
