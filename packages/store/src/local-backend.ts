import {
  buildSegment,
  type DirectoryPlace,
  KEY_RULES,
  MAX_SEGMENT_BYTES,
  MemorySink,
  mergeSegments,
  RoaringView,
  SegmentReader,
} from '@hotpath/index-format'
import { CorruptFileError, type EntryColumns } from '@hotpath/model'
import { type FileSystem, publishFile } from './file-system.js'
import type {
  BuiltSegment,
  MergedSegment,
  MergeSource,
  OpenSegment,
  SegmentAccess,
  SegmentBackend,
} from './segment-access.js'

/**
 * Segments through the store's file system, in this thread and in memory: for tests with faults, and for small indexes
 * where no thread can be started.
 */
export class LocalSegmentBackend implements SegmentBackend {
  constructor(protected readonly fs: FileSystem) {}

  async open(file: string): Promise<OpenSegment> {
    const reader = await this.read(file)
    return openReader(reader, reader.frame.bytes.length, () => {})
  }

  async build(rows: EntryColumns, file: string): Promise<BuiltSegment> {
    const sink = new MemorySink()
    const stats = buildSegment(rows, sink)
    await this.publish(file, sink)
    return { stats, rows }
  }

  async merge(
    sources: readonly MergeSource[],
    places: ReadonlyMap<number, DirectoryPlace>,
    file: string,
  ): Promise<MergedSegment> {
    const inputs = await Promise.all(sources.map(async source => mergeInput(await this.read(source.file), source.dead)))
    const sink = new MemorySink()
    const { mapping, ...stats } = mergeSegments(inputs, dirId => places.get(dirId), sink)
    await this.publish(file, sink)
    return { stats, mapping }
  }

  async verify(file: string): Promise<void> {
    ;(await this.read(file)).verify()
  }

  async stop(): Promise<void> {}

  private async read(file: string): Promise<SegmentReader> {
    const bytes = await this.fs.read(file, MAX_SEGMENT_BYTES)
    // The reader wants a multiple of four bytes as its start, which small buffers of node need not have.
    return new SegmentReader(file, bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes))
  }

  protected publish(file: string, sink: MemorySink): Promise<void> {
    const slash = file.lastIndexOf('/')
    return publishFile(this.fs, file.slice(0, slash), file.slice(slash + 1), sink.bytes())
  }
}

/** A source of a merge with its dead entries as a bit set. */
export function mergeInput(
  reader: SegmentReader,
  dead: Uint8Array,
): { reader: SegmentReader; isDead(entry: number): boolean } {
  if (dead.length === 0) return { reader, isDead: () => false }
  const bits = new Uint8Array((reader.rowCount + 7) >>> 3)
  new RoaringView(dead).forEach(entry => {
    bits[entry >>> 3] |= 1 << (entry & 7)
  })
  return { reader, isDead: entry => (bits[entry >>> 3] & (1 << (entry & 7))) !== 0 }
}

/** What the store sees of a reader. */
export function openReader(reader: SegmentReader, sizeBytes: number, close: () => void): OpenSegment {
  // Names are found by the order of their keys: a segment of other rules would miss some.
  if (reader.keyRules !== KEY_RULES)
    throw new CorruptFileError(reader.file, 0, `key rules ${KEY_RULES}`, reader.keyRules)
  const access: SegmentAccess = reader
  return {
    access,
    sizeBytes,
    close,
    sections: () => [...reader.frame.sections.values()].map(({ tag, length }) => ({ tag, sizeBytes: length })),
  }
}
