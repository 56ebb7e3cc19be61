import { expect, test } from 'vitest'
import { checkWatching } from './inspect-watching.js'

const LIMITS = {
  inotifyWatches: 8_192,
  inotifyInstances: 128,
  inotifyQueuedEvents: 16_384,
  fanotifyGroups: 128,
  fanotifyMarks: 8_192,
}

test('says limit, need and the line that raises it', () => {
  const findings = checkWatching(500_000, LIMITS, 'EPERM')
  expect(findings.map(({ state, what }) => [state, what])).toEqual([
    ['note', 'fanotify'],
    ['bad', 'inotify watches'],
    ['note', 'polling'],
    ['good', 'inotify instances'],
    ['good', 'inotify queue'],
  ])
  expect(findings[1].detail).toBe(
    '8,192 for this user, 500,000 are needed for the directories of the index; raise it as root: ' +
      'sysctl -w fs.inotify.max_user_watches=655360; and for good: ' +
      'echo fs.inotify.max_user_watches=655360 >> /etc/sysctl.d/60-hotpath.conf',
  )
})

test('takes a limit that is enough, and one that fanotify makes needless, for no fault', () => {
  expect(checkWatching(7_000, LIMITS, 'EPERM').map(({ state }) => state)).toEqual(['note', 'good', 'good', 'good'])
  const [fanotify, watches] = checkWatching(500_000, LIMITS, undefined)
  expect(fanotify.state).toBe('good')
  expect(fanotify.detail).toContain(
    'others that refuse it are followed by inotify, network file systems and FUSE are polled',
  )
  expect(watches.state).toBe('note')
  expect(watches.detail).toContain('if fanotify is refused')
})

test('guesses the need where there is no index yet', () => {
  const [, watches] = checkWatching(0, LIMITS, 'EPERM')
  expect(watches.state).toBe('note')
  expect(watches.detail).toContain('65,536 are needed for many homes')
})

test('says where there is no inotify', () => {
  const none = { ...LIMITS, inotifyWatches: undefined }
  expect(checkWatching(1, none, 'ENOSYS').map(({ detail }) => detail)).toContain('this system has none')
})

test('says that a tree is polled that has nearly as many directories as may be watched', () => {
  const polling = checkWatching(8_000, LIMITS, 'EPERM').find(({ what }) => what === 'polling')
  expect(polling?.detail).toContain('more directories than seven eighths of 8,192 they are polled')
  expect(checkWatching(8_000, LIMITS, undefined).map(({ what }) => what)).not.toContain('polling')
})
