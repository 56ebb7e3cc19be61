import { CorruptFileError, type JournalPosition, systemFailureOf } from '@hotpath/model'
import { continuationOf, StoredJournal } from '@hotpath/ntfs'
import { ExclusionRules } from '@hotpath/scanner'
import { JOURNAL_PACE, type JournalPace } from './journal-pace.js'
import { VolumeImage } from './volume-image.js'
import { RESCAN_TEXTS, type VolumeListener, VolumeTree } from './volume-tree.js'

export interface VolumeToFollow {
  readonly path: string
  readonly excludes: readonly string[]
  /** Up to where its journal is known. */
  readonly known: JournalPosition | undefined
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
 */
export function followVolume(volume: VolumeToFollow, listener: VolumeListener): FollowedVolume | string {
  const { path, excludes, known, pace } = volume
  const image = new VolumeImage(path)
  try {
    const journal = new StoredJournal(path, image.read)
    const now = journal.look()
    const kept = known && { id: known.id, nextUsn: known.next }
    const found = continuationOf(kept, now)
    if (typeof now === 'string') return RESCAN_TEXTS[found.kind === 'rescan' ? found.reason : 'inactive']
    const isContinued = found.kind === 'replay'
    const from = isContinued ? { id: now.id, next: found.from } : { id: now.id, next: journal.end() }
    const rules = new ExclusionRules({ root: new Uint8Array(Buffer.from(path)), excludes })
    const tree = new VolumeTree({ image, journal, from, rules, pace: { ...JOURNAL_PACE, ...pace } }, listener)
    return { tree, loss: isContinued || known === undefined ? undefined : RESCAN_TEXTS[found.reason] }
  } catch (error) {
    if (!(error instanceof CorruptFileError) && systemFailureOf(error) === undefined) throw error
    return error instanceof Error ? error.message : String(error)
  } finally {
    image.close()
  }
}
