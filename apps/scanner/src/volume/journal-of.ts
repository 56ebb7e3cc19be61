import { CorruptFileError, type JournalPosition } from '@hotpath/model'
import { journalPosition, StoredJournal } from '@hotpath/ntfs'
import type { VolumeFile } from './volume-file.js'

/** Where the change journal of a volume ends now; undefined: it has none that can be read, and the scan has nothing to be continued with. */
export function journalOf(file: VolumeFile): JournalPosition | undefined {
  try {
    return journalPosition(new StoredJournal(file.path, request => file.read(request)))
  } catch (error) {
    if (error instanceof CorruptFileError) return undefined
    throw error
  }
}
