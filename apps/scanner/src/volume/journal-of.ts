import { CorruptFileError, type JournalPosition } from '@hotpath/model'
import { journalPosition, StoredJournal } from '@hotpath/ntfs'
import { kernel32, type VolumeCalls, VolumeHandle, type VolumeName, WindowsCallError } from '@hotpath/platform'
import { HandleJournal } from './handle-journal.js'
import { windowsVolume } from './raw-volume.js'
import type { VolumeFile } from './volume-file.js'

/**
 * Where the change journal of a volume ends now; undefined: it has none that can be read, and the scan has nothing to be continued with.
 * Of a volume of Windows its driver says so: what the driver has not written yet is not in the file.
 */
export function journalOf(file: VolumeFile): JournalPosition | undefined {
  const volume = windowsVolume(file.path)
  if (volume !== undefined) return journalOfVolume(volume)
  try {
    return journalPosition(new StoredJournal(file.path, request => file.read(request)))
  } catch (error) {
    if (error instanceof CorruptFileError) return undefined
    throw error
  }
}

/** As `journalOf`. Throws WindowsCallError if the volume cannot be opened. */
export function journalOfVolume(volume: VolumeName, calls: VolumeCalls = kernel32()): JournalPosition | undefined {
  const handle = VolumeHandle.toRead(volume, calls)
  try {
    return journalPosition(new HandleJournal(handle))
  } catch (error) {
    if (error instanceof CorruptFileError || error instanceof WindowsCallError) return undefined
    throw error
  } finally {
    handle.close()
  }
}
