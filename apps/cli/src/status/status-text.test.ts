import type { Metric } from '@hotpath/protocol'
import { expect, test } from 'vitest'
import type { ReportedStage, StageReport } from '../stage-reports.js'
import { FakeIndex } from '../testing/fake-index.js'
import { cachesOf, hitRate } from './caches.js'
import { describeStatus, type SystemStatus } from './status-text.js'

const metric = (name: string, value: number, labels: Record<string, string> = {}): Metric => ({
  name,
  kind: 'gauge',
  value,
  labels: Object.entries(labels).map(([label, text]) => ({ name: label, value: text })),
})

const MB = 1_048_576

function report(stage: ReportedStage, ...metrics: Metric[]): StageReport {
  const memory = [
    metric('hotpath_process_resident_bytes', 90 * MB),
    metric('hotpath_process_anonymous_bytes', 50 * MB),
    metric('hotpath_process_heap_used_bytes', 10 * MB),
  ]
  return {
    stage,
    pid: 4_194_303,
    state: 'degraded',
    uptimeMs: 9_999 * 86_400_000,
    checks: [],
    metrics: [...memory, ...metrics],
  }
}

const caches = ['replies', 'results', 'paths'].flatMap(cache => [
  metric('hotpath_cache_hits_total', 75, { cache }),
  metric('hotpath_cache_misses_total', 25, { cache }),
  metric('hotpath_cache_entries', 1_000, { cache }),
  metric('hotpath_cache_bytes', 5 * MB, { cache }),
])

function status(searches: number, atMs: number): SystemStatus {
  return {
    index: undefined,
    problem: 'x',
    databases: [],
    atMs,
    stages: [
      report('supervisor', metric('hotpath_stage_restarts_total', 3, { stage: 'index-store' })),
      report('scanner'),
      report('watcher', metric('hotpath_watch_present_total', 5), metric('hotpath_watch_absent_total', 6)),
      report('store', ...caches, metric('hotpath_wal_records_total', 7), metric('hotpath_searches_total', searches)),
      report('gateway'),
    ],
  }
}

test('memory by part adds up to what is resident', () => {
  const lines = describeStatus(status(0, 0))
  const head = lines.findIndex(line => line.startsWith('stage'))
  expect(lines[head]).toBe('stage          pid  state         up restarts resident   heap  other  files')
  expect(lines.find(line => line.startsWith('store'))).toBe(
    'store      4194303  degraded 9999d0h        3      90M    10M    40M    40M',
  )
})

test('caches by whatever metrics there are', () => {
  expect(
    cachesOf([...caches.slice(0, 4), metric('hotpath_cache_reply_hits_total', 1), metric('hotpath_cached', 1)]),
  ).toEqual([
    { name: 'replies', hits: 75, misses: 25, entries: 1_000, bytes: 5 * MB },
    { name: 'reply', hits: 1, misses: undefined, entries: undefined, bytes: undefined },
  ])
  expect(hitRate({ name: '', hits: 0, misses: 0, entries: 0, bytes: 0 })).toBeUndefined()
  expect(describeStatus(status(0, 0))).toContain(
    'cache of the store, replies: 75 % of 100 found, 1,000 entries, 5.00 MB',
  )
})

test('rates are those since the last look, or averages', () => {
  const average = describeStatus({
    ...status(0, 0),
    stages: status(0, 0).stages.map(one => ({ ...one, uptimeMs: 2_000 })),
  })
  expect(average).toContain('  7 batches of changes written (3.5/s)')
  expect(describeStatus(status(150, 3_000), status(100, 1_000))).toContain('  150 searches (25/s)')
  // Another process counts anew.
  const before = status(1_000_000, 1_000)
  const restarted = { ...before, stages: before.stages.map(one => ({ ...one, pid: 1 })) }
  expect(describeStatus(status(150, 3_000), restarted).join()).not.toContain('-')
})

test('with one root it has room on a screen of 80 × 24', async () => {
  const { roots, ...rest } = await new FakeIndex([]).status()
  const [{ scan: _, ...root }] = roots as [(typeof roots)[0]]
  const one = { ...root, root: { ...root.root, path: '/srv/projects' }, reason: '' }
  const index = { ...rest, fresh: { ...rest.fresh, dirtySubtrees: [] }, storage: 'writable' as const, roots: [one] }
  const lines = describeStatus({ ...status(1, 1), index })
  expect(lines.length).toBeLessThanOrEqual(24)
  for (const line of lines) expect({ line, fits: line.length <= 80 }).toEqual({ line, fits: true })
})
