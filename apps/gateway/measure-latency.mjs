import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@hotpath/client'
import { FakeDatabases } from '@hotpath/journal-watcher/testing'
import { socketEndpoints } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { WebSocket } from 'ws'
import { startGateway } from './dist/compose.js'

const dbs = new FakeDatabases()
const run = join(dbs.directory, 'run')
mkdirSync(run, { mode: 0o700 })
const endpoints = socketEndpoints(run)
const server = await dbs.serve(endpoints['watcher-rows'])
const gateway = await startGateway({
  dataDir: dbs.directory,
  port: 0,
  openRead: false,
  endpoints,
  identity: { stage: 'gateway', instance: 'g', pid: process.pid },
  version: 'x',
  log: silentLogger,
})
const db = dbs.add('chat')
db.commit([], { tables: [{ name: 't', columns: ['id', 'x'] }] })
const token = new URL(gateway.url).searchParams.get('token')
const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/api/changes`, {
  headers: { authorization: `Bearer ${token}` },
})
const at = new Map()
const ws = [],
  native = [],
  append = []
socket.on('message', d => {
  const m = JSON.parse(String(d))
  if (m.type === 'transaction' && at.has(m.sequence)) ws.push(performance.now() - at.get(m.sequence))
})
const client = await connect({ endpoint: endpoints.gateway })
const changes = await client.changes()
;(async () => {
  for await (const e of changes)
    if (e.type === 'transaction' && at.has(e.sequence)) native.push(performance.now() - at.get(e.sequence))
})()
await new Promise(r => setTimeout(r, 300))
const q = (l, p) => l.sort((a, b) => a - b)[Math.min(l.length - 1, Math.floor(l.length * p))].toFixed(2)
for (const [rate, count] of [
  [1, 5],
  [100, 1000],
  [1000, 5000],
]) {
  ws.length = native.length = append.length = 0
  const begin = performance.now()
  for (let i = 0; i < count; i++) {
    const due = begin + (i * 1000) / rate
    while (performance.now() < due)
      await new Promise(r => (due - performance.now() > 2 ? setTimeout(r, 1) : setImmediate(r)))
    const s = performance.now()
    at.set(db.log.sequence + 1, s)
    db.log.append({
      committed: Date.now(),
      method: 'pages',
      merged: false,
      tables: [],
      changes: [{ table: 't', operation: 'insert', key: BigInt(i), new: [BigInt(i), 'hello world '.repeat(10)] }],
    })
    append.push(performance.now() - s)
  }
  await new Promise(r => setTimeout(r, 300))
  console.log(
    `${rate}/s: websocket p50 ${q(ws, 0.5)} p99 ${q(ws, 0.99)} (${ws.length}), native p50 ${q(native, 0.5)} p99 ${q(native, 0.99)} (${native.length}), append p50 ${q(append, 0.5)} p99 ${q(append, 0.99)}`,
  )
}
await client.close()
socket.terminate()
await gateway.stop()
await server.stop()
dbs.close()
process.exit()
