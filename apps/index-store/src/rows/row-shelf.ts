import { join } from 'node:path'
import { encodePortable, MalformedBytesError, MemorySink, RoaringView } from '@hotpath/index-format'
import { CorruptFileError, type FollowedTable, HotpathError } from '@hotpath/model'
import { canMapInto, type MappedFile, mapFile } from '@hotpath/platform'
import { type DeliveredChange, decodeChanges, type RowCursor } from '@hotpath/protocol/contract'
import { type IndexedRow, RowIndex, RowSegment, RowSegmentBuilder, SegmentRows } from '@hotpath/row-index'
import { type FileSystem, publishFile } from '@hotpath/store'
import { KeptRowPages } from './kept-row-pages.js'
import { decodeRowManifest, encodeRowManifest, MAX_ROW_MANIFEST_BYTES, ROW_MANIFEST_NAME } from './row-manifest.js'
import { keyOfRow, TextColumns } from './row-texts.js'

/** A database whose rows are searched. */
export interface ShelfSetting {
  readonly database: string
  /** The indexed columns, as `table.column`. */
  readonly text: readonly string[]
  /** Where its segments are; undefined: in memory only, because nothing of it may be stored in clear. */
  readonly directory: string | undefined
}

export interface ShelfLimits {
  /** Rows, or bytes of text, that are in memory before they become a segment. */
  readonly flushRows: number
  readonly flushBytes: number
  /** So many segments that are about as large are merged. */
  readonly fanIn: number
  /** Segments of more bytes are left alone: a merge holds its result in memory until it is written. */
  readonly mergeBytes: number
}

export const SHELF_LIMITS: ShelfLimits = { flushRows: 16_384, flushBytes: 4 << 20, fanIn: 4, mergeBytes: 64 << 20 }

/** Longest stretch of building between two messages: a search that comes meanwhile waits no longer. */
const BUILD_MS = 4

interface OpenSegment {
  readonly part: SegmentRows
  /** Undefined: in memory. */
  readonly file: string | undefined
  readonly mapped: MappedFile | undefined
}

/**
 * The searched rows of one database, and where they are kept: segments with a manifest that says up to which change they are complete. What is
 * not in a segment is lost with the process, and told again by the watcher from the manifest's cursor on.
 */
export class RowShelf {
  index: RowIndex
  private columns: TextColumns
  private open: OpenSegment[] = []
  private nextFile = 1
  private maintaining: Promise<void> | undefined
  /** What was found in it last. */
  readonly pages = new KeptRowPages()
  /** Counts up with every reset: what was being built before is of no use. */
  private life = 0
  /** All changes up to here are in the index; undefined: nothing is known, or rows are still being told. */
  cursor: RowCursor | undefined
  /** All changes up to here are in segments. */
  private savedCursor: RowCursor | undefined

  private constructor(
    readonly setting: ShelfSetting,
    private readonly fs: FileSystem,
    private readonly limits: ShelfLimits,
    private readonly onError: (error: unknown) => void,
  ) {
    this.index = new RowIndex(setting.database)
    this.columns = new TextColumns(setting.text)
  }

  /**
   * Opens what is there. What is damaged, or made with other columns, is removed: the rows are told again.
   * @param onError what could not be written or read; the index works on without it
   */
  static async open(
    setting: ShelfSetting,
    fs: FileSystem,
    onError: (error: unknown) => void,
    limits = SHELF_LIMITS,
  ): Promise<RowShelf> {
    const shelf = new RowShelf(setting, fs, limits, onError)
    await shelf.read()
    return shelf
  }

