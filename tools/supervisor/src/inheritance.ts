import { closeSync } from 'node:fs'
import {
  capabilitiesOf,
  clearAmbientCapabilities,
  createEventJournal,
  fanotifyInit,
  nativeProblem,
} from '@hotpath/platform'
import type { Config, Logger } from '@hotpath/service'
import type { FileSystemMarks } from './file-system-marks.js'
import type { WatcherInheritance, WatcherMarks } from './stages.js'

/** From here on programs that we start have none of our capabilities. Root's have them in any case. */
export function keepCapabilitiesToOurselves(): void {
  if (nativeProblem() === null && capabilitiesOf().ambient !== 0n) clearAmbientCapabilities()
}

/**
 * Opens what outlives each watcher: the fanotify group, which dies with the last process that holds it, and the memory for the
 * events that were read from it. Undefined where that is not allowed; the watcher finds another way then.
 *
 * @param marked whose trees are marked for the watcher; undefined: it does that itself
 */
export function openInheritance(log: Logger, marked: Config | undefined): WatcherInheritance | undefined {
  let fanotifyFd: number | undefined
  try {
    fanotifyFd = fanotifyInit({ unlimited: true })
    const marks = marked === undefined ? undefined : marksOf(fanotifyFd, marked, log)
    return { fanotifyFd, journalFd: createEventJournal(), marks }
  } catch (error) {
    log.info('no fanotify group', { error })
    if (fanotifyFd !== undefined) closeSync(fanotifyFd)
    return undefined
  }
}

/** What marks is loaded when the watcher is to start: the index answers by then. */
function marksOf(fanotifyFd: number, config: Config, log: Logger): WatcherMarks {
  let marks: Promise<FileSystemMarks> | undefined
  const load = async () => {
    const { FileSystemMarks } = await import('./file-system-marks.js')
    const loaded = new FileSystemMarks(fanotifyFd, config, log)
    loaded.refresh()
    return loaded
  }
  return {
    async prepare() {
      marks ??= load()
      await marks
    },
    serve(requests) {
      void marks?.then(loaded => loaded.serve(requests))
    },
  }
}
