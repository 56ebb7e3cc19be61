import { type StdioOptions, spawn, spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `overlay`: its layers lie on ext4 (where that can be made), which gives the inode of what was removed to the next one.
 * `overlay-apart`: they lie on two file systems, so that files of both may have the same inode.
 */
export const FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs', 'tmpfs', 'overlay', 'overlay-apart'] as const
/** `fuse`: an empty directory that a program serves, which cannot be prepared. */
export type FileSystemName = (typeof FILE_SYSTEMS)[number] | 'fuse'

export interface MountOptions {
  /** Sizes of images and memory are limits; what is not used costs nothing. */
  readonly sizeMb?: number
  /** Fills the file system; of an overlay, its lower layer before it is mounted. */
  readonly prepare?: (directory: string) => void
  /** An empty directory of another test mount to mount it at. Default: one of its own. */
  readonly at?: string
}

/** XFS takes no less than 300 MB. */
const SMALLEST_MB = 512
const PREFIX = 'hotpath-mounts-'
/** Compiled: it runs in a process of its own. */
const FUSE_SERVER = fileURLToPath(new URL('../dist/fuse-server.js', import.meta.url))
const NOT_MOUNTED = /not mounted|no mount point|not found/

/**
 * File systems for tests, mounted where root can. All of it lies in one tmpfs below the directory for temporary files,
 * images for loop devices, too: when that is unmounted nothing is left. The name of its directory says whose it is, so what a killed run
 * has left is cleared away by the next one.
 */
export class TestMounts {
  readonly #base: string
  /** How each plain file system was mounted, by its directory. */
  readonly #commands = new Map<string, string[]>()
  #made = 0

  private constructor(base: string) {
    this.#base = base
  }

  /** Clears away what killed processes left. Returns why nothing can be mounted here, if so. */
  static open(): TestMounts | string {
    clearAbandoned()
    if (process.getuid?.() !== 0) return 'only root can mount file systems'
    const base = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-${startOf(process.pid)}-`))
    const problem = run('mount', '-t', 'tmpfs', '-o', 'mode=755', PREFIX, base) ?? run('mount', '--make-private', base)
    if (problem === undefined) return new TestMounts(base)
    removeBase(base)
    return problem
  }

  /** Mounts a fresh file system. Returns its directory, or why it cannot be had, in one line. */
  mount(name: FileSystemName, options: MountOptions = {}): { directory: string } | { problem: string } {
    const place = join(this.#base, `${++this.#made}-${name}`)
    const directory = options.at ?? join(place, 'mounted')
    mkdirSync(place)
    if (options.at === undefined) mkdirSync(directory)
    const problem = this.#mountAt(name, place, directory, options)
    return problem === undefined ? { directory } : { problem: `${name}: ${problem}` }
  }

  /** Mounts a directory of a test mount a second time, at another directory of one. Returns what stands in the way. */
  bind(directory: string, at: string): string | undefined {
    return run('mount', '--bind', directory, at)
  }

  /** Unmounts one file system. Returns what stands in the way: somebody has a file of it open. */
  unmount(directory: string): string | undefined {
    return run('umount', directory)
  }

  /** Mounts a plain file system where it was: one on a disk with what is on it, one in memory empty. */
  mountAgain(directory: string): string | undefined {
    const command = this.#commands.get(directory)
    return command === undefined ? `${directory} was never mounted` : run('mount', ...command)
  }

  /** Unmounts everything; may be called twice. Throws if something is still in use. */
  close(): void {
    const problem = removeBase(this.#base)
    if (problem !== undefined) throw new Error(problem)
  }

  #mountAt(name: FileSystemName, place: string, directory: string, options: MountOptions): string | undefined {
    if (name === 'fuse') return mountFuse(directory)
    if (name === 'overlay' || name === 'overlay-apart')
      return this.#overlay(place, directory, name === 'overlay-apart', options)
    return this.#plain(name, place, directory, options)
  }

  #plain(name: string, place: string, directory: string, options: MountOptions): string | undefined {
    const sizeMb = Math.max(SMALLEST_MB, options.sizeMb ?? 0)
    if (name === 'tmpfs') {
      const problem = this.#mountPlain(directory, '-t', name, '-o', `size=${sizeMb}m`, PREFIX, directory)
      if (problem === undefined) options.prepare?.(directory)
      return problem
    }
    const image = join(place, 'image')
    const fd = openSync(image, 'wx')
    ftruncateSync(fd, sizeMb * 2 ** 20)
    closeSync(fd)
    // Small files: more inodes than the default of ext4 has.
    const flags = name === 'ext4' ? ['-q', '-F', '-i', '4096'] : ['-q']
    const problem = run(`mkfs.${name}`, ...flags, image) ?? this.#mountPlain(directory, '-o', 'loop', image, directory)
    if (problem === undefined) options.prepare?.(directory)
    return problem
  }

  #mountPlain(directory: string, ...command: string[]): string | undefined {
    this.#commands.set(directory, command)
    return run('mount', ...command)
  }

  #overlay(place: string, directory: string, isApart: boolean, options: MountOptions): string | undefined {
    const above = join(place, 'above')
    mkdirSync(above)
    const problem = isApart ? run('mount', '-t', 'tmpfs', PREFIX, above) : undefined
    if (problem !== undefined) return problem
    // Without mkfs.ext4 it is the memory that everything lies in.
    if (!isApart) this.#plain('ext4', place, above, { ...options, prepare: () => {} })
    const lower = join(isApart ? place : above, 'lower')
    const [upper, work] = [join(above, 'upper'), join(above, 'work')]
    for (const path of [lower, upper, work]) mkdirSync(path)
    options.prepare?.(lower)
    const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
    return run('mount', '-t', 'overlay', '-o', layers, PREFIX, directory)
  }
}

