import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { raiseLimit, readWatchLimits } from './watch-limits.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotpath-limits-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

it('reads what the kernel says', () => {
  mkdirSync(join(folder, 'inotify'))
  writeFileSync(join(folder, 'inotify/max_user_watches'), '8192\n')
  writeFileSync(join(folder, 'inotify/max_user_instances'), 'many\n')
  expect(readWatchLimits(folder)).toEqual({
    inotifyWatches: 8192,
    inotifyInstances: undefined,
    inotifyQueuedEvents: undefined,
    fanotifyGroups: undefined,
    fanotifyMarks: undefined,
  })
})

it('raises a limit to more than is needed', () => {
  expect(raiseLimit('inotifyWatches', 500_000)).toEqual({
    now: 'sysctl -w fs.inotify.max_user_watches=655360',
    forGood: 'echo fs.inotify.max_user_watches=655360 >> /etc/sysctl.d/60-hotpath.conf',
  })
  expect(raiseLimit('inotifyInstances', 128).now).toBe('sysctl -w fs.inotify.max_user_instances=256')
})
