import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@hotpath/model'

/**
 * A unix socket's path holds at most 107 bytes (`sun_path`, unix(7)); ours are the directory, a slash and at most 31
 * bytes of name.
 */
const MAX_SOCKET_DIRECTORY_BYTES = 75

/** Where the parts of one running system meet. */
export interface StageDirectories {
  readonly data: string
  /**
   * Sockets. Private, on a local file system, emptied by a reboot where there is a better place than `data`. On Windows sockets have no
   * files, but ports and keys, which are kept in `data`.
   */
  readonly runtime: string
  readonly locks: string
  readonly logs: string
}

/**
 * The directories that belong to a data directory. Systems with different data directories share nothing, so the
 * runtime directory has a hash of the data directory in its name.
 */
export function stageDirectories(
  dataDir: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): StageDirectories {
  const others = { data: dataDir, locks: join(dataDir, 'locks'), logs: join(dataDir, 'logs') }
  if (platform() === 'win32') return { ...others, runtime: dataDir }
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  const base = environment.XDG_RUNTIME_DIR
  const candidates = [
    ...(base?.startsWith('/') ? [join(base, 'hotpath', hash)] : []),
    join(dataDir, 'run'),
    join(tmpdir(), `hotpath-${process.getuid?.() ?? 0}-${hash}`),
  ]
  const runtime = candidates.find(path => Buffer.byteLength(path) <= MAX_SOCKET_DIRECTORY_BYTES)
  if (runtime === undefined)
    throw new UnavailableError(`no directory with a path short enough for sockets: ${candidates}`)
  return { ...others, runtime }
}

/**
 * Makes the directories, for their owner alone. Throws UnavailableError if one is somebody else's.
 *
 * @param restrict takes the data directory from others where modes do not (`restrictToUser` of the package `platform`, which is loaded
 *   only by who makes directories); what is made in it then is not theirs either
 */
export function makeStageDirectories(directories: StageDirectories, restrict: (path: string) => void): void {
  for (const path of [directories.data, directories.runtime, directories.locks, directories.logs]) {
    makePrivateDirectory(path)
    if (path === directories.data) restrict(path)
  }
}

/**
 * Makes `path` (and its parents) with mode 0700, or takes that from others if it is ours already. Throws
 * UnavailableError if it is a link or somebody else's: whoever owns the directory of a socket can take its place.
 */
export function makePrivateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    const stat = lstatSync(path)
    if (!stat.isDirectory()) throw new UnavailableError(`${JSON.stringify(path)} is not a directory`)
    const uid = process.getuid?.()
    if (uid !== undefined && stat.uid !== uid) {
      throw new UnavailableError(`${JSON.stringify(path)} belongs to user ${stat.uid}, not to user ${uid}`)
    }
    if ((stat.mode & 0o077) !== 0) chmodSync(path, 0o700)
  } catch (error) {
    if (error instanceof UnavailableError) throw error
    throw new UnavailableError(`cannot make directory ${JSON.stringify(path)}: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * Removes the socket files of one process (those whose names start with `owner`) or of all. Only for who holds the
 * lock of that process: a socket that is in use would be out of reach.
 */
export function removeSockets(runtimeDir: string, owner = ''): void {
  for (const file of readdirSync(runtimeDir)) {
    if (file.startsWith(owner) && file.endsWith('.sock')) rmSync(join(runtimeDir, file), { force: true })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
