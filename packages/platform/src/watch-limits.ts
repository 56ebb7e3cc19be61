import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What the kernel allows one user of inotify and fanotify (inotify(7), fanotify(7), "/proc interfaces"); undefined where
 * this kernel does not say so.
 */
export interface WatchLimits {
  /** Watches of all instances together: one for each directory that is followed. */
  readonly inotifyWatches: number | undefined
  /** Instances: one for each root that is followed. */
  readonly inotifyInstances: number | undefined
  /** Events that wait in an instance before later ones are lost. */
  readonly inotifyQueuedEvents: number | undefined
  readonly fanotifyGroups: number | undefined
  readonly fanotifyMarks: number | undefined
}

/** Where sysctl(8) has them. */
const SYSCTL_DIRECTORY = '/proc/sys/fs'

/** The sysctl of each limit. */
export const WATCH_SYSCTLS: Readonly<Record<keyof WatchLimits, string>> = {
  inotifyWatches: 'fs.inotify.max_user_watches',
  inotifyInstances: 'fs.inotify.max_user_instances',
  inotifyQueuedEvents: 'fs.inotify.max_queued_events',
  fanotifyGroups: 'fs.fanotify.max_user_groups',
  fanotifyMarks: 'fs.fanotify.max_user_marks',
}

export function readWatchLimits(directory = SYSCTL_DIRECTORY): WatchLimits {
  const read = (limit: keyof WatchLimits): number | undefined => {
    const file = WATCH_SYSCTLS[limit].slice('fs.'.length).replace('.', '/')
    try {
      const text = readFileSync(join(directory, file), 'latin1').trim()
      return /^\d{1,15}$/.test(text) ? Number(text) : undefined
    } catch {
      return undefined
    }
  }
  return {
    inotifyWatches: read('inotifyWatches'),
    inotifyInstances: read('inotifyInstances'),
    inotifyQueuedEvents: read('inotifyQueuedEvents'),
    fanotifyGroups: read('fanotifyGroups'),
    fanotifyMarks: read('fanotifyMarks'),
  }
}

/** Limits are raised to multiples of this, so that some growth does not meet the next one. */
const STEP = 65_536

/** The commands that raise a limit, now and for good, to what `need` takes and a quarter more. */
export function raiseLimit(limit: keyof WatchLimits, need: number): { now: string; forGood: string } {
  const step = limit === 'inotifyWatches' || limit === 'fanotifyMarks' ? STEP : 128
  const value = Math.ceil((need * 1.25) / step) * step
  const setting = `${WATCH_SYSCTLS[limit]}=${value}`
  return { now: `sysctl -w ${setting}`, forGood: `echo ${setting} >> /etc/sysctl.d/60-hotpath.conf` }
}
