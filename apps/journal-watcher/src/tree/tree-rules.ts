import { lstatSync, realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Kind, type NodeRef } from '@hotpath/model'
import {
  createDirectoryReader,
  type DirectoryReader,
  Errno,
  isPseudoFileSystem,
  type Mount,
  mountOf,
  readMounts,
  type StatColumns,
  SystemCallError,
} from '@hotpath/platform'
import {
  birthOf,
  deviceSalt,
  ExclusionRules,
  hasVanished,
  IGNORE_FILE_NAME,
  kindOfMode,
  MAX_IGNORE_FILE_BYTES,
  MountPolicy,
  PathExclusion,
  volumeOf,
} from '@hotpath/scanner'
import { absolutePath, joinPath, keyOf, nameOf, parentOf, relativePath, withShortPath } from './paths.js'

export interface TreeOptions {
  /** Absolute path of the root as it was given. */
  readonly root: string
  readonly excludes: readonly string[]
  /** Absolute path of the data directory, which is always left out. */
  readonly dataDir: string
  readonly crossDevices: boolean
  readonly namesOnly: boolean
  /** Rows say who may list directories. Default: not. */
  readonly access?: boolean
}

/** A directory that the reader has open. */
export interface OpenedDirectory {
  /** Relative to the root. */
  readonly path: Uint8Array
  readonly ref: NodeRef
  readonly device: number
  /** Of the refs of what is in it. */
  readonly salt: number
}

export interface ChildNode {
  readonly kind: Kind
  readonly ref: NodeRef
  /** A directory whose contents belong to the tree. */
  readonly entered: boolean
  /** A directory whose contents belong to the root, but are followed by another tree. */
  readonly isBeyond?: boolean
  readonly device: number
}

const EMPTY = new Uint8Array(0)

/** Key of a ref for maps. */
export function refKey(ref: NodeRef): string {
  return `${ref.high}:${ref.low}:${ref.birth}`
}

/**
 * One root with the rules of its scan: what is left out, what lies on other file systems, what refs nodes have. Reads
 * through one DirectoryReader; whoever opens a directory has it until the next one is opened.
 */
export class TreeRules {
  /** Symlinks resolved. */
  readonly realRoot: Uint8Array
  readonly rootDevice: number
  readonly rootRef: NodeRef
  readonly reader: DirectoryReader
  readonly #ignoreReader: DirectoryReader
  readonly #rules: ExclusionRules
  readonly #exclusion: PathExclusion
  readonly #mounts: MountPolicy
  readonly #hasPathGlobs: boolean
  #sawIgnoreFile = false

