import { namesIn } from './directory-index.js'
import { appendedTo, FreeName } from './free-name.js'
import { ROOT_RECORD } from './layout.js'
import type { Reading } from './stream.js'
import { NAME_REASONS } from './usn/usn-layout.js'
import type { UsnRows } from './usn/usn-rows.js'
import type { Volume } from './volume.js'

/** Name of the directory that holds what has lost its directory; longer where the root has one of this name. */
export const ORPHANED = '<orphaned>'
const BYTES = new Uint8Array(Buffer.from(ORPHANED))

/** What a listing of a volume calls that directory now. Cost: all of the root's index. Throws CorruptFileError. */
export function* orphanedName(volume: Volume): Reading<string> {
  const free = new FreeName(ORPHANED)
  for (const name of yield* namesIn(volume, ROOT_RECORD)) {
    const bytes = Buffer.from(name)
    free.note(bytes, 0, bytes.length)
  }
  return free.free
}

/** Whether records say that a name of the root that is like it came or went. A hard link may do so without one that has its name. */
export function mayRenameOrphaned({ count, parent, reasons, names, nameOffsets }: UsnRows): boolean {
  for (let row = 0; row < count; row++) {
    if (parent[row] !== ROOT_RECORD || (reasons[row]! & NAME_REASONS) === 0) continue
    if (appendedTo(BYTES, names, nameOffsets[row]!, nameOffsets[row + 1]!) >= 0) return true
  }
  return false
}
