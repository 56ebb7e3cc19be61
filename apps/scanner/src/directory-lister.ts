import { realpathSync } from 'node:fs'
import { type EntryColumns, Kind, type NodeRef, TIME_COLUMNS } from '@hotpath/model'
import {
  createDirectoryReader,
  type DirectoryReader,
  DirentType,
  monotonicMicros,
  type StatColumns,
  SystemCallError,
} from '@hotpath/platform'
import { ExclusionRules, textOf } from './exclusion/exclusion-rules.js'
import { IGNORE_FILE_NAME, type IgnoreScope, MAX_IGNORE_FILE_BYTES } from './exclusion/ignore-scope.js'
import { PathExclusion } from './exclusion/path-exclusion.js'
import { hasVanished, kindOfMode, kindOfType } from './node-kind.js'
import { birthOf, volumeOf } from './node-ref.js'
import { BatchBuilder } from './walk/batch-builder.js'
import { MountPolicy } from './walk/mount-policy.js'
import { unpackBatch } from './walk/packed-batch.js'
import { joinPath } from './walk/pending-directories.js'

export interface DirectoryListerOptions {
  /** Path of the root of the scan. */
  readonly root: string
  /** As for the scan (WalkOptions). */
  readonly excludes?: readonly string[]
  readonly excludedDirectories?: readonly string[]
  readonly crossDevices?: boolean
  readonly readerMode?: 'auto' | 'native' | 'fs'
}

/** What a directory held. */
export interface DirectoryListing {
  /** Microseconds of the monotonic clock before it was opened. */
  readonly observed: number
  /** The directory itself, as scans name it. */
  readonly ref: NodeRef
  /** Everything in it that is not left out; `parent` and `directory` are 0. */
  readonly entries: EntryColumns
}

/** What a name in a directory stood for. */
export interface EntryObservation {
  /** Microseconds of the monotonic clock before it was looked up. */
  readonly observed: number
  /** The directory, as scans name it. */
  readonly parentRef: NodeRef
  /** One row, or none if there is no such entry (any more). `parent` and `directory` are 0. */
  readonly entries: EntryColumns
}

const EMPTY = new Uint8Array(0)

/**
 * Lists single directories of a tree with the rules and refs of a scan, for who follows changes. Paths are bytes
 * relative to the root, empty for the root itself. Not for several threads.
 *
 * A mount point that repeats a directory of the tree (a bind mount) is listed as what it shows: only a scan knows what
 * it has read elsewhere.
 */
export class DirectoryLister {
  readonly #reader: DirectoryReader
  /** For ignore files: the other one may be in the middle of a directory. */
  readonly #ignoreReader: DirectoryReader
  readonly #rules: ExclusionRules
  readonly #exclusion: PathExclusion
  readonly #mounts: MountPolicy
  readonly #rootDevice: number
  #builder: BatchBuilder | undefined

