import { statfs } from 'node:fs/promises'

/** What statfs(2) says of a file system: blocks for everybody, inodes. */
export interface Room {
  readonly bsize: number
  readonly blocks: number
  readonly bavail: number
  readonly files: number
  readonly ffree: number
}

/** Often enough for a person who has just made room and looks at the page; one system call each. */
const LOOK_MS = 3_000
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

/** Waits for room on a full disk. */
export class RoomWatch {
  private timer: NodeJS.Timeout | undefined
  private stopped = false

  /** @param onRoom called once, when there is room */
  constructor(
    private readonly directory: string,
    private readonly onRoom: () => void,
    private readonly look: (directory: string) => Promise<Room> = statfs,
  ) {}

  start(): void {
    this.timer = setTimeout(() => void this.tick(), LOOK_MS)
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
  }

  private async tick(): Promise<void> {
    // A disk that does not say how full it is has no room for us.
    const roomy = await this.look(this.directory).then(isRoomy, () => false)
    if (this.stopped) return
    if (roomy) this.onRoom()
    else this.start()
  }
}
