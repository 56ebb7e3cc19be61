import { type FileHandle, open, statfs } from 'node:fs/promises'
import type { Lack } from '@hotpath/model'
import { isRoomy } from './disk-room.js'

/** Often enough for a person who has just made room and looks at the page; a few system calls each. */
const LOOK_MS = 3_000
/**
 * Looks before it is tried anyway: descriptors and memory may be this process's own, and come back only with its end. On a
 * full disk that would be of no use.
 */
const MOST_LOOKS: Readonly<Record<Lack, number>> = { room: Number.POSITIVE_INFINITY, descriptors: 10, memory: 10 }
/** Files that are open at once while an index is opened and written, and a margin. A guess. */
const ENOUGH_DESCRIPTORS = 64

/** Waits until what was missing is back. */
export class LackWatch {
  private timer: NodeJS.Timeout | undefined
  private stopped = false
  private looks = 0

  /** @param onBack called once: the index can probably be written again */
  constructor(
    private readonly lack: Lack,
    private readonly onBack: () => void,
    private readonly isBack: () => Promise<boolean>,
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
    const isBack = await this.isBack().catch(() => false)
    if (this.stopped) return
    if (isBack || ++this.looks >= MOST_LOOKS[this.lack]) this.onBack()
    else this.start()
  }
}

/** True if what was missing in a directory of the index is there now. */
export async function isThere(lack: Lack, directory: string): Promise<boolean> {
  switch (lack) {
    case 'room':
      return isRoomy(await statfs(directory))
    case 'descriptors':
      return areDescriptorsFree(directory)
    case 'memory':
      // Nothing says how much a mapping will be given.
      return false
  }
}

async function areDescriptorsFree(directory: string): Promise<boolean> {
  const handles: FileHandle[] = []
  try {
    while (handles.length < ENOUGH_DESCRIPTORS) handles.push(await open(directory, 'r'))
    return true
  } finally {
    for (const handle of handles) await handle.close()
  }
}