  private async read(): Promise<void> {
    const { directory, text, database } = this.setting
    if (directory === undefined) return
    await this.fs.makeDirectory(directory)
    const path = join(directory, ROW_MANIFEST_NAME)
    try {
      if ((await this.fs.size(path)) >= 0) {
        const manifest = decodeRowManifest(path, await this.fs.read(path, MAX_ROW_MANIFEST_BYTES))
        if (manifest.database === database && JSON.stringify(manifest.text) === JSON.stringify(text)) {
          for (const { file, dead } of manifest.segments) this.open.push(await this.openFile(file, dead))
          this.cursor = manifest.cursor
          this.savedCursor = manifest.cursor
          this.index = new RowIndex(
            database,
            this.open.map(({ part }) => part),
          )
        }
      }
    } catch (error) {
      if (!(error instanceof HotpathError)) throw error
      this.onError(error)
      this.close()
    }
    const wanted = new Set([ROW_MANIFEST_NAME, ...this.open.map(({ file }) => file)])
    for (const name of await this.fs.list(directory)) {
      if (!wanted.has(name)) await this.fs.remove(join(directory, name))
      else if (name !== ROW_MANIFEST_NAME) this.nextFile = Math.max(this.nextFile, Number.parseInt(name, 10) + 1)
    }
    if (this.cursor === undefined) await this.fs.remove(path)
  }

  private async openFile(file: string, dead: Uint8Array): Promise<OpenSegment> {
    const path = join(this.setting.directory!, file)
    if (!/^\d{1,9}\.rows$/.test(file))
      throw new CorruptFileError(path, 0, 'a file such as 1.rows', JSON.stringify(file))
    const size = await this.fs.size(path)
    if (size < 0) throw new CorruptFileError(path, 0, 'a segment of rows', 'no file')
    const mapped = canMapInto() ? mapFile(path) : undefined
    const segment = new RowSegment(path, mapped?.bytes() ?? (await this.fs.read(path, size)))
    return { part: new SegmentRows(segment, deadRows(path, dead, segment.rowCount)), file, mapped }
  }

  /** What was known is void: rows are told, or changes from this cursor on. */
  async reset(cursor: RowCursor | undefined): Promise<void> {
    this.life++
    await this.maintaining
    this.close()
    this.columns = new TextColumns(this.setting.text)
    this.index = new RowIndex(this.setting.database)
    this.cursor = cursor
    const { directory } = this.setting
    if (directory === undefined) return
    await this.fs.remove(join(directory, ROW_MANIFEST_NAME))
    for (const name of await this.fs.list(directory)) await this.fs.remove(join(directory, name))
  }

  /**
   * Takes changes (`decodeChanges` of the protocol). `cursor`: with them all up to there is known. Throws InvalidInputError.
   * @returns whether rows changed that are searched
   */
  apply(tables: readonly FollowedTable[], changes: Uint8Array, cursor: RowCursor | undefined): boolean {
    for (const table of tables) this.columns.describe(table)
    let isChanged = false
    for (const change of decodeChanges(changes)) if (this.applyOne(change)) isChanged = true
    if (cursor !== undefined) this.cursor = cursor
    return isChanged
  }

  /** @returns whether something else is found now */
  private applyOne(change: DeliveredChange): boolean {
    const { table } = change
    if (!this.columns.has(table)) return false
    const key = keyOfRow(change.key)
    if (key === undefined) return false
    const text = this.columns.textOf(change)
    this.pages.clear()
    if (text === undefined) return this.index.remove(table, key)
    this.index.put({ table, key, text })
    return true
  }

  /** Starts to write and merge what has become large, unless that is under way. Resolves when there is nothing left to do. */
  maintain(): Promise<void> {
    this.maintaining ??= this.maintainAll()
      .catch(error => this.onError(error))
      .finally(() => {
        this.maintaining = undefined
      })
    return this.maintaining
  }

  private async maintainAll(): Promise<void> {
    const { life } = this
    while (life === this.life) {
      const { rows, bytes } = this.index.unsaved
      if (rows >= this.limits.flushRows || bytes >= this.limits.flushBytes) await this.flush()
      else if (!(await this.merge())) return
    }
  }

  private async flush(): Promise<void> {
    const { life, index, cursor } = this
    const segment = await this.build(index.seal())
    if (segment === undefined || life !== this.life) {
      segment?.mapped?.unmap()
      return
    }
    this.open.push({ ...segment, part: index.replaceSealed(segment.segment) })
    this.savedCursor = cursor
    await this.save()
  }

