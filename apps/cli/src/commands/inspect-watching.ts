import { closeSync } from 'node:fs'
import { fanotifyInit, raiseLimit, readWatchLimits, type WatchLimits } from '@hotpath/platform'
import type { Finding } from './finding.js'

/** Without an index nobody knows how many directories there will be; home directories with more than this many are common. */
const USUAL_DIRECTORIES = 65_536
/** Instances that other programs of the user leave over. */
const NEEDED_INSTANCES = 16
/** Events of a busy second: with fewer places in the queue a pause of the reader loses some, and trees are read again. */
const NEEDED_QUEUE = 16_384

/** Each file system that is mounted in a tree is followed by itself (docs/watching.md). */
const SHARED = 'network file systems and FUSE are polled'
const OTHERWISE = `overlays and others that refuse it are followed by inotify, ${SHARED}`

/** What the kernel allows for following changes, what is needed, and how to raise what is too low. */
export function checkWatching(
  directories: number,
  limits: WatchLimits = readWatchLimits(),
  fanotifyProblem: string | undefined = fanotifyRefusal(),
): Finding[] {
  const findings: Finding[] = [
    fanotifyProblem === undefined
      ? { state: 'good', what: 'fanotify', detail: `whole file systems can be watched; ${OTHERWISE}` }
      : {
          state: 'note',
          what: 'fanotify',
          detail: `not allowed to this user (${fanotifyProblem}); a system that is started so uses inotify instead, one watch for each directory; ${SHARED}`,
        },
  ]
  if (limits.inotifyWatches === undefined) {
    return [...findings, { state: 'note', what: 'inotify watches', detail: 'this system has none' }]
  }
  // Where fanotify works inotify is for the file systems only that it refuses (overlay, FUSE).
  const isSpare = fanotifyProblem === undefined
  const need = Math.max(directories, directories === 0 ? USUAL_DIRECTORIES : 1)
  const reason = directories === 0 ? 'for many homes (there is no index yet)' : 'for the directories of the index'
  const check = (what: string, limit: keyof WatchLimits, needed: number, why: string): void => {
    const value = limits[limit]
    if (value === undefined) return
    const figures = `${grouped(value)} for this user, ${grouped(needed)} are needed ${why}`
    if (value >= needed) findings.push({ state: 'good', what, detail: figures })
    else {
      const { now, forGood } = raiseLimit(limit, needed)
      const detail = `${figures}${isSpare ? ', if fanotify is refused' : ''}; raise it as root: ${now}; and for good: ${forGood}`
      findings.push({ state: isSpare || directories === 0 ? 'note' : 'bad', what, detail })
    }
  }
  check('inotify watches', 'inotifyWatches', need, reason)
  // Where the watcher stops to watch (docs/watching.md).
  if (!isSpare && directories > Math.floor((limits.inotifyWatches * 7) / 8)) {
    const detail = `where a tree has more directories than seven eighths of ${grouped(limits.inotifyWatches)} they are polled: changes show up to 10 minutes late`
    findings.push({ state: 'note', what: 'polling', detail })
  }
  check('inotify instances', 'inotifyInstances', NEEDED_INSTANCES, 'beside other programs')
  check('inotify queue', 'inotifyQueuedEvents', NEEDED_QUEUE, 'for the events of a busy second')
  return findings
}

function fanotifyRefusal(): string | undefined {
  try {
    closeSync(fanotifyInit({ unlimited: true }))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}
