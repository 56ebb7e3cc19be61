import { closeSync, constants, openSync } from 'node:fs'
import { checked, libc } from './libc.js'

const O_PATH = 0o10000000
/** `struct statfs` of 64 bit Linux: f_type at 0 (8 bytes), f_fsid at 56 (8 bytes), 120 bytes in all. */
const STATFS_BYTES = 120

export interface FileSystemInfo {
  /** Magic number (statfs(2)): 0xef53 for ext4, 0x01021994 for tmpfs … */
  readonly type: number
  /** Identifies the file system in events of fanotify until the next reboot: 16 hexadecimal digits. */
  readonly fsid: string
}

/** Of the file system that a path or an open descriptor lies in. Throws SystemCallError or the error of node:fs. */
export function fileSystemInfo(file: string | Buffer | number): FileSystemInfo {
  const fd = typeof file === 'number' ? file : openSync(file, O_PATH | constants.O_NOFOLLOW)
  try {
    const out = Buffer.alloc(STATFS_BYTES)
    checked('fstatfs', libc().fstatfs(fd, out))
    return { type: out.readUInt32LE(0), fsid: out.toString('hex', 56, 64) }
  } finally {
    if (typeof file !== 'number') closeSync(fd)
  }
}
