import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Peer } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { openStore, type Store } from '@hotpath/store'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { RootKeeper } from './root-keeper.js'

const SPEC = { id: 'r', kind: 'tree', path: '/r' } as const
const SCANNER = { identity: { stage: 'scanner', instance: 's', pid: 1 } } as unknown as Peer

let directory: string
let store: Store
let keeper: RootKeeper
let said: string[]

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-keeper-'))
  store = await openStore({ directory })
  said = []
  keeper = new RootKeeper({
    store,
    sources: {
      scanners: () => [SCANNER],
      watchers: () => [],
      commandScan: (_peer, root, epoch) => said.push(`scan ${root.id} ${epoch}`),
      cancelScan: (_peer, root, epoch) => said.push(`cancel ${root} ${epoch}`),
      commandWatch: () => {},
      commandUnwatch: () => {},
      commandList: () => {},
      commandCheck: () => {},
      cancelCheck: () => {},
      passBarrier: async () => true,
    },
    log: silentLogger,
    watch: false,
    scan: true,
    scanOptions: { excludes: [], crossFileSystems: false, threads: 1, namesOnly: false },
    verify: { rate: 0 },
    onGap: () => {},
    onFresh: root => said.push(`fresh ${root} ${keeper.freshOf(root)?.state}`),
    onProgress: () => {},
  })
})

afterEach(async () => {
  keeper.stop()
  await store.close()
  rmSync(directory, { recursive: true })
})

it('cancels scans when the index cannot be written, begins no other, and says why', async () => {
  keeper.start([SPEC])
  expect(said).toContain('scan r 1')
  said.length = 0
  keeper.storageFailed('no room')
  expect(said).toEqual(['cancel r 1', 'fresh r catching-up'])
  keeper.rescan('')
  keeper.scannerCame()
  await keeper.scannerLost('s')
  expect(said.filter(line => line.startsWith('scan'))).toEqual([])
  await expect.poll(() => keeper.fresh().lagMs).toBeGreaterThan(0)
  expect(keeper.statuses()[0]).toMatchObject({ reason: 'no room', fresh: { state: 'catching-up' } })
})
