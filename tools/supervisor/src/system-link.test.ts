import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ControlServer, socketEndpoints, TapHub } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { expect, test } from 'vitest'
import { Supervisor } from './supervisor.js'
import { SystemLink } from './system-link.js'

test('a stage that answers is alive, one that is not there is not', async () => {
  const runtimeDir = mkdtempSync(join(tmpdir(), 'hotpath-link-'))
  const log = silentLogger
  const events = { onLog: () => {}, onReady: () => {}, onRestart: () => {} }
  const supervisor = new Supervisor({ groups: [], logDirectory: runtimeDir, log, events })
  const stopping = new AbortController().signal
  const link = new SystemLink({ runtimeDir, supervisor, log, stopping, onShutdown: () => {} })
  const store = new ControlServer({
    endpoint: socketEndpoints(runtimeDir)['store-control'],
    identity: { stage: 'store', instance: 's', pid: process.pid },
    health: () => ({ state: 'ready', checks: [] }),
    stats: () => [],
    shutdown: () => {},
    tap: new TapHub(),
  })
  try {
    await store.start()
    await link.start()
    await link.ping('index-store', AbortSignal.timeout(60_000))
    const gone = new AbortController()
    const unanswered = link.ping('gateway', gone.signal)
    gone.abort()
    await expect(unanswered).rejects.toThrow('cancelled')
  } finally {
    await link.stop()
    await store.stop()
    rmSync(runtimeDir, { recursive: true, force: true })
  }
})
