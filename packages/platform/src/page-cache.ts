import { closeSync, fstatSync, fsyncSync, openSync } from 'node:fs'
import { SystemCallError } from './errors.js'
import { checked, libc } from './libc.js'
import { pageSize } from './memory.js'
import { mapFile } from './mmap.js'

const POSIX_FADV_DONTNEED = 4

/** How much of a file the kernel keeps in memory. */
export interface Residency {
  readonly residentPages: number
  readonly pages: number
}

/**
 * Asks the kernel to forget what it keeps of a file, which needs no privilege: what follows reads the disk. Writes it
 * back first, since dirty pages stay. Pages that any process has mapped stay, too, and so does everything where memory
 * is the only place that a file has (tmpfs): look at the answer. Throws the error of node:fs, or SystemCallError.
 * @returns what is still there
 */
export function evictFile(path: string): Residency {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
    // Tells of failure by its result, unlike other calls.
    const problem = libc().posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)
    if (problem !== 0) throw new SystemCallError('posix_fadvise', problem, path)
  } finally {
    closeSync(fd)
  }
  return residencyOf(path)
}

/**
 * Pages of a file that are in memory now, whoever reads them. Touches none. For a file that this user neither owns nor may
 * write the kernel says that all of it is there.
 */
export function residencyOf(path: string): Residency {
  const fd = openSync(path, 'r')
  try {
    const pages = Math.ceil(fstatSync(fd).size / pageSize())
    if (pages === 0) return { residentPages: 0, pages }
    const mapped = mapFile(fd)
    try {
      const states = new Uint8Array(pages)
      checked('mincore', libc().mincore(Number(mapped.address), mapped.length, states), path)
      // The other bits of a state are not defined.
      return { residentPages: states.reduce((sum, state) => sum + (state & 1), 0), pages }
    } finally {
      mapped.unmap()
    }
  } finally {
    closeSync(fd)
  }
}
