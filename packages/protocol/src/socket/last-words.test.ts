import { expect, it } from 'vitest'
import { testSockets } from '../testing/sockets.js'

const sockets = testSockets()

/** So that what the server does meanwhile is all there in one turn of the event loop: messages, and the end of the connection. */
function sleepWithoutTurn(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

it('takes the answer of a server that ends at once after it, however late it looks', async () => {
  for (let round = 0; round < 10; round++) {
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage: () => {
        setImmediate(async () => {
          await server.stop()
        })
        return { type: 'clockReply', value: { clock: `c${round}`, unwatchedRoots: [] } }
      },
    })
    const peer = sockets.peer({ endpoint: server.endpoint })
    await peer.ready()
    const answer = peer.request('clockRequest', {})
    for (let turn = 0; turn < 40; turn++) {
      await new Promise(resolve => setImmediate(resolve))
      sleepWithoutTurn(1)
    }
    expect((await answer).clock).toBe(`c${round}`)
    await peer.stop()
  }
})
