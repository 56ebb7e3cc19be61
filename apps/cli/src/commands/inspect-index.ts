import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  decodeManifest,
  decodeTombstoneFile,
  MAX_MANIFEST_BYTES,
  type Manifest,
  type ManifestSegment,
  readWal,
  SegmentReader,
  sectionName,
} from '@hotpath/index-format'
import { HotpathError } from '@hotpath/model'
import { mapFile } from '@hotpath/platform'
import type { Finding } from './finding.js'

/** Bytes that one part of the index takes in all its files. */
export interface PartSize {
  readonly part: string
  readonly bytes: number
}

/** Entries of the index on disk and what they take. */
export interface IndexSizes {
  readonly entries: number
  /** Most directories that one system has to follow: those of trees, deleted ones counted too until the next merge. */
  readonly followedDirectories: number
  readonly parts: readonly PartSize[]
}

/** Files of an index, without those of a writer at work: what it has not published is nobody's business. */
const SEGMENT_NAME = /^seg-([0-9]{12})\.seg$/
const TOMBSTONE_NAME = /^seg-[0-9]{12}-[0-9]+\.dead$/
const WAL_NAME = /^wal-[0-9]{12}\.log$/
const DAMAGED_NAME = /\.damaged$/

/**
 * Reads the files of an index without changing any, also while a system runs on them: files that vanish meanwhile are
 * left out. Segments are mapped, so memory does not grow with the index.
 */
export class IndexInspector {
  constructor(private readonly directory: string) {}

  /** Sizes by section of the segments, largest first, then the other files. */
  sizes(): IndexSizes {
    const bytes = new Map<string, number>()
    const add = (part: string, size: number) => bytes.set(part, (bytes.get(part) ?? 0) + size)
    for (const name of this.names()) {
      const size = statSync(join(this.directory, name), { throwIfNoEntry: false })?.size
      if (size === undefined) continue
      if (SEGMENT_NAME.test(name)) this.addSections(name, size, add)
      else if (TOMBSTONE_NAME.test(name)) add('tombstones', size)
      else if (WAL_NAME.test(name)) add('WAL', size)
      else add('other files', size)
    }
    const parts = [...bytes].map(([part, size]) => ({ part, bytes: size })).sort((a, b) => b.bytes - a.bytes)
    const roots = this.manifest()?.roots ?? []
    const segmentsOf = (some: typeof roots): readonly ManifestSegment[] =>
      some.flatMap(root => root.view?.segments ?? [])
    const trees = segmentsOf(roots.filter(root => root.spec.kind === 'tree'))
    return {
      entries: segmentsOf(roots).reduce((sum, segment) => sum + entriesOf(segment), 0),
      followedDirectories: trees.reduce((sum, segment) => sum + segment.dirCount - segment.stubCount, 0),
      parts,
    }
  }

  /** Reads every checksum of every file. */
  verify(): Finding[] {
    const findings: Finding[] = []
    for (const name of this.names()) {
      if (DAMAGED_NAME.test(name)) {
        findings.push({ state: 'note', what: name, detail: 'was damaged and is set aside; it may be deleted' })
      }
      const problem = this.problemOf(name)
      if (problem !== undefined) findings.push({ state: 'bad', what: name, detail: problem })
    }
    findings.push(...this.missing())
    if (findings.length === 0) findings.push({ state: 'good', what: 'index files', detail: 'every checksum is right' })
    return findings
  }

  /** Segments that the manifest names and that are not there. */
  private missing(): Finding[] {
    const names = new Set(this.names())
    const segments = this.manifest()?.roots.flatMap(root => root.view?.segments ?? []) ?? []
    return segments
      .map(({ id }) => `seg-${String(id).padStart(12, '0')}.seg`)
      .filter(name => !names.has(name))
      .map(what => ({ state: 'bad', what, detail: 'is missing' }))
  }

  private names(): string[] {
    return readdirSync(this.directory).sort()
  }

  private manifest(): Manifest | undefined {
    const file = join(this.directory, 'MANIFEST')
    try {
      if (statSync(file).size > MAX_MANIFEST_BYTES) return undefined
      return decodeManifest(readFileSync(file), file)
    } catch {
      // What is wrong with it is what `verify` says.
      return undefined
    }
  }

  private addSections(name: string, size: number, add: (part: string, bytes: number) => void): void {
    const sections: PartSize[] = []
    try {
      this.readSegment(name, reader => {
        for (const { tag, length } of reader.frame.sections.values()) sections.push({ part: tag, bytes: length })
      })
    } catch (error) {
      if (!(error instanceof HotpathError) && !isGone(error)) throw error
      if (!isGone(error)) add('damaged segments', size)
      return
    }
    for (const { part, bytes } of sections) add(`${part} ${sectionName(part).name}`, bytes)
    add('headers, checksums, padding', size - sections.reduce((sum, section) => sum + section.bytes, 0))
  }

  private readSegment(name: string, use: (reader: SegmentReader) => void): void {
    const file = join(this.directory, name)
    const mapped = mapFile(file)
    try {
      use(new SegmentReader(file, mapped.bytes()))
    } finally {
      mapped.unmap()
    }
  }

  /** What is wrong with a file; undefined if nothing is, or if it is gone. */
  private problemOf(name: string): string | undefined {
    const file = join(this.directory, name)
    try {
      if (SEGMENT_NAME.test(name)) this.readSegment(name, reader => reader.verify())
      else if (TOMBSTONE_NAME.test(name)) decodeTombstoneFile(readFileSync(file), file)
      else if (name === 'MANIFEST') decodeManifest(readFileSync(file), file)
      // A torn end is what a crash leaves: nothing in it was acknowledged.
      else if (WAL_NAME.test(name) && readWal(readFileSync(file), file).ending === 'damaged') {
        return 'a record in its middle is damaged'
      }
      return undefined
    } catch (error) {
      if (isGone(error)) return undefined
      if (error instanceof HotpathError) return error.message
      throw error
    }
  }
}

function entriesOf(segment: ManifestSegment): number {
  return segment.dirCount + segment.fileCount - segment.stubCount - segment.deadCount
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
