/** What statfs(2) says of a file system: blocks for everybody, inodes. */
export interface Room {
  readonly bsize: number
  readonly blocks: number
  readonly bavail: number
  readonly files: number
  readonly ffree: number
}

/** What the log may grow to before its views are flushed: less would be full again at once. */
const ENOUGH_BYTES = 64 * 1024 * 1024
/** Of a small disk: an eighth. A guess; below it a flush of 3 MB and a merge have no room. */
const ENOUGH_SHARE = 1 / 8
/** Files that are made while the index is opened: a log, a manifest, segments. */
const ENOUGH_FILES = 64

/** True if the index can be written again, with a margin, so that it does not go to and fro. */
export function isRoomy({ bsize, blocks, bavail, files, ffree }: Room): boolean {
  const enoughBytes = Math.min(ENOUGH_BYTES, blocks * bsize * ENOUGH_SHARE)
  // Some file systems (btrfs) make inodes as they are needed, and count none.
  return bavail * bsize >= enoughBytes && (files === 0 || ffree >= ENOUGH_FILES)
}
