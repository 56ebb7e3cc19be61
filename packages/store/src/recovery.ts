import {
  decodeChangeBatch,
  decodeManifest,
  decodeTombstoneFile,
  MAX_MANIFEST_BYTES,
  type Manifest,
  type ManifestRoot,
  type ManifestSegment,
  type ManifestView,
  readWal,
  TOMBSTONE_HEADER_SIZE,
  WAL_HEADER_SIZE,
  type WalContents,
} from '@hotpath/index-format'
import { CorruptFileError, isDamage, UnsupportedVersionError } from '@hotpath/model'
import { applyBatch } from './apply.js'
import { RoaringBitmap32 } from './bitmap.js'
import { findDisplaced } from './displaced.js'
import { type FileSystem, isMissing } from './file-system.js'
import { RootState } from './root-state.js'
import type { SegmentBackend } from './segment-access.js'
import { SegmentState } from './segment-state.js'
import { DAMAGED_SUFFIX, MANIFEST_NAME, segmentName, tombstoneName, walName, walNumber } from './store-files.js'
import type { StoreOptions } from './store-types.js'
import { View } from './view.js'

/** A WAL file above this was not written by us: files are sealed at a fraction of it. */
const MAX_WAL_BYTES = 2 ** 31
/** Bytes of a tombstone file: a bitmap of 2^32 ids is at most 512 MB. */
const MAX_TOMBSTONE_BYTES = 2 ** 29 + TOMBSTONE_HEADER_SIZE + 4

/** What opening found. */
export interface Recovered {
  readonly manifest: Manifest | undefined
  readonly roots: Map<string, RootState>
  /** Number for the next WAL file. */
  readonly nextWal: number
  /** First WAL file that some view needs. */
  readonly firstWal: number
  /** WAL files from there on. */
  readonly walNumbers: number[]
  readonly replayedRecords: number
  readonly replayedRows: number
  /** Damaged files, for people. Log files among them stay in place: what was read of them is only in memory. */
  readonly damaged: DamagedFile[]
  /** Steps, in order, without which nothing may be written. Safe to begin again after a crash among them. */
  readonly repairs: readonly (() => Promise<void>)[]
}

export interface DamagedFile {
  readonly name: string
  readonly reason: string
  /** Still to be set aside, once what was read of it is durable elsewhere. */
  readonly pending: boolean
}

/**
 * Reads manifest, segments and log of a data directory. Damage costs what it hits, and is reported. Nothing is written here:
 * what has to be is in `repairs`, for the case that the disk takes it.
 */
export class Recovery {
  private readonly roots = new Map<string, RootState>()
  private readonly damaged: DamagedFile[] = []
  private readonly repairs: (() => Promise<void>)[] = []
  private readonly views: { root: RootState; view: View; durable: ManifestView }[] = []
  private replayedRecords = 0
  private replayedRows = 0

  constructor(
    private readonly fs: FileSystem,
    private readonly backend: SegmentBackend,
    private readonly directory: string,
    private readonly followed?: StoreOptions['followed'],
  ) {}

  /** @throws UnsupportedVersionError: a newer program wrote this; nothing was changed */
  async run(): Promise<Recovered> {
    const names = await this.fs.list(this.directory)
    const manifest = names.includes(MANIFEST_NAME) ? await this.readManifest() : undefined
    for (const root of manifest?.roots ?? []) await this.openRoot(root)
    const firstWal = Math.min(...this.views.map(({ durable }) => durable.replayFrom))
    const numbers = names.map(walNumber).filter(number => number > 0)
    const wanted = numbers.filter(number => number >= firstWal).sort((a, b) => a - b)
    const unused = await this.replay(manifest?.storeId ?? '', firstWal, wanted)
    const existing = numbers.filter(number => number !== unused)
    const nextWal = Math.max(0, ...existing, ...this.views.map(({ durable }) => durable.replayFrom - 1)) + 1
    return {
      walNumbers: existing.filter(number => number >= firstWal),
      manifest,
      roots: this.roots,
      nextWal,
      firstWal: Number.isFinite(firstWal) ? firstWal : nextWal,
      replayedRecords: this.replayedRecords,
      replayedRows: this.replayedRows,
      damaged: this.damaged,
      repairs: this.repairs,
    }
  }