function mountFuse(directory: string): string | undefined {
  let fd: number
  try {
    fd = openSync('/dev/fuse', 'r+')
  } catch (error) {
    return String(error)
  }
  try {
    const connection: StdioOptions = ['ignore', 'ignore', 'pipe', fd]
    const options = 'fd=3,rootmode=40000,user_id=0,group_id=0'
    const problem = runWith(connection, 'mount', '-i', '-t', 'fuse.hotpath', '-o', options, PREFIX, directory)
    // Ends when the file system is unmounted.
    if (problem === undefined)
      spawn(process.execPath, [FUSE_SERVER], { stdio: ['ignore', 'ignore', 'inherit', fd] }).unref()
    return problem
  } finally {
    closeSync(fd)
  }
}

/** Runs a program. Returns what went wrong, in one line. */
function run(program: string, ...flags: string[]): string | undefined {
  return runWith(['ignore', 'ignore', 'pipe'], program, ...flags)
}

function runWith(stdio: StdioOptions, program: string, ...flags: string[]): string | undefined {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
  const { error, status, stderr } = spawnSync(program, flags, { encoding: 'utf8', env, stdio })
  if (error !== undefined) return 'code' in error && error.code === 'ENOENT' ? `${program} is missing` : error.message
  return status === 0 ? undefined : stderr.trim().replaceAll(/\s*\n\s*/g, ' ') || `${program} ended with ${status}`
}

function clearAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, pid, start] = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-`).exec(name) ?? []
    if (pid !== undefined && startOf(Number(pid)) !== start) removeBase(join(tmpdir(), name))
  }
}

/** Unmounts all at and below a directory and removes it. Returns what stands in the way. */
function removeBase(base: string): string | undefined {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(place => place === base || place.startsWith(`${base}/`))
  // What was mounted last lies on what was mounted before.
  for (const place of mounted.reverse()) {
    const problem = run('umount', place)
    if (problem !== undefined && !NOT_MOUNTED.test(problem)) return problem
  }
  rmSync(base, { recursive: true, force: true })
  return undefined
}

/** When a process began (clock ticks since the boot), so that another one with its number is not taken for it; '' if there is none. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
