import { realpathSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import {
  fanotifyFollowFileSystem,
  isAtOrBelow,
  isFanotifyMarked,
  isPseudoFileSystem,
  isSharedFileSystemName,
  readMounts,
} from '@hotpath/platform'
import { ExclusionRules, PathExclusion } from '@hotpath/scanner'
import type { Config, Logger } from '@hotpath/service'

export type MarkedTrees = Pick<Config, 'roots' | 'excludes' | 'dataDir' | 'crossDevices'>

/** Answers to a request: something is marked now that was not, or nothing is. */
const MARKED = new Uint8Array([1])
const AS_BEFORE = new Uint8Array([0])

/**
 * Marks the file systems of the configured trees in a fanotify group, for a watcher that may not. No mark is taken away: who follows
 * a file system would not hear of it.
 */
export class FileSystemMarks {
  constructor(
    private readonly fanotifyFd: number,
    private readonly trees: MarkedTrees,
    private readonly log: Logger,
  ) {}

  /** Marks what is not marked yet; returns whether there was something. What cannot be marked is left: the watcher finds another way. */
  refresh(): boolean {
    let isNew = false
    for (const path of this.trees.roots.flatMap(root => mountsOfTree(root, this.trees))) {
      const shown = Buffer.from(path).toString()
      try {
        if (isFanotifyMarked(this.fanotifyFd, path)) continue
        fanotifyFollowFileSystem(this.fanotifyFd, path)
        isNew = true
        this.log.info('file system marked', { path: shown })
      } catch (error) {
        this.log.info('file system cannot be marked', { path: shown, error })
      }
    }
    return isNew
  }

  /** For each byte that a watcher sends: it has found a file system that is not marked. It gets one byte when we have looked. */
  serve(requests: Duplex): void {
    requests.on('data', () => requests.write(this.refresh() ? MARKED : AS_BEFORE))
    // It is gone; the next one has a connection of its own.
    requests.on('error', () => {})
  }
}

/**
 * A path in each file system that belongs to a tree: its root and, where other file systems belong to it, the mount points below. More
 * than the watcher follows do no harm: ignore files are not looked at. Nothing is asked of network file systems, which may not answer.
 */
export function mountsOfTree(root: string, { excludes, dataDir, crossDevices }: MarkedTrees): Uint8Array[] {
  let real: Uint8Array
  try {
    real = new Uint8Array(realpathSync(root, { encoding: 'buffer' }))
  } catch {
    // Not there now: the watcher asks again when it is.
    return []
  }
  if (!crossDevices) return [real]
  const rules = new ExclusionRules({ root: new Uint8Array(Buffer.from(root)), excludes, directories: [dataDir] })
  const exclusion = new PathExclusion(rules, () => null)
  const below = readMounts().filter(({ mountPoint, fileSystem }) => {
    if (mountPoint.length <= real.length || !isAtOrBelow(mountPoint, real)) return false
    if (isPseudoFileSystem(fileSystem) || isSharedFileSystemName(fileSystem)) return false
    return !exclusion.excludes(mountPoint.subarray(real.length === 1 ? 1 : real.length + 1), true)
  })
  return [real, ...below.map(({ mountPoint }) => mountPoint)]
}
