import { type Crc32c, SegmentReader } from '@hotpath/index-format'
import { mapFile } from '@hotpath/platform'
import type { NameMatcher } from './name-matcher.js'
import { PlainNameMatcher } from './plain-name-matcher.js'

/** A segment file that is open for searching. */
export interface OpenSegment {
  readonly reader: SegmentReader
  readonly matchers: Record<'d' | 'f', NameMatcher>
  close(): void
}

/** How a worker opens segment files: mapped into WebAssembly memory, or plainly mapped. */
export interface SegmentOpener {
  /** @throws CorruptFileError, UnsupportedVersionError, or the error of the file system */
  open(file: string): OpenSegment
}

/** Maps files read-only and searches them with the plain TypeScript matcher. */
export class MappedSegmentOpener implements SegmentOpener {
  constructor(private readonly crc?: Crc32c) {}

  open(file: string): OpenSegment {
    const mapping = mapFile(file, { advice: 'random' })
    try {
      const reader = new SegmentReader(file, mapping.bytes(), this.crc)
      return {
        reader,
        matchers: { d: new PlainNameMatcher(reader, 'd'), f: new PlainNameMatcher(reader, 'f') },
        close: () => mapping.unmap(),
      }
    } catch (error) {
      mapping.unmap()
      throw error
    }
  }
}
