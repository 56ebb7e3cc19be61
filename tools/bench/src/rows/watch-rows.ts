import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMegabytes } from '../format.js'
import { memoryOf, stageOf } from '../process-tree.js'
import { type BenchRow, row } from '../report.js'
import { totalBecomes } from '../total-becomes.js'
import { type WatchedSystem, withWatchedTree } from '../watched-system.js'

const MILLION = 1_000_000
/** Directories in one: a tree is rarely flat. */
const FAN_OUT = 1_000
const GIVE_UP_MS = 60_000
/** Memory of the kernel for a directory of a tmpfs, with room to spare. */
const TMPFS_BYTES = 3_000
/** Share of the watches that one user may have: others need some, too. */
const INOTIFY_SHARE = 0.75

interface Footprint {
  /** Descriptors of all processes. */
  readonly descriptors: number
  /** What the kernel lists in the descriptors of the watcher. */
  readonly watches: number
  readonly watcherBytes: number
  /** Memory of the kernel that it cannot give back, of the whole machine. */
  readonly kernelBytes: number
}

/** What following many directories costs: descriptors, watches and memory. */
export async function watchRows(context: BenchContext): Promise<BenchRow[]> {
  const limit = Number(readFileSync('/proc/sys/fs/inotify/max_user_watches', 'latin1'))
  const inotify = Math.min(context.scale(150_000, 2_000), Math.floor(limit * INOTIFY_SHARE))
  return [
    await watchRow(context, 'watch.privileged', context.scale(MILLION, 2_000), false),
    await watchRow(context, 'watch.unprivileged', inotify, true),
  ]
}

/** Costs are those beyond a tree of one directory, scaled to a million. */
async function watchRow(
  context: BenchContext,
  id: string,
  directories: number,
  isUnprivileged: boolean,
): Promise<BenchRow> {
  const what = `descriptors and memory for following ${formatCount(directories)} directories${isUnprivileged ? ' without privilege' : ''}`
  context.log(what)
  const empty = await withWatchedTree(context, `${id}-one`, watched => footprintOf(context, watched), {
    isUnprivileged,
  })
  if (!('measured' in empty)) return row({ id, what, skipped: empty.skipped })
  const base = placeFor(directories) ?? context.folder
  const tree = mkdtempSync(join(base, 'hotpath-bench-watch-'))
  try {
    const outcome = await withWatchedTree(
      context,
      id,
      async watched => {
        await totalBecomes(watched.client, 'folder:', directories + 1, GIVE_UP_MS)
        return { full: await footprintOf(context, watched), mechanism: watched.mechanism }
      },
      { isUnprivileged, tree, prepare: folder => makeDirectories(folder, directories) },
    )
    if (!('measured' in outcome)) return row({ id, what, skipped: outcome.skipped })
    const { full, mechanism } = outcome.measured
    const scale = MILLION / directories
    const watcherBytes = Math.max(0, full.watcherBytes - empty.measured.watcherBytes) * scale
    const kernelBytes = Math.max(0, full.kernelBytes - empty.measured.kernelBytes) * scale
    const scaled = directories === MILLION ? '' : ', scaled'
    return row({
      id,
      what: `${what}, by ${mechanism}`,
      ours: {
        text: `${formatCount(full.descriptors)} descriptors (${formatCount(empty.measured.descriptors)} for one directory), ${formatCount(full.watches)} watches; a million: watcher ${formatMegabytes(watcherBytes)}, kernel ${formatMegabytes(kernelBytes)}${scaled}`,
        figures: {
          descriptors: full.descriptors,
          descriptorsForOne: empty.measured.descriptors,
          watches: full.watches,
          watcherBytesPerMillion: watcherBytes,
          kernelBytesPerMillion: kernelBytes,
        },
      },
    })
  } finally {
    rmSync(tree, { recursive: true })
  }
}

/** A file system in memory with room for so many directories. */
function placeFor(directories: number): string | undefined {
  const place = '/dev/shm'
  if (!existsSync(place)) return undefined
  const { bavail, bsize, ffree } = statfsSync(place)
  const free = Number(/^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? 0) * 1024
  const needed = directories * TMPFS_BYTES
  return Math.min(bavail * bsize, free) > needed && ffree > directories ? place : undefined
}

function makeDirectories(folder: string, count: number): void {
  const tops = Math.ceil(count / (FAN_OUT + 1))
  for (let top = 0, made = 0; top < tops; top++) {
    const above = join(folder, `part-${top}`)
    mkdirSync(above)
    made++
    for (let i = 0; i < FAN_OUT && made < count; i++, made++) mkdirSync(join(above, `directory-${i}`))
  }
}

async function footprintOf(context: BenchContext, { system }: WatchedSystem): Promise<Footprint> {
  await system.settle(context.scale(4_000, 500))
  const { pids } = system
  const watcher = pids.find(pid => stageOf(pid) === 'journal-watcher')
  if (watcher === undefined) throw new UnavailableError('there is no watcher')
  const descriptors = pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
  const watches = readdirSync(`/proc/${watcher}/fdinfo`).reduce((sum, fd) => sum + marksOf(watcher, fd), 0)
  const unreclaimable = Number(/^SUnreclaim: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? 0)
  return {
    descriptors,
    watches,
    watcherBytes: memoryOf([watcher]).anonymousBytes,
    kernelBytes: unreclaimable * 1024,
  }
}

/** Watches of inotify and marks of fanotify of a descriptor (proc_pid_fdinfo(5)). */
function marksOf(pid: number, fd: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1')
    return text.match(/^(?:inotify wd|fanotify (?:ino|mnt_id|sdev)):/gm)?.length ?? 0
  } catch {
    return 0
  }
}
