import { OpenFile } from './open-file.js'
import { isReserved } from './sqlite-locks.js'

/** First bytes of a rollback journal that counts (sqlite.org, "Database File Format", 3). */
const MAGIC = Uint8Array.of(0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7)

/**
 * Whether a writer was interrupted and left what it had begun in the database; the next to open it for writing takes that back. To be asked with
 * the SHARED lock.
 */
export function hasHotJournal(database: OpenFile): boolean {
  const journal = OpenFile.open(`${database.path}-journal`)
  if (journal === undefined) return false
  try {
    const isLive = Buffer.compare(journal.read(0, MAGIC.length), MAGIC) === 0
    return isLive && !isReserved(database.fd)
  } finally {
    journal.close()
  }
}