  private async readManifest(): Promise<Manifest | undefined> {
    const file = `${this.directory}/${MANIFEST_NAME}`
    try {
      return decodeManifest(await this.fs.read(file, MAX_MANIFEST_BYTES), file)
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      this.setAside(MANIFEST_NAME, error.message)
      return undefined
    }
  }

  private async openRoot(from: ManifestRoot): Promise<void> {
    const root = new RootState(from.spec, from.volume, from.prefix, from.virtualRoot)
    root.scanReason = from.scanReason
    root.partial = from.partial
    root.lastScan = from.lastScan
    root.followed = from.followed
    root.trust = from.trust
    root.wholeUntilMs = from.wholeUntilMs
    root.journal = from.journal
    this.roots.set(from.spec.id, root)
    if (!from.view) return
    const view = new View({
      id: from.view.id,
      root: from.spec.id,
      volume: from.volume,
      prefix: from.prefix,
      virtualRoot: from.virtualRoot,
      followed: this.followed?.(from.volume),
    })
    view.nextDirectoryId = from.view.nextDirectoryId
    view.boots = [...from.view.boots]
    view.observedFrom = { boot: from.view.observedFromBoot, time: from.view.observedFrom }
    view.impliedDirectories = from.view.impliedDirectories
    for (const dirId of from.view.unlisted) view.unlisted.add(dirId)
    for (const dirId of from.view.unread) view.unread.add(dirId)
    for (const [source, sequence] of from.view.applied) root.applied.set(source, sequence)
    const segments: ManifestSegment[] = []
    for (const segment of from.view.segments) {
      const opened = await this.openSegment(segment)
      if (opened) {
        view.segments.push(opened)
        segments.push(segment)
      } else {
        root.partial = true
        root.scanReason = 'damaged segment'
        root.distrust()
        view.impliedDirectories = true
      }
    }
    findDisplaced(view)
    root.active = view
    root.durable = { ...from.view, segments }
    this.views.push({ root, view, durable: root.durable })
  }

  private async openSegment(from: ManifestSegment): Promise<SegmentState | undefined> {
    const name = segmentName(from.id)
    const file = `${this.directory}/${name}`
    let opened: SegmentState | undefined
    let damagedName = name
    try {
      const segment = await this.backend.open(file)
      const state = new SegmentState(from.id, from.origin, file, segment, undefined)
      opened = state
      if (state.dirCount !== from.dirCount || state.fileCount !== from.fileCount) {
        throw new CorruptFileError(
          file,
          0,
          `${from.dirCount} + ${from.fileCount} rows`,
          `${state.dirCount} + ${state.fileCount}`,
        )
      }
      if (from.deadGeneration === 0) return state
      damagedName = tombstoneName(from.id, from.deadGeneration)
      const dead = await this.readTombstones(`${this.directory}/${damagedName}`, from, state.rowCount)
      return new SegmentState(from.id, from.origin, file, segment, dead, from.deadGeneration, dead.size)
    } catch (error) {
      if (!isDamage(error)) {
        opened?.close()
        throw error
      }
      opened?.close()
      const reason = error instanceof Error ? error.message : String(error)
      this.setAside(damagedName, reason)
      return undefined
    }
  }

  private async readTombstones(file: string, segment: ManifestSegment, rowCount: number): Promise<RoaringBitmap32> {
    const found = decodeTombstoneFile(await this.fs.read(file, MAX_TOMBSTONE_BYTES), file)
    if (
      found.segment !== segment.id ||
      found.generation !== segment.deadGeneration ||
      found.count !== segment.deadCount
    ) {
      throw new CorruptFileError(
        file,
        0,
        `${segment.deadCount} tombstones of segment ${segment.id}, generation ${segment.deadGeneration}`,
        `${found.count} of ${found.segment}, generation ${found.generation}`,
      )
    }
    const bitmap = RoaringBitmap32.deserialize(found.bitmap, 'portable')
    if (bitmap.size !== found.count || bitmap.maximum() >= rowCount) {
      throw new CorruptFileError(
        file,
        TOMBSTONE_HEADER_SIZE,
        `${found.count} entries below ${rowCount}`,
        `${bitmap.size}`,
      )
    }
    return bitmap
  }

