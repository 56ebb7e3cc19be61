import { Kind, MISSING, type NodeRef, ORPHANED_REF } from '@hotpath/model'
import {
  type DirectoryPlace,
  drive,
  MftParser,
  type MftRows,
  namesWithStreams,
  orphanedName,
  ROOT_RECORD,
  type StreamRows,
  streamName,
  TableNodes,
  Volume,
} from '@hotpath/ntfs'
import { monotonicMicros } from '@hotpath/platform'
import type { ExclusionRules } from '@hotpath/scanner'
import { joinPath } from '../tree/paths.js'
import { refOf, type VolumeBatch } from './volume-batch.js'
import type { VolumeImage } from './volume-image.js'

/** Rows that a listing tells for each file at most, on average: of files with many streams it would take too much memory. */
const MAX_ROWS_PER_FILE = 4
const ROOT_PATH = new Uint8Array(0)

/** Where a directory lies, relative to the root, and whether it is left out, or something above it. */
interface Located {
  readonly path: Uint8Array
  readonly isLeftOut: boolean
}

/**
 * Looks at nodes of a volume and tells what they are, as a listing of the whole table would. With each name the places of all directories
 * above it are told, from the root on: then no name comes into a directory that the index does not know yet, or has elsewhere.
 */
export class VolumeObserver {
  readonly #image: VolumeImage
  readonly #rules: ExclusionRules
  readonly #batch: VolumeBatch
  readonly #nodes: TableNodes
  readonly #streams: boolean
  /** Of the directory of what has lost its own. */
  #orphanedName: string | undefined
  readonly #located = new WeakMap<DirectoryPlace, Located>()
  /** When the table was opened: what is remembered of directories is not older. */
  readonly #opened = monotonicMicros()

  /** Opens the volume. Throws CorruptFileError, or the error of node:fs. @param streams tell alternate streams, too */
  constructor(image: VolumeImage, rules: ExclusionRules, batch: VolumeBatch, streams: boolean) {
    this.#image = image
    this.#rules = rules
    this.#batch = batch
    const volume = drive(Volume.open(image.path), image.read)
    this.#nodes = new TableNodes(volume, new MftParser(volume.geometry.recordBytes), { streams })
    this.#streams = streams
  }

