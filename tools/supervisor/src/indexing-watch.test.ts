import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RootStatus, RouterServer, type StatusReply, socketEndpoints } from '@hotpath/protocol'
import { expect, test } from 'vitest'
import { type IndexingNews, newsOf, watchIndexing } from './indexing-watch.js'

const fresh = { state: 'catching-up', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const

function root(path: string, partial: boolean, entries: number, knownTotal?: number): RootStatus {
  const progress = { root: path, epoch: 1, entries, directories: 1, errors: 0 }
  const scan = { ...progress, currentDirectory: Buffer.from(`${path}/now`), knownTotal: knownTotal ?? Number.NaN }
  return {
    root: { id: path, kind: 'tree', path },
    entries: partial ? 0 : entries,
    directories: 1,
    segments: 1,
    indexBytes: 1,
    deltaRows: 0,
    fresh,
    mechanism: 'none',
    partial,
    reason: '',
    checked: 0,
    wrong: 0,
    repaired: 0,
    losses: 0,
    ...(partial ? { scan } : {}),
  }
}

function status(...roots: RootStatus[]): StatusReply {
  const entries = roots.reduce((sum, { entries }) => sum + entries, 0)
  return {
    version: '0.1.0',
    clock: 'c',
    fresh,
    partial: roots.some(({ partial }) => partial),
    stages: [],
    roots,
    entries,
    segments: 1,
    indexBytes: 1,
    walBytes: 0,
    storage: 'writable',
    storageReason: '',
    caches: [],
  }
}

test('progress is that of all roots, and a total is known only if that of each is', () => {
  expect(newsOf(status())).toBeUndefined()
  expect(newsOf(status(root('/a', false, 5), root('/b', true, 10, 100)))).toEqual({
    state: 'indexing',
    progress: { entries: 15, knownTotal: 105, directory: '/b/now' },
  })
  expect(newsOf(status(root('/a', true, 5), root('/b', true, 10, 100)))).toMatchObject({
    progress: { entries: 15, knownTotal: undefined, directory: '/a/now' },
  })
  expect(newsOf(status(root('/a', false, 5)))).toEqual({ state: 'complete', entries: 5 })
})

test('asks until the first scan is complete, through a store that comes late', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-watch-'))
  const endpoints = socketEndpoints(directory)
  const identity = { stage: 'supervisor', instance: 'watch', pid: process.pid } as const
  const replies = [status(root('/a', true, 5)), status(root('/a', true, 50)), status(root('/a', false, 77))]
  const server = new RouterServer({
    endpoint: endpoints['store-query'],
    identity: { stage: 'store', instance: 'store', pid: process.pid },
    onMessage: () => ({ type: 'statusReply', value: replies.length > 1 ? replies.shift()! : replies[0]! }),
  })
  const news: IndexingNews[] = []
  const watching = watchIndexing(endpoints, identity, new AbortController().signal, one => news.push(one))
  try {
    await server.start()
    await watching
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  expect(news.map(one => (one.state === 'complete' ? one.entries : one.progress.entries))).toEqual([5, 50, 77])
})

test('ends when it is told to, with nobody there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-watch-'))
  const stop = new AbortController()
  const identity = { stage: 'supervisor', instance: 'watch', pid: process.pid } as const
  const watching = watchIndexing(socketEndpoints(directory), identity, stop.signal, () => {})
  stop.abort()
  await watching
  rmSync(directory, { recursive: true, force: true })
})
