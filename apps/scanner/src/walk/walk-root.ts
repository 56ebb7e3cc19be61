import { realpathSync } from 'node:fs'
import {
  createDirectoryReader,
  isPseudoFileSystem,
  mountOf,
  readMounts,
  type StatColumns,
  SystemCallError,
} from '@hotpath/platform'
import { saltAt, volumeOf } from '../node-ref.js'
import { groupOfOne, type PendingGroup } from './pending-directories.js'

/** Number of the root's directory. */
export const ROOT_NUMBER = 1

/** The directory that a walk begins with. */
export interface WalkRoot {
  /** Symlinks resolved. */
  readonly realRoot: Uint8Array
  readonly device: number
  /** Id of its file system, stable over restarts. */
  readonly volume: string
  readonly salt: number
  /** One row: what statx says of it. */
  readonly node: StatColumns
  /** It alone, to be read. */
  readonly group: PendingGroup
}

const EMPTY = new Uint8Array(0)

/** Throws SystemCallError if the path is no directory that can be opened. */
export function openRoot(path: string, readerMode: 'auto' | 'native' | 'fs', accessLists = false): WalkRoot {
  const reader = createDirectoryReader(path, { mode: readerMode, accessLists })
  try {
    const realRoot = new Uint8Array(realpathSync(path, { encoding: 'buffer' }))
    reader.open(EMPTY)
    const error = reader.statSelf()
    if (error !== 0) throw new SystemCallError('statx', error, path)
    const { node } = reader
    const device = node.device[0]!
    const salt = saltAt(0, realRoot, device)
    const group = groupOfOne(EMPTY, EMPTY, ROOT_NUMBER, node.inodeLow[0]!, node.inodeHigh[0]!, device, salt, null)
    return { realRoot, device, volume: volumeOf(realRoot, device), salt, node, group }
  } finally {
    reader.close()
  }
}

/** The type of the file system where it is one that is not indexed. */
export function pseudoFileSystemOf(realRoot: Uint8Array): string | undefined {
  const mount = mountOf(readMounts(), realRoot)
  return mount !== undefined && isPseudoFileSystem(mount.fileSystem) ? mount.fileSystem : undefined
}