  /** @returns false if there is nothing to merge */
  private async merge(): Promise<boolean> {
    const { life, index } = this
    const merged = this.mergeable()
    if (merged === undefined) return false
    const parts = merged.map(({ part }) => part)
    const segment = await this.build(index.mergedRows(parts))
    if (segment === undefined || life !== this.life) {
      segment?.mapped?.unmap()
      return false
    }
    this.open = this.open.filter(each => !merged.includes(each))
    this.open.push({ ...segment, part: index.replaceMerged(parts, segment.segment) })
    await this.save()
    for (const { file, mapped } of merged) {
      mapped?.unmap()
      if (file !== undefined) await this.fs.remove(join(this.setting.directory!, file))
    }
    return true
  }

  /** Segments to be merged: `fanIn` of them that are within a factor of `fanIn`, the smallest there are. */
  private mergeable(): OpenSegment[] | undefined {
    const { fanIn, mergeBytes } = this.limits
    const bySize = [...this.open].sort((a, b) => sizeOf(a) - sizeOf(b))
    for (let first = 0; first + fanIn <= bySize.length; first++) {
      const tier = bySize.slice(first, first + fanIn)
      const total = tier.reduce((sum, each) => sum + sizeOf(each), 0)
      if (total > mergeBytes) return undefined
      if (sizeOf(tier[fanIn - 1]) <= sizeOf(tier[0]) * fanIn) return tier
    }
    return undefined
  }

  /** Builds a segment in stretches. @returns undefined if the index was reset meanwhile */
  private async build(
    rows: Iterable<IndexedRow>,
  ): Promise<{ segment: RowSegment; file: string | undefined; mapped: MappedFile | undefined } | undefined> {
    const { life } = this
    const builder = new RowSegmentBuilder()
    let until = performance.now() + BUILD_MS
    for (const row of rows) {
      builder.add(row)
      if (performance.now() < until) continue
      await new Promise(resolve => setImmediate(resolve))
      if (life !== this.life) return undefined
      until = performance.now() + BUILD_MS
    }
    const sink = new MemorySink()
    builder.finish(sink)
    const { directory } = this.setting
    if (directory === undefined) {
      // A copy of the length that it has: the sink's buffer is larger.
      return { segment: new RowSegment('memory', sink.bytes().slice()), file: undefined, mapped: undefined }
    }
    const file = `${this.nextFile++}.rows`
    await publishFile(this.fs, directory, file, sink.bytes())
    const mapped = canMapInto() ? mapFile(join(directory, file)) : undefined
    return { segment: new RowSegment(join(directory, file), mapped?.bytes() ?? sink.bytes().slice()), file, mapped }
  }

  private async save(): Promise<void> {
    const { directory, database, text } = this.setting
    const cursor = this.savedCursor
    // Without one the rows are told again, whatever is there of them.
    if (directory === undefined || cursor === undefined) return
    const segments = this.open.map(({ file, part }) => ({
      file: file!,
      dead: part.deadCount === 0 ? new Uint8Array(0) : encodePortable(Uint32Array.from(part.deadRows())),
    }))
    await publishFile(this.fs, directory, ROW_MANIFEST_NAME, encodeRowManifest({ database, text, cursor, segments }))
  }

  /** Bytes of its segments. */
  get bytes(): number {
    return this.open.reduce((sum, each) => sum + sizeOf(each), 0)
  }

  /** Lets go of all files. */
  close(): void {
    for (const { mapped } of this.open) mapped?.unmap()
    this.open = []
    this.index = new RowIndex(this.setting.database)
    this.pages.clear()
    this.cursor = undefined
    this.savedCursor = undefined
  }

  /** Waits for what is being written, and lets go of all files. */
  async stop(): Promise<void> {
    this.life++
    await this.maintaining
    this.close()
  }
}

function sizeOf({ part }: OpenSegment): number {
  return part.segment.bytes.length
}

function deadRows(path: string, dead: Uint8Array, rows: number): number[] {
  const numbers: number[] = []
  if (dead.length === 0) return numbers
  try {
    const view = new RoaringView(dead)
    view.verify()
    view.forEach(row => {
      numbers.push(row)
    })
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error
    throw new CorruptFileError(path, error.offset, 'a bitmap of rows', error.message)
  }
  const last = numbers.at(-1) ?? -1
  if (last >= rows) throw new CorruptFileError(path, 0, `dead rows below ${rows}`, `${last}`)
  return numbers
}
