import type { ChangeBatch, ChangeColumns } from '@hotpath/model'
import type { Ack, BarrierDone } from '@hotpath/protocol'
import { describe, expect, it } from 'vitest'
import { ChangeBuilder } from '../observation/change-builder.js'
import { randomOf } from '../testing/random-operations.js'
import { Outbox, type OutboxPeer } from './outbox.js'

const parent = { low: 1, high: 0, birth: 2 }

function rows(count: number): ChangeColumns {
  const builder = new ChangeBuilder(false)
  for (let i = 0; i < count; i++) builder.absent(parent, new Uint8Array([0x61]), i)
  return builder.take()
}

function ack(source: string, receivedSequence: number, durableSequence: number, credit: number): Ack {
  return { epoch: 0, source, receivedSequence, durableSequence, credit, active: false, root: 'root' }
}

class RecordingPeer implements OutboxPeer {
  readonly sent: string[] = []
  send(...[type, value]: ['changeBatch', ChangeBatch] | ['barrierDone', BarrierDone]): Promise<void> {
    this.sent.push(
      type === 'changeBatch' ? `${value.source} ${value.sequence}` : `barrier ${value.id} at ${value.sequence}`,
    )
    // As of a session that ends: what is sent may be lost.
    return Promise.reject(new Error('lost'))
  }
}

describe('Outbox', () => {
  it('numbers the batches of each source and sends no more than there is credit for', () => {
    const outbox = new Outbox('boot', () => {})
    const peer = new RecordingPeer()
    outbox.connected(peer)
    outbox.add('r', 'a', rows(1))
    outbox.add('s', 'b', rows(1))
    outbox.add('r', 'a', rows(1))
    expect(peer.sent).toEqual(['a 1', 'b 1', 'a 2'])
    outbox.acknowledge(ack('a', 2, 0, 1))
    outbox.add('r', 'a', rows(1))
    outbox.add('r', 'a', rows(1))
    expect(peer.sent.slice(3)).toEqual(['a 3'])
    outbox.acknowledge(ack('a', 3, 3, 1))
    expect(peer.sent.slice(3)).toEqual(['a 3', 'a 4'])
  })

  it('sends everything that is not durable again, in order, in the next session', () => {
    const outbox = new Outbox('boot', () => {})
    outbox.connected(new RecordingPeer())
    for (let i = 0; i < 4; i++) outbox.add('r', 'a', rows(1))
    outbox.acknowledge(ack('a', 3, 1, 10))
    outbox.addBarrier({ id: 1, unwatchedRoots: [] })
    outbox.disconnected()
    outbox.addBarrier({ id: 2, unwatchedRoots: [] })
    outbox.disconnected()
    outbox.add('r', 'a', rows(1))
    const peer = new RecordingPeer()
    outbox.connected(peer)
    expect(peer.sent).toEqual(['a 2', 'a 3', 'a 4', 'a 5'])
    outbox.acknowledge(ack('a', 5, 5, 10))
    expect(outbox.batchCount).toBe(0)
  })

  it('answers a barrier behind the batches that it covers', () => {
    const outbox = new Outbox('boot', () => {})
    const peer = new RecordingPeer()
    outbox.connected(peer)
    outbox.addBarrier({ id: 1, unwatchedRoots: [] })
    for (let i = 0; i < 10; i++) outbox.add('r', 'a', rows(1))
    outbox.addBarrier({ id: 2, unwatchedRoots: [] })
    expect(peer.sent.at(-1)).toBe('a 8')
    outbox.acknowledge(ack('a', 4, 4, 64))
    expect([peer.sent[0], ...peer.sent.slice(-3)]).toEqual(['barrier 1 at 0', 'a 9', 'a 10', 'barrier 2 at 10'])
  })

  it('has no room while too many rows are not durable, and says when it has again', () => {
    let told = 0
    const outbox = new Outbox('boot', () => told++)
    outbox.connected(new RecordingPeer())
    outbox.add('r', 'a', rows(200_000))
    expect(outbox.hasRoom).toBe(true)
    outbox.add('r', 'a', rows(100_000))
    expect(outbox.hasRoom).toBe(false)
    outbox.acknowledge(ack('a', 2, 0, 8))
    expect([outbox.hasRoom, told]).toEqual([false, 0])
    outbox.acknowledge(ack('a', 2, 1, 8))
    expect([outbox.hasRoom, told, outbox.rowCount]).toEqual([true, 1, 100_000])
  })

  it('is what a plain list of all that was added and is not durable is, for random sequences', () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
    const random = randomOf(seed)
    const outbox = new Outbox('boot', () => {})
    let peer = new RecordingPeer()
    outbox.connected(peer)
    const names = ['a', 'b', 'c']
    const added: { name: string; sequence: number }[] = []
    const durable = new Map(names.map(name => [name, 0]))
    const received = new Map(names.map(name => [name, 0]))
    const kept = () => added.filter(({ name, sequence }) => sequence > durable.get(name)!)
    const lastOf = (name: string) => added.filter(item => item.name === name).length
    for (let step = 0; step < 1_500; step++) {
      const name = names[random(3)]!
      if (random(3) > 0) {
        added.push({ name, sequence: lastOf(name) + 1 })
        outbox.add('r', name, rows(1))
      } else if (random(20) > 0) {
        const sent = peer.sent.filter(text => text.startsWith(name)).length > 0 ? lastOf(name) : received.get(name)!
        received.set(name, Math.max(received.get(name)!, random(sent + 1)))
        durable.set(name, Math.max(durable.get(name)!, random(received.get(name)! + 1)))
        outbox.acknowledge(ack(name, received.get(name)!, durable.get(name)!, 1_000_000))
      } else {
        outbox.disconnected()
        peer = new RecordingPeer()
        outbox.connected(peer)
        for (const of of names) outbox.acknowledge(ack(of, durable.get(of)!, durable.get(of)!, 1_000_000))
        for (const of of names) received.set(of, durable.get(of)!)
        const again = kept().map(item => `${item.name} ${item.sequence}`)
        expect(peer.sent, `seed ${seed}, step ${step}`).toEqual(again)
      }
      expect([outbox.batchCount, outbox.rowCount], `seed ${seed}, step ${step}`).toEqual([kept().length, kept().length])
    }
  })

  it('ignores what is acknowledged of a source that is not ours', () => {
    const outbox = new Outbox('boot', () => {})
    outbox.add('r', 'a', rows(1))
    expect(outbox.acknowledge(ack('stranger', 9, 9, 9))).toBe(0)
    expect(outbox.batchCount).toBe(1)
  })
})
