import { getEventListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { identity } from '../testing/sockets.js'
import { IncomingMessage } from './incoming-message.js'
import { Peer } from './peer.js'

describe('the signal of a message', () => {
  it('has as many listeners as there are searches in it, without a warning', async () => {
    const warnings: Error[] = []
    const warned = (warning: Error): number => warnings.push(warning)
    process.on('warning', warned)
    const envelope = { requestId: 1, sender: 's', deadlineMs: 1_000, body: { type: 'ping', value: {} } } as const
    const message = new IncomingMessage(new Peer(Buffer.from('p'), identity('gateway'), 'p'), envelope, () => {})
    let aborted = 0
    for (let i = 0; i < 64; i++) message.signal.addEventListener('abort', () => aborted++)
    // Warnings come a turn later.
    await setImmediate()
    process.off('warning', warned)
    expect(getEventListeners(message.signal, 'abort')).toHaveLength(64)
    expect(warnings).toEqual([])
    message.abort('gone')
    message.done()
    expect(aborted).toBe(64)
  })
})