  /** Throws SystemCallError if the root is no directory that can be opened. */
  constructor(options: DirectoryListerOptions) {
    const mode = options.readerMode ?? 'auto'
    const root = new Uint8Array(Buffer.from(options.root))
    const realRoot = new Uint8Array(realpathSync(options.root, { encoding: 'buffer' }))
    this.#reader = createDirectoryReader(root, { mode })
    this.#ignoreReader = createDirectoryReader(root, { mode })
    this.#reader.open(EMPTY)
    const error = this.#reader.statSelf()
    if (error !== 0) throw new SystemCallError('statx', error, options.root)
    this.#rootDevice = this.#reader.node.device[0]!
    this.#mounts = new MountPolicy({
      root: realRoot,
      rootDevice: this.#rootDevice,
      rootVolume: volumeOf(realRoot, this.#rootDevice),
      crossDevices: options.crossDevices ?? false,
    })
    this.#rules = new ExclusionRules({
      root,
      excludes: options.excludes ?? [],
      directories: options.excludedDirectories ?? [],
    })
    this.#exclusion = new PathExclusion(this.#rules, directory => this.#readIgnoreFile(directory))
  }

  /** The rules for single paths. Call `forget` of it when an ignore file changes. */
  get exclusion(): PathExclusion {
    return this.#exclusion
  }

  /**
   * All entries of a directory; null if it is not there, is left out, or belongs to another file system that is not
   * entered. Throws SystemCallError if it is there and cannot be read.
   */
  list(path: Uint8Array): DirectoryListing | null {
    if (this.#exclusion.excludes(path, true)) return null
    const { scope } = this.#exclusion.inside(path)
    const observed = monotonicMicros()
    try {
      const self = this.#open(path)
      if (self === null) return null
      const parts: EntryColumns[] = []
      const builder = this.#newBuilder()
      while (this.#reader.next() > 0) this.#addPart(path, scope, self.salt, builder, parts)
      parts.push(unpackBatch(builder.take()).entries)
      return { observed, ref: self.ref, entries: concatenated(parts) }
    } catch (error) {
      if (error instanceof SystemCallError && hasVanished(error.errno)) return null
      throw error
    } finally {
      this.#reader.closeDirectory()
    }
  }

  /**
   * One entry by its name; null if its directory is not there or is left out, or if the entry is left out. Throws
   * SystemCallError if the directory is there and cannot be opened.
   */
  observe(directory: Uint8Array, name: Uint8Array): EntryObservation | null {
    if (this.#exclusion.excludes(directory, true)) return null
    const { scope } = this.#exclusion.inside(directory)
    const observed = monotonicMicros()
    try {
      const self = this.#open(directory)
      if (self === null) return null
      const builder = this.#newBuilder()
      const error = this.#reader.statName(name)
      if (error !== 0 && !hasVanished(error)) throw new SystemCallError('statx', error, textOf(name))
      if (error === 0) {
        const { node } = this.#reader
        const kind = kindOfMode(node.mode[0]!)
        if (this.#rules.excludes(scope, directory, name, kind === Kind.directory)) return null
        const salt = this.#saltOf(directory, name, node, 0, self.salt)
        builder.add(0, 0, kind, name, 0, name.length, node, 0, salt)
      }
      return { observed, parentRef: self.ref, entries: unpackBatch(builder.take()).entries }
    } catch (error) {
      if (error instanceof SystemCallError && hasVanished(error.errno)) return null
      throw error
    } finally {
      this.#reader.closeDirectory()
    }
  }

  close(): void {
    this.#reader.close()
    this.#ignoreReader.close()
  }

  /** Opens a directory and tells its ref and the salt of what is in it; null if a scan does not enter it. */
  #open(path: Uint8Array): { ref: NodeRef; salt: number } | null {
    this.#reader.open(path)
    const error = this.#reader.statSelf()
    if (error !== 0) throw new SystemCallError('statx', error)
    const { node } = this.#reader
    const isMountPoint = node.mountRoot[0] === 1 && path.length > 0
    let salt = this.#mounts.rootSalt
    if (node.device[0] !== this.#rootDevice || isMountPoint) {
      const verdict = this.#mounts.judge(path, node.device[0]!, isMountPoint)
      if (verdict.action === 'leaf') return null
      salt = verdict.salt
    }
    const birth = birthOf(node.created.seconds[0]!, node.created.ticks[0]!, salt, node.device[0])
    return { ref: { low: node.inodeLow[0]!, high: node.inodeHigh[0]!, birth }, salt }
  }

  #addPart(
    path: Uint8Array,
    scope: IgnoreScope | null,
    salt: number,
    builder: BatchBuilder,
    parts: EntryColumns[],
  ): void {
    const { entries, stats } = this.#reader
    const nameOf = (row: number) => entries.bytes.subarray(entries.nameStart[row]!, entries.nameEnd[row]!)
    const skip = new Uint8Array(entries.count)
    for (let row = 0; row < entries.count; row++) {
      const type = entries.type[row]!
      if (type !== DirentType.unknown && this.#rules.excludes(scope, path, nameOf(row), type === DirentType.directory))
        skip[row] = 1
    }
    this.#reader.stat(skip)
    for (let row = 0; row < entries.count; row++) {
      const error = stats.error[row]!
      if (skip[row] === 1 || hasVanished(error)) continue
      if (builder.isFull) parts.push(unpackBatch(builder.take()).entries)
      const start = entries.nameStart[row]!
      const end = entries.nameEnd[row]!
      if (error !== 0) {
        const kind = kindOfType(entries.type[row]!)
        builder.addBare(0, 0, kind, entries.bytes, start, end, entries.inodeLow[row]!, entries.inodeHigh[row]!, salt)
        continue
      }
      const kind = kindOfMode(stats.mode[row]!)
      const isUnknown = entries.type[row] === DirentType.unknown
      if (isUnknown && this.#rules.excludes(scope, path, nameOf(row), kind === Kind.directory)) continue
      builder.add(0, 0, kind, entries.bytes, start, end, stats, row, this.#saltOf(path, nameOf(row), stats, row, salt))
    }
  }

  /** The salt of an entry: that of its directory, unless it is a directory at which something else is mounted. */
  #saltOf(directory: Uint8Array, name: Uint8Array, stats: StatColumns, row: number, outside: number): number {
    if (kindOfMode(stats.mode[row]!) !== Kind.directory) return outside
    const isOutside = outside !== this.#mounts.rootSalt
    if (stats.mountRoot[row] === 0 && (stats.device[row] === this.#rootDevice || isOutside)) return outside
    return this.#mounts.judge(joinPath(directory, name), stats.device[row]!, stats.mountRoot[row] === 1).salt
  }

  /** Made at the first use and kept: it holds the columns of a full batch. */
  #newBuilder(): BatchBuilder {
    this.#builder ??= new BatchBuilder(false)
    // What an error has left in it.
    if (!this.#builder.isEmpty) this.#builder.take()
    return this.#builder
  }

  #readIgnoreFile(directory: Uint8Array): string | null {
    try {
      this.#ignoreReader.open(directory)
      const content = this.#ignoreReader.readFile(IGNORE_FILE_NAME, MAX_IGNORE_FILE_BYTES)
      return content === null ? null : textOf(content)
    } catch (error) {
      // The scan reads on, too, where there is no directory or its rules cannot be read.
      if (error instanceof SystemCallError) return null
      throw error
    } finally {
      this.#ignoreReader.closeDirectory()
    }
  }
}

function concatenated(parts: readonly EntryColumns[]): EntryColumns {
  if (parts.length === 1) return parts[0]!
  const count = parts.reduce((sum, part) => sum + part.count, 0)
  const joined = <T extends Uint8Array | Uint32Array | Float64Array>(out: T, column: (part: EntryColumns) => T): T => {
    let at = 0
    for (const part of parts) {
      out.set(column(part), at)
      at += column(part).length
    }
    return out
  }
  const nameOffsets = new Uint32Array(count + 1)
  let row = 0
  let base = 0
  for (const part of parts) {
    for (let i = 0; i < part.count; i++) nameOffsets[row++] = base + part.nameOffsets[i]!
    base += part.names.length
  }
  nameOffsets[count] = base
  const times = TIME_COLUMNS.filter(name => parts[0]![name] !== undefined).map(name => [
    name,
    {
      seconds: joined(new Float64Array(count), part => part[name]!.seconds),
      ticks: joined(new Uint32Array(count), part => part[name]!.ticks),
    },
  ])
  return {
    count,
    parent: new Uint32Array(count),
    directory: new Uint32Array(count),
    kind: joined(new Uint8Array(count), part => part.kind),
    nameOffsets,
    names: joined(new Uint8Array(base), part => part.names),
    size: joined(new Float64Array(count), part => part.size),
    ref: {
      low: joined(new Uint32Array(count), part => part.ref!.low),
      high: joined(new Uint32Array(count), part => part.ref!.high),
      birth: joined(new Uint32Array(count), part => part.ref!.birth),
    },
    ...Object.fromEntries(times),
  }
}
