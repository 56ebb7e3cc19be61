import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { ControlServer, encodeEnvelope, searchRequest, socketEndpoints, TapHub } from '@hotpath/protocol'
import { stageDirectories } from '@hotpath/service'
import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex } from '../testing/fake-index.js'

const cli = commandTests()
const { hotpath } = cli

test('tap shows the traffic of a process, escaped, until it is interrupted', async () => {
  const data = join(cli.directory, 'd')
  const { runtime } = stageDirectories(data)
  mkdirSync(runtime, { recursive: true })
  const hub = new TapHub()
  const identity = { stage: 'store', instance: 'the-store', pid: process.pid } as const
  const control = new ControlServer({
    endpoint: socketEndpoints(runtime)['store-control'],
    identity,
    health: () => ({ state: 'ready', checks: [] }),
    stats: () => [],
    shutdown: () => {},
    tap: hub,
  })
  await control.start()
  const interrupt = new AbortController()
  const text: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text.push(chunk.toString())
      if (text.length === 2) interrupt.abort()
      done()
    },
  })
  try {
    const tapping = hotpath(['tap', 'store-ingest', '--data', data], new FakeIndex([]), {
      out: stream,
      interrupted: interrupt.signal,
    })
    await expect.poll(() => hub.active, { timeout: 30_000 }).toBe(true)
    const envelope = encodeEnvelope({
      requestId: 7,
      sender: 'me\u009b',
      deadlineMs: 0,
      body: { type: 'searchRequest', value: searchRequest('a\u001b') },
    })
    hub.record('in', socketEndpoints(runtime)['store-query'], 'p', envelope)
    hub.record('in', socketEndpoints(runtime)['store-ingest'], 'p', envelope)
    hub.record('out', socketEndpoints(runtime)['store-ingest'], 'p', Buffer.from('garbage'))
    expect((await tapping).code).toBe(0)
    expect(text[0]).toMatch(/^\d+\.\d{6} > store-ingest #7 searchRequest /)
    expect(text[1]).toMatch(/^\d+\.\d{6} < store-ingest unreadable, 7 bytes/)
    expect(text.join('')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    const unknown = await hotpath(['tap', 'nonsense', '--data', data], new FakeIndex([]))
    expect(unknown.code).toBe(2)
  } finally {
    await control.stop()
    rmSync(runtime, { recursive: true, force: true })
  }
})
