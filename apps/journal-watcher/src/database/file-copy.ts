import { performance } from 'node:perf_hooks'
import type { Advance, LoggedCommit, LogTracker } from './log-tracker.js'
import type { OpenFile } from './open-file.js'
import { hasHotJournal } from './rollback-journal.js'
import { isReserved, tryShare, unshare } from './sqlite-locks.js'

/** Longest time for which the database is locked: half of what a writer may notice. */
const SLICE_MS = 5
/** Read at once; less than a millisecond from the page cache. */
const CHUNK_BYTES = 1024 * 1024
/** A writer that has the database for itself is waited for so long at a time, then other things are looked at. */
const LOCK_ATTEMPTS = 200
const LOCK_WAIT_MS = 0.3
/** Slices are this far apart while somebody has said that he will write: he needs the database for himself. */
const GIVE_WAY_MS = 2

/** What is done with the pages of the database. */
export interface CopyTarget {
  /** Pages of the file from `first` on, of which those that `isWanted` are to be taken. Bytes are not kept. */
  take(first: number, bytes: Uint8Array, isWanted: (no: number) => boolean): void
  /** A transaction that is in the log: its pages replace all others. */
  log(commit: LoggedCommit): void
}

/** `busy`: the database is locked, or was changed meanwhile: again, later. */
export type CopyResult = { readonly pageCount: number | undefined } | 'busy' | 'stopped'

/**
 * Reads a database in slices while it is being written, so that what was read is one of its states in the end: pages that
 * a checkpoint may write meanwhile are all in the log, which is read along. Without a log each slice is under SQLite's SHARED lock, and what was read
 * is of one state if the first page, which has the counter of changes, is the same all the time.
 *
 * @param isStopped looked at between slices
 * @returns pages of the database if the log says how many
 */
export function copyDatabase(
  file: OpenFile,
  pageSize: number,
  tracker: LogTracker,
  target: CopyTarget,
  isStopped: () => boolean,
): CopyResult {
  const logged = new Set<number>()
  let pageCount: number | undefined
  const take = (commit: LoggedCommit): void => {
    for (const no of commit.pages.numbers()) logged.add(no)
    pageCount = commit.pageCount
    target.log(commit)
  }
  const follow = (): Advance => tracker.advance(take)
  tracker.begin()
  if (follow() === 'missed') return 'busy'
  const isWanted = (no: number): boolean => !logged.has(no)
  const chunkPages = Math.max(1, Math.floor(CHUNK_BYTES / pageSize))
  const chunk = new Uint8Array(chunkPages * pageSize)
  let firstPage: Uint8Array | undefined
  let isEnd = false
  for (let next = 1; !isEnd; ) {
    if (isStopped()) return 'stopped'
    const isLocked = !tracker.hasLog
    if (isLocked && !share(file)) return 'busy'
    try {
      if (isLocked) {
        const now = file.read(0, pageSize)
        firstPage ??= now
        if (Buffer.compare(firstPage, now) !== 0 || hasHotJournal(file)) return 'busy'
      }
      const end = performance.now() + SLICE_MS
      do {
        const pages = Math.floor(file.readInto(chunk, (next - 1) * pageSize) / pageSize)
        if (pages > 0) target.take(next, chunk.subarray(0, pages * pageSize), isWanted)
        next += pages
        isEnd = pages < chunkPages
      } while (!isEnd && performance.now() < end)
    } finally {
      if (isLocked) unshare(file.fd)
    }
    if (follow() === 'missed') return 'busy'
    if (isLocked && !isEnd && isReserved(file.fd)) sleep(GIVE_WAY_MS)
  }
  return { pageCount }
}

/** Takes the SHARED lock, waiting for a writer for a while. */
export function share(file: OpenFile): boolean {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
    if (tryShare(file.fd)) return true
    sleep(LOCK_WAIT_MS)
  }
  return false
}

const sleepCell = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this thread; fractions of a millisecond count. */
export function sleep(ms: number): void {
  Atomics.wait(sleepCell, 0, 0, ms)
}