  /** @returns number of a last file that holds no record, and is begun anew; 0 if there was none */
  private async replay(storeId: string, firstWal: number, numbers: readonly number[]): Promise<number> {
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]
      const isLast = i === numbers.length - 1
      const name = walName(number)
      const file = `${this.directory}/${name}`
      let problem = number === firstWal + i ? '' : `log file ${firstWal + i} is missing`
      if (!problem) {
        const bytes = await this.fs.read(file, MAX_WAL_BYTES)
        if (isLast && bytes.length <= WAL_HEADER_SIZE && !isGoodHeader(bytes, file)) {
          // The file was being made: nothing in it was ever acknowledged.
          return number
        }
        const read = this.replayFile(bytes, file, number, storeId, isLast)
        if (isLast && read.records === 0 && !read.problem) return number
        problem = read.problem
      }
      if (!problem) continue
      for (const later of numbers.slice(i)) this.damaged.push({ name: walName(later), reason: problem, pending: true })
      for (const { root } of this.views) {
        if (root.spec.kind === 'tree') root.scanReason = 'damaged log'
        root.distrust()
      }
      return 0
    }
    return 0
  }

  /** @returns how many records the file holds, and what is wrong with it, empty if nothing */
  private replayFile(
    bytes: Uint8Array,
    file: string,
    number: number,
    storeId: string,
    isLast: boolean,
  ): { readonly records: number; readonly problem: string } {
    let contents: WalContents
    try {
      contents = readWal(bytes, file)
    } catch (error) {
      if (error instanceof CorruptFileError) return { records: 0, problem: error.message }
      throw error
    }
    const { header, records, validEnd, ending } = contents
    const problem = (text: string) => ({ records: records.length, problem: text })
    if (header.number !== number || header.storeId !== storeId) {
      return problem(`${JSON.stringify(file)} is file ${header.number} of store ${header.storeId}`)
    }
    for (const record of records) {
      try {
        this.applyRecord(number, record.content, file, record.offset)
      } catch (error) {
        if (error instanceof CorruptFileError) return problem(error.message)
        throw error
      }
    }
    if (ending === 'damaged' || (ending === 'torn' && !isLast)) {
      return problem(`${JSON.stringify(file)} at byte ${validEnd}: expected a record, found other bytes`)
    }
    // What was read may be in the page cache only: it must be safe before anything that follows is acknowledged.
    if (isLast && records.length > 0) this.repairs.push(() => this.fs.cut(file, validEnd))
    return problem('')
  }

  private applyRecord(number: number, content: Uint8Array, file: string, offset: number): void {
    const batch = decodeChangeBatch(content, file, offset)
    const target = this.views.find(({ root }) => root.spec.id === batch.root)
    if (!target || number < target.durable.replayFrom) return
    const { root, view } = target
    const last = root.applied.get(batch.source) ?? 0
    if (batch.sequence <= last) return
    if (last > 0 && batch.sequence > last + 1) root.distrust()
    applyBatch(view, batch)
    view.takeOps()
    root.noteApplied(batch.source, batch.sequence)
    this.replayedRecords++
    this.replayedRows += batch.changes.entries.count
  }

  private setAside(name: string, reason: string): void {
    this.damaged.push({ name, reason, pending: false })
    this.repairs.push(async () => {
      try {
        await this.fs.rename(`${this.directory}/${name}`, `${this.directory}/${name}${DAMAGED_SUFFIX}`)
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    })
  }
}

function isGoodHeader(bytes: Uint8Array, file: string): boolean {
  try {
    readWal(bytes, file)
    return true
  } catch (error) {
    if (error instanceof UnsupportedVersionError) throw error
    return false
  }
}
