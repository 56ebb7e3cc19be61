import type { JournalPosition } from '@hotpath/model'
import { continuationOf, type JournalSource, StoredJournal } from '@hotpath/ntfs'
import { type VolumeCalls, volumeNameOf } from '@hotpath/platform'
import { ExclusionRules, HandleJournal, windowsVolume } from '@hotpath/scanner'
import { JOURNAL_PACE, type JournalPace } from './journal-pace.js'
import { volumeFailureOf } from './volume-failure.js'
import { VolumeImage } from './volume-image.js'
import { RESCAN_TEXTS, type VolumeListener, VolumeTree } from './volume-tree.js'
import { WindowsVolume } from './windows-volume.js'

export interface VolumeToFollow {
  readonly path: string
  readonly excludes: readonly string[]
  /** Up to where its journal is known. */
  readonly known: JournalPosition | undefined
  /** Tell alternate streams, too. */
  readonly streams?: boolean | undefined
  readonly pace?: Partial<JournalPace> | undefined
}

export interface FollowedVolume {
  readonly tree: VolumeTree
  /** Why what is known cannot be continued: changes are missing, and the volume must be scanned; undefined: it is, or nothing was known. */
  readonly loss: string | undefined
}

/**
 * Begins to follow a volume by its change journal: from where it is known on, or else from where it ends now. Returns why that cannot be
 * done; nothing is left behind then.
 *
 * @param calls of Windows that are made for a path that names a volume there; undefined: those of this system, if it is Windows
 */
export function followVolume(
  volume: VolumeToFollow,
  listener: VolumeListener,
  calls?: VolumeCalls,
): FollowedVolume | string {
  const { path, excludes, known, streams, pace } = volume
  let image: VolumeImage | undefined
  try {
    const source = sourceOf(path, calls)
    image = source.image
    const { journal } = source
    const now = journal.look()
    const kept = known && { id: known.id, nextUsn: known.next }
    const found = continuationOf(kept, now)
    if (typeof now === 'string') return RESCAN_TEXTS[found.kind === 'rescan' ? found.reason : 'inactive']
    const isContinued = found.kind === 'replay'
    const from = isContinued ? { id: now.id, next: found.from } : { id: now.id, next: journal.end() }
    const rules = new ExclusionRules({ root: new Uint8Array(Buffer.from(path)), excludes })
    const tree = new VolumeTree({ image, journal, from, rules, streams, pace: { ...JOURNAL_PACE, ...pace } }, listener)
    return { tree, loss: isContinued || known === undefined ? undefined : RESCAN_TEXTS[found.reason] }
  } catch (error) {
    const failure = volumeFailureOf(error)
    if (failure === undefined) throw error
    return failure
  } finally {
    image?.close()
  }
}

/** What a volume is read by, and its journal: of an image or a device that which is stored, of a volume of Windows that which its driver tells. */
function sourceOf(path: string, calls?: VolumeCalls): { image: VolumeImage; journal: JournalSource } {
  const name = calls === undefined ? windowsVolume(path) : volumeNameOf(path)
  if (name !== undefined) {
    const volume = new WindowsVolume(path, name, calls)
    return { image: volume, journal: new HandleJournal(volume) }
  }
  const image = new VolumeImage(path)
  return { image, journal: new StoredJournal(path, image.read) }
}
