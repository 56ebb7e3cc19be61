import { statSync } from 'node:fs'

/** What tells one state of a list file from another. */
export interface ListFileFacts {
  readonly sizeBytes: number
  readonly modifiedMs: number
  readonly inode: string
}

/** @throws the error of stat */
export function listFileFacts(path: string): ListFileFacts {
  const stats = statSync(path, { bigint: true })
  return { sizeBytes: Number(stats.size), modifiedMs: Number(stats.mtimeMs), inode: stats.ino.toString() }
}

/** Whether the file is not the one that was read. Cost: a system call. */
export function listFileChanged(path: string, then: ListFileFacts | null): boolean {
  if (then === null) return true
  try {
    const now = listFileFacts(path)
    return now.sizeBytes !== then.sizeBytes || now.modifiedMs !== then.modifiedMs || now.inode !== then.inode
  } catch {
    // A list that cannot be read now is not gone from the index for that; the scan that follows says why.
    return true
  }
}
