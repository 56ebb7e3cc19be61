/** A process of its own with one end of a connection, to be killed. Run by tests from the built package. */
import { DealerPeer } from '../socket/dealer-peer.js'
import { RouterServer } from '../socket/router-server.js'

const [role, endpoint, lostMs] = process.argv.slice(2)
if (role === undefined || endpoint === undefined) throw new Error('usage: peer-process server|client ENDPOINT LOST_MS')
const instance = `${role}-${process.pid}`

if (role === 'server') {
  const server = new RouterServer({
    endpoint,
    identity: { stage: 'store', instance, pid: process.pid },
    heartbeatMs: Number(lostMs) / 5,
    lostMs: Number(lostMs),
    onMessage: message =>
      message.body.type === 'clockRequest'
        ? { type: 'clockReply', value: { clock: instance, unwatchedRoots: [] } }
        : undefined,
  })
  await server.start()
} else {
  const peer = new DealerPeer({ endpoint, identity: { stage: 'client', instance, pid: process.pid } })
  peer.start()
  await peer.ready()
}
process.stdout.write('ready\n')
