import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monotonicMicros } from '@hotpath/platform'
import { afterEach, describe, expect, it } from 'vitest'
import type { MechanismChoice } from './follow-root.js'
import { fanotifyProblem } from './testing/privilege.js'
import { WatchedStore, type WatchedStoreOptions } from './testing/watched-store.js'
import { REPORT_MS } from './watch-reports.js'

const mechanisms: MechanismChoice[] = fanotifyProblem() === '' ? ['inotify', 'fanotify'] : ['inotify']

let open: WatchedStore | undefined
afterEach(() => {
  open?.close()
  open = undefined
})

async function watched(options: WatchedStoreOptions, prepare = (_at: WatchedStore) => {}): Promise<WatchedStore> {
  open = new WatchedStore(options)
  prepare(open)
  await open.start()
  return open
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 5))
}

function takeAgain(at: WatchedStore): void {
  at.takes = true
  at.watcher.roomAvailable()
}

describe.each(mechanisms)('reports of a root that is followed by %s', mechanism => {
  it('say since when names wait, a few times a second, and when none does any more', async () => {
    const at = await watched({ mechanism })
    at.takes = false
    const startedAt = performance.now()
    const before = monotonicMicros()
    for (let i = 0; i < 7; i++) writeFileSync(join(at.root, `${i}`), 'x')
    await until(() => at.reports.length >= 3)
    const after = monotonicMicros()
    for (const { root, oldest, waiting } of at.reports) {
      expect(root).toBe('root')
      expect(oldest).toBeGreaterThan(before)
      expect(oldest).toBeLessThanOrEqual(after - REPORT_MS * 1_000)
      // And what others do on the same file system: it is not looked at yet whose names they are.
      expect(waiting).toBeGreaterThanOrEqual(7)
    }
    expect(at.reports.length).toBeLessThanOrEqual((performance.now() - startedAt) / REPORT_MS)
    takeAgain(at)
    await until(() => Number.isNaN(at.reports.at(-1)!.oldest))
    expect(at.reports.at(-1)).toEqual({ root: 'root', oldest: Number.NaN, waiting: 0, directories: [] })
    // What is done at once is not reported.
    const count = at.reports.length
    writeFileSync(join(at.root, 'more'), 'x')
    await at.settle()
    await new Promise(resolve => setTimeout(resolve, 2 * REPORT_MS))
    expect(at.reports.length).toBe(count)
  })

  it('name directories that are to be listed, 16 at most', async () => {
    const at = await watched({ mechanism, bounds: { dirtyNames: 10 } }, ({ root }) => {
      for (let i = 0; i < 20; i++) mkdirSync(join(root, `d${i}`))
    })
    // Where a directory is is known when something was looked at in it.
    for (let i = 0; i < 20; i++) writeFileSync(join(at.root, `d${i}/first`), 'x')
    await at.settle()
    at.takes = false
    for (let i = 0; i < 20; i++)
      for (let name = 0; name < 10; name++) writeFileSync(join(at.root, `d${i}/${name}`), 'x')
    await until(() => at.reports.length >= 1)
    const { directories } = at.reports.at(-1)!
    expect(directories.length).toBeGreaterThan(0)
    expect(directories.length).toBeLessThanOrEqual(16)
    const paths = directories.map(path => Buffer.from(path).toString())
    expect(new Set(paths).size).toBe(paths.length)
    for (const path of paths) expect(path).toMatch(new RegExp(`^${at.root}/d\\d+$`))
    takeAgain(at)
    expect(await at.settle()).toEqual([])
  })
})

it('a polled root reports visits that are late', async () => {
  const at = await watched(
    { mechanism: 'polling', pace: { shortest: 1, longest: 1, filesEvery: 1, share: 1e-6 } },
    ({ root }) => {
      for (let i = 0; i < 20; i++) mkdirSync(join(root, `d${i}`))
    },
  )
  await until(() => at.reports.length > 0)
  const { oldest, waiting } = at.reports[0]!
  expect(monotonicMicros() - oldest).toBeGreaterThanOrEqual(REPORT_MS * 1_000)
  expect(waiting).toBeGreaterThan(0)
})