  /** Throws SystemCallError (or the error of node:fs) if the root is no directory that can be read. */
  constructor(readonly options: TreeOptions) {
    const root = resolve(options.root)
    this.realRoot = new Uint8Array(realpathSync(root, { encoding: 'buffer' }))
    const mount = mountOf(readMounts(), this.realRoot)
    if (mount !== undefined && isPseudoFileSystem(mount.fileSystem))
      throw new SystemCallError('watch', 0, `a file system of type ${mount.fileSystem} is not indexed`)
    const rootBytes = new Uint8Array(Buffer.from(root))
    this.reader = createDirectoryReader(this.realRoot, { accessLists: options.access ?? false })
    this.#ignoreReader = createDirectoryReader(this.realRoot)
    this.reader.open(EMPTY)
    const error = this.reader.statSelf()
    if (error !== 0) throw new SystemCallError('statx', error, root)
    const { node } = this.reader
    this.rootDevice = node.device[0]!
    this.#rules = new ExclusionRules({
      root: rootBytes,
      excludes: options.excludes,
      directories: [...protectedDirectories(rootBytes, this.realRoot, options.dataDir)],
    })
    this.#hasPathGlobs = options.excludes.some(glob => glob.slice(0, -1).includes('/'))
    this.#exclusion = new PathExclusion(this.#rules, directory => this.#readIgnoreFile(directory))
    this.#mounts = new MountPolicy({
      root: this.realRoot,
      rootDevice: this.rootDevice,
      rootVolume: volumeOf(this.realRoot, this.rootDevice),
      crossDevices: options.crossDevices,
    })
    this.rootRef = refOf(node, 0, this.#mounts.rootSalt)
    this.release()
  }

  /** Whether what is left out depends on where a directory is: then a moved one must be listed again. */
  get dependOnPlace(): boolean {
    return this.#hasPathGlobs || this.#sawIgnoreFile
  }

  /** Keeps nothing open: a root that is a mount point can be unmounted between two rounds of work. */
  release(): void {
    this.reader.close()
    this.#ignoreReader.close()
  }

  absolute(path: Uint8Array): Uint8Array {
    return absolutePath(this.realRoot, path)
  }

  /** True if the path of the root still leads to the node that is watched. */
  rootIsThere(): boolean {
    try {
      const stats = lstatSync(Buffer.from(this.realRoot), { bigint: true })
      const { low, high } = this.rootRef
      const isSame = stats.ino === (BigInt(high) << 32n) + BigInt(low) && deviceOfStat(stats.dev) === this.rootDevice
      return stats.isDirectory() && isSame
    } catch {
      return false
    }
  }

  /** Opens a directory in the reader. `vanished`: nothing is there; `left-out`: not part of the tree; `unreadable`. */
  open(path: Uint8Array): OpenedDirectory | 'vanished' | 'left-out' | 'unreadable' {
    if (this.#exclusion.inside(path).excluded) return 'left-out'
    try {
      this.reader.open(path)
      const error = this.reader.statSelf()
      if (error !== 0) throw new SystemCallError('statx', error)
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
      return hasVanished(error.errno) ? 'vanished' : 'unreadable'
    }
    const { node } = this.reader
    const device = node.device[0]!
    let salt = this.#mounts.rootSalt
    const isMountPoint = node.mountRoot[0] === 1 && path.length > 0
    if (device !== this.rootDevice || isMountPoint) {
      const top = isMountPoint || this.#mounts.isMounted(device) ? path : this.#topOf(path, device)
      const verdict = this.#mounts.judge(top, device, isMountPoint)
      if (verdict.action === 'leaf') return 'left-out'
      salt = verdict.salt
    }
    return { path, ref: refOf(node, 0, salt), device, salt }
  }

  /** Whether a name in a directory is left out. */
  excludes(directory: Uint8Array, name: Uint8Array, isDirectory: boolean): boolean {
    const { excluded, scope } = this.#exclusion.inside(directory)
    return excluded || this.#rules.excludes(scope, directory, name, isDirectory)
  }

  /** The same for a whole path. */
  excludesPath(path: Uint8Array, isDirectory: boolean): boolean {
    return this.#exclusion.excludes(path, isDirectory)
  }

  /** Call it when an ignore file or a directory with everything in it changed place or content. */
  forget(directory: Uint8Array): void {
    this.#exclusion.forget(directory)
  }

  /**
   * What an entry is.
   *
   * @param elsewhere whether a mounted directory is reached by another path of the tree, too (a bind mount): then its
   *   entry is a leaf with a ref of its own, as in a scan
   */
  child(
    directory: OpenedDirectory,
    name: Uint8Array,
    stats: StatColumns,
    row: number,
    elsewhere: (path: Uint8Array, ref: NodeRef) => boolean,
  ): ChildNode {
    const kind = kindOfMode(stats.mode[row]!)
    const device = stats.device[row]!
    const isMountPoint = stats.mountRoot[row] === 1
    if (kind !== Kind.directory) return { kind, ref: refOf(stats, row, directory.salt), entered: false, device }
    if (!isMountPoint && device === directory.device)
      return { kind, ref: refOf(stats, row, directory.salt), entered: true, device }
    const path = joinPath(directory.path, name)
    const { action, salt } = this.#mounts.judge(path, device, isMountPoint)
    const ref = refOf(stats, row, salt)
    if (action === 'later' && this.#saltsOf(device, salt).some(other => elsewhere(path, refOf(stats, row, other)))) {
      const birth = deviceSalt(`mount:${Buffer.from(path).toString()}`)
      return { kind, ref: { ...ref, birth }, entered: false, device }
    }
    return { kind, ref, entered: action !== 'leaf', device }
  }

  /** Where file systems are mounted that belong to the tree, relative to the root, the root's own first. Looks at each of them. */
  mountPoints(): Uint8Array[] {
    const found = new Map<string, Uint8Array>([['', EMPTY]])
    for (const { mountPoint } of this.#mountsIn(readMounts())) {
      const path = relativePath(this.realRoot, mountPoint)!
      if (path.length === 0) continue
      try {
        const { dev } = statSync(Buffer.from(mountPoint), { bigint: true })
        if (this.#mounts.judge(path, deviceOfStat(dev), true).action !== 'leaf') found.set(keyOf(path), path)
      } catch {
        // A mount that cannot be looked at (a dead network share) is not entered by a scan either.
      }
    }
    return [...found.values()]
  }

  /** The ref of what is mounted at a path, as its row has it, also if it cannot be opened. Throws SystemCallError if nothing is there. */
  mountedRef(path: Uint8Array): NodeRef {
    if (path.length === 0) return this.rootRef
    const parent = this.open(parentOf(path))
    const error = typeof parent === 'string' ? Errno.ENOENT : this.reader.statName(nameOf(path))
    if (typeof parent === 'string' || error !== 0)
      throw new SystemCallError('statx', error, Buffer.from(this.absolute(path)).toString())
    return this.child(parent, nameOf(path), this.reader.node, 0, () => false).ref
  }

  /**
   * Changes when something is mounted or unmounted at the root or below it, moves there with a directory above it, or is not left
   * out any more.
   *
   * @param mounts of now
   */
  mountSignature(mounts = readMounts()): string {
    const own = mountOf(mounts, this.realRoot)
    return [...(own === undefined ? [] : [own]), ...this.#mountsIn(mounts)]
      .map(({ id, device, mountPoint }) => `${id}:${device}:${Buffer.from(mountPoint).toString('latin1')}`)
      .join('\n')
  }

  /** Of all places where a file system is mounted: one that is known by nothing but its mount point has another salt at each. */
  #saltsOf(device: number, own: number): number[] {
    const mounts = this.#mountsIn(readMounts()).filter(mount => mount.device === device)
    const salts = mounts.map(
      ({ mountPoint }) => this.#mounts.judge(relativePath(this.realRoot, mountPoint)!, device, true).salt,
    )
    return [...new Set([own, ...salts])]
  }

  /** Those at the root or below it that are not left out. */
  #mountsIn(mounts: readonly Mount[]): Mount[] {
    const found = mounts.filter(({ mountPoint }) => {
      const path = relativePath(this.realRoot, mountPoint)
      return path !== null && !this.#exclusion.excludes(path, true)
    })
    this.#ignoreReader.close()
    return found
  }

  /** The topmost directory on the way to `path` that lies on the same device: of a subvolume, where it begins. */
  #topOf(path: Uint8Array, device: number): Uint8Array {
    let top = path
    while (top.length > 0) {
      const above = parentOf(top)
      try {
        const stats = withShortPath(this.absolute(above), short => lstatSync(Buffer.from(short), { bigint: true }))
        if (deviceOfStat(stats.dev) !== device) return top
      } catch {
        // Renamed meanwhile: whoever opens it sees that by its ref.
        return top
      }
      top = above
    }
    return top
  }

  #readIgnoreFile(directory: Uint8Array): string | null {
    try {
      this.#ignoreReader.open(directory)
      const content = this.#ignoreReader.readFile(IGNORE_FILE_NAME, MAX_IGNORE_FILE_BYTES)
      if (content === null) return null
      this.#sawIgnoreFile = true
      return Buffer.from(content).toString()
    } catch (error) {
      // A scan reads on, too, where there is no directory or its rules cannot be read.
      if (error instanceof SystemCallError) return null
      throw error
    } finally {
      this.#ignoreReader.closeDirectory()
    }
  }
}

/** The data directory by its path, and by where it really is below the root: our own files must never wake us. */
function* protectedDirectories(root: Uint8Array, realRoot: Uint8Array, dataDir: string): Generator<string> {
  yield dataDir
  try {
    const real = new Uint8Array(realpathSync(dataDir, { encoding: 'buffer' }))
    const inside = relativePath(realRoot, real)
    if (inside !== null && inside.length > 0) yield Buffer.from(absolutePath(root, inside)).toString()
  } catch {
    // Not made yet: then its path is all there is to know.
  }
}

export function refOf(stats: StatColumns, row: number, salt: number): NodeRef {
  const birth = birthOf(stats.created.seconds[row]!, stats.created.ticks[row]!, salt, stats.device[row])
  return { low: stats.inodeLow[row]!, high: stats.inodeHigh[row]!, birth }
}

/** `st_dev` of node:fs as StatColumns has it: 12 bits of major above 20 bits of minor number. */
export function deviceOfStat(dev: bigint): number {
  const major = Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n))
  const minor = Number((dev & 0xffn) | ((dev >> 12n) & 0xffffff00n))
  return ((major << 20) | (minor & 0xfffff)) >>> 0
}
