/** Names of the files in the data directory (docs/formats/manifest.md, "Files"). */
export const MANIFEST_NAME = 'MANIFEST'
export const LOCK_NAME = 'LOCK'
/** What was damaged is kept under this suffix for a person to look at; nothing reads it. */
export const DAMAGED_SUFFIX = '.damaged'

export function walName(number: number): string {
  return `wal-${digits(number)}.log`
}

export function segmentName(id: number): string {
  return `seg-${digits(id)}.seg`
}

export function tombstoneName(segment: number, generation: number): string {
  return `seg-${digits(segment)}-${generation}.dead`
}

/** Number of a WAL file, or 0 if the name is another's. */
export function walNumber(name: string): number {
  const match = /^wal-([0-9]{12})\.log$/.exec(name)
  return match ? Number(match[1]) : 0
}

/** Number of the segment that a file is of, whatever it is of it (also set aside or unfinished), or 0. */
export function segmentId(name: string): number {
  const match = /^seg-([0-9]{12})/.exec(name)
  return match ? Number(match[1]) : 0
}

/** True for names that the store makes (not those set aside as damaged): an orphan among them may be removed. */
export function isStoreFile(name: string): boolean {
  return /^(wal-[0-9]{12}\.log|seg-[0-9]{12}\.seg|seg-[0-9]{12}-[0-9]+\.dead|MANIFEST)(\.tmp)?$/.test(name)
}

function digits(number: number): string {
  return String(number).padStart(12, '0')
}