  /**
   * Tells the names of a node. `gone`: it has none that belong to the index; that is not told. `directory`: it is one that came with a
   * name. What cannot be read is left as the index has it.
   */
  node(record: number, sequence: number): 'gone' | 'directory' | 'other' {
    const observed = monotonicMicros()
    const rows = drive(this.#nodes.node(record, sequence), this.#image.read)
    if (rows === 'gone') return 'gone'
    if (rows === 'damaged') {
      this.#batch.stats.errors++
      return 'other'
    }
    if (rows.count === 0) return 'gone'
    if (record === ROOT_RECORD) {
      this.#batch.place(refOf(rows, 0))
      this.#batch.present(undefined, rows, 0, observed)
      return 'other'
    }
    if (!this.#tellAll(rows, observed)) return 'gone'
    return rows.kind[0] === Kind.directory ? 'directory' : 'other'
  }

  /**
   * Tells all that a directory holds, in one batch. `gone`: it is none (any more). `tooLarge`: it holds more than `most` files, or too many
   * streams for that.
   * Throws CorruptFileError if its index cannot be read.
   *
   * @param found called for each directory in it
   */
  list(
    record: number,
    sequence: number,
    most: number,
    found: (directory: NodeRef) => void,
  ): 'told' | 'gone' | 'tooLarge' {
    const observed = monotonicMicros()
    const { read } = this.#image
    const place = drive(this.#nodes.placeOf(record, sequence), read)
    if (place.kind === 'lost' || place.kind === 'hidden') return 'gone'
    const files = this.#image.filesIn(this.#nodes.volume, { record, sequence }, most)
    if (files === undefined) return 'tooLarge'
    this.#place(place)
    const mostRows = this.#batch.count + MAX_ROWS_PER_FILE * most
    for (const file of files) {
      if (this.#batch.count > mostRows) return 'tooLarge'
      const rows = drive(this.#nodes.node(file.record, file.sequence), read)
      if (typeof rows === 'string') {
        if (rows === 'damaged') this.#batch.stats.errors++
        continue
      }
      const isDirectory = rows.kind[0] === Kind.directory
      const here = this.#namesOf(rows).filter(at => rows.parent[at] === record && rows.parentSequence[at] === sequence)
      if (here.length === 0) continue
      // What has streams is told as a whole: an index takes names of a file for alike.
      const isTold = this.#streams
        ? this.#tellAll(rows, observed)
        : here.map(at => this.#name(rows, at, observed)).includes(true)
      if (isTold && isDirectory) found(refOf(rows, 0))
    }
    this.#batch.listed({ low: record, high: 0, birth: sequence }, observed)
    return 'told'
  }

  /** Tells all names of a node and its streams, and that it has no others. False: it has none that belong to the index, and nothing is told. */
  #tellAll(rows: MftRows, observed: number): boolean {
    const names = this.#namesOf(rows)
    const withStreams = hasStreams(rows) ? namesWithStreams(names.length, rows.streams.count) : 0
    let told = 0
    for (const at of names) {
      if (!this.#name(rows, at, observed)) continue
      told++
      if (at < withStreams) this.#streamsBeside(this.#directoryOf(rows, at), rows, at, observed)
    }
    if (told === 0) return false
    if (rows.kind[0] === Kind.directory) this.#batch.place(refOf(rows, 0))
    this.#batch.named(refOf(rows, 0), observed)
    return true
  }

  /** Rows of the names of a node that count: of a directory the first. */
  #namesOf(rows: MftRows): number[] {
    const count = rows.kind[0] === Kind.directory ? Math.min(1, rows.count) : rows.count
    return Array.from({ length: count }, (_, at) => at)
  }

  /** False: it does not belong to the index. */
  #name(rows: MftRows, at: number, observed: number): boolean {
    const parent = this.#directoryOf(rows, at)
    const isDirectory = rows.kind[at] === Kind.directory
    if (parent.kind === 'hidden' || this.#isLeftOut(parent, nameAt(rows, at), isDirectory)) return false
    this.#place(parent)
    this.#batch.present(refOfPlace(parent), rows, at, observed)
    return true
  }

  #streamsBeside(parent: DirectoryPlace, rows: MftRows, at: number, observed: number): void {
    for (let stream = 0; stream < rows.streams!.count; stream++)
      if (!this.#isLeftOut(parent, streamName(rows, at, stream), false))
        this.#batch.stream(refOfPlace(parent), rows, at, stream, observed)
  }

  #directoryOf(rows: MftRows, at: number): DirectoryPlace {
    return drive(this.#nodes.placeOf(rows.parent[at]!, rows.parentSequence[at]!), this.#image.read)
  }

  /** Tells where a directory is, and before that where those above it are. */
  #place(place: DirectoryPlace): void {
    const chain: { readonly rows: MftRows; readonly above: DirectoryPlace }[] = []
    for (let at: DirectoryPlace | undefined = place; at !== undefined; at = at.above) {
      if (at.kind === 'lost') this.#standInFor(at)
      if (at.rows === undefined || !this.#batch.place(refOfPlace(at))) break
      if (at.above !== undefined) chain.push({ rows: at.rows, above: at.above })
      else this.#batch.present(undefined, at.rows, 0, this.#opened)
    }
    for (const { rows, above } of chain.reverse()) {
      this.#batch.present(refOfPlace(above), rows, 0, this.#opened)
      if (!hasStreams(rows)) continue
      // They have its times.
      this.#streamsBeside(above, rows, 0, this.#opened)
      this.#batch.named(refOf(rows, 0), this.#opened)
    }
  }

  /** Tells the directories that stand for one that is gone. */
  #standInFor(place: DirectoryPlace): void {
    if (!this.#batch.place(refOfPlace(place))) return
    if (this.#batch.place(ORPHANED_REF)) {
      const root = drive(this.#nodes.placeOf(ROOT_RECORD, ROOT_RECORD), this.#image.read)
      this.#place(root)
      this.#batch.standIn(refOfPlace(root), ORPHANED_REF, this.#nameOfOrphaned(), this.#opened)
    }
    this.#batch.standIn(ORPHANED_REF, refOfPlace(place), standInName(place), this.#opened)
  }

  #nameOfOrphaned(): string {
    this.#orphanedName ??= drive(orphanedName(this.#nodes.volume), this.#image.read)
    return this.#orphanedName
  }

  #isLeftOut(parent: DirectoryPlace, name: Uint8Array, isDirectory: boolean): boolean {
    if (!this.#rules.hasRules) return false
    const { path, isLeftOut } = this.#locate(parent)
    return isLeftOut || this.#rules.excludes(null, path, name, isDirectory)
  }

  #locate(place: DirectoryPlace): Located {
    const known = this.#located.get(place)
    if (known !== undefined) return known
    const { rows, above } = place
    let located: Located = { path: ROOT_PATH, isLeftOut: false }
    if (place.kind === 'lost')
      located = { path: Buffer.from(`${this.#nameOfOrphaned()}/${standInName(place)}`), isLeftOut: false }
    if (rows !== undefined && above !== undefined) {
      const parent = this.#locate(above)
      const name = nameAt(rows, 0)
      const isLeftOut = parent.isLeftOut || this.#rules.excludes(null, parent.path, name, true)
      located = { path: joinPath(parent.path, name), isLeftOut }
    }
    this.#located.set(place, located)
    return located
  }
}

/** What stands for a directory in the index: of one that is lost, what a listing puts in its place. */
function refOfPlace({ kind, record, sequence }: DirectoryPlace): NodeRef {
  return { low: record, high: kind === 'lost' ? MISSING : 0, birth: sequence }
}

function hasStreams(rows: MftRows): rows is MftRows & { readonly streams: StreamRows } {
  return rows.streams !== undefined && rows.streams.count > 0
}

/** As a listing calls what stands for a directory that is gone. */
function standInName({ record, sequence }: DirectoryPlace): string {
  return `${record}-${sequence}`
}

function nameAt(rows: MftRows, at: number): Uint8Array {
  return rows.names.subarray(rows.nameOffsets[at]!, rows.nameOffsets[at + 1]!)
}
