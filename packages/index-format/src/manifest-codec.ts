import {
  CorruptFileError,
  type JournalPosition,
  ROOT_KINDS,
  type RootKind,
  type RootSpec,
  UnsupportedVersionError,
} from '@hotpath/model'
import { crc32c } from './crc32c.js'

/** Layout: docs/formats/manifest.md. */
export const MANIFEST_MAGIC = 'HPMAN\0\r\n'
/**
 * 1: first version.
 * 2: what follows each root, how far its index is trusted, and until when nothing is missing; readers of 1 refuse it.
 * 3: up to where the change journal of a volume is known; readers of 1 and 2 refuse it.
 */
export const MANIFEST_VERSION = 3
/** Of what is read. */
export const OLDEST_MANIFEST_VERSION = 1
export const MANIFEST_HEADER_SIZE = 16
/** A manifest of 1,000 roots is below 1 MB; a longer one is not read. */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024

export type SegmentOrigin = 'scan' | 'flush' | 'merge'

export interface ManifestSegment {
  /** Also the number in the file's name. */
  readonly id: number
  readonly origin: SegmentOrigin
  readonly sizeBytes: number
  readonly dirCount: number
  readonly fileCount: number
  readonly stubCount: number
  /** Dead entries at the checkpoint. */
  readonly deadCount: number
  /** Generation of the tombstone file, 0 if there is none. */
  readonly deadGeneration: number
}

/** State of a view at a checkpoint: what the WAL from `replayFrom` on is applied to. */
export interface ManifestView {
  readonly id: number
  readonly nextDirectoryId: number
  readonly segments: readonly ManifestSegment[]
  /** First WAL file whose records are not in the segments. */
  readonly replayFrom: number
  /** Last applied sequence of each source, least recently used first. */
  readonly applied: readonly (readonly [source: string, sequence: number])[]
  /** Boot ids in the order in which they were seen. */
  readonly boots: readonly string[]
  /** Observations of the boot `boots[observedFromBoot]` before this monotonic time (µs) are older than the scan. */
  readonly observedFromBoot: number
  readonly observedFrom: number
  /** Directory ids whose contents are not known yet. */
  readonly unlisted: readonly number[]
  /** Directory ids that the scan did not list. */
  readonly unread: readonly number[]
  /** Some directories are only implied (stubs that have no entry anywhere): file lists. */
  readonly impliedDirectories: boolean
}

/** State of the file that a list was read from, to see later if it has changed. */
export interface ListFileFacts {
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** Decimal digits: an inode number may exceed 2^53. */
  readonly inode: string
}

export interface ScanFacts {
  readonly bootId: string
  /** Microseconds of the monotonic clock of that boot. */
  readonly startedAt: number
  /** Milliseconds since 1970. */
  readonly finishedAtMs: number
  readonly entries: number
  readonly skipped: number
  readonly listFile: ListFileFacts | null
}

/** Who told of every change up to now: a watcher that goes on from there has missed nothing. */
export interface FollowedSource {
  readonly source: string
  /** Rises with each loss of events of the source. */
  readonly term: number
  readonly bootId: string
}

/** What of a root is known to be right: nothing, which names there are, or everything. */
export type RootTrust = 'none' | 'names' | 'full'

export interface ManifestRoot {
  readonly spec: RootSpec
  readonly volume: string
  readonly prefix: Uint8Array
  readonly virtualRoot: boolean
  /** Why the root must be scanned, empty if it need not. */
  readonly scanReason: string
  /** A segment was lost: answers are partial until the next scan. */
  readonly partial: boolean
  /** Null: nobody follows it. */
  readonly followed: FollowedSource | null
  readonly trust: RootTrust
  /** Milliseconds since 1970: changes before this are in the index, as far as `trust` says. 0: not known. */
  readonly wholeUntilMs: number
  /** Of a volume: all that its change journal has before this is in the index, or came before the last scan. Null: not known. */
  readonly journal: JournalPosition | null
  readonly view: ManifestView | null
  readonly lastScan: ScanFacts | null
}

export interface Manifest {
  /** 32 hexadecimal digits. */
  readonly storeId: string
  /** Counts the manifests of this store. */
  readonly generation: number
  /** Counts how often the store was opened: the high part of its clock. */
  readonly incarnation: number
  readonly nextFile: number
  readonly nextView: number
  readonly roots: readonly ManifestRoot[]
}

/** The whole file. Deterministic: equal manifests give equal bytes. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(toJson(manifest)))
  const bytes = new Uint8Array(MANIFEST_HEADER_SIZE + json.length + 4)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < MANIFEST_MAGIC.length; i++) bytes[i] = MANIFEST_MAGIC.charCodeAt(i)
  view.setUint32(8, MANIFEST_VERSION, true)
  view.setUint32(12, json.length, true)
  bytes.set(json, MANIFEST_HEADER_SIZE)
  view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true)
  return bytes
}

/** @throws CorruptFileError, UnsupportedVersionError */
export function decodeManifest(bytes: Uint8Array, file: string): Manifest {
  const fail = (offset: number, expected: string, found: string): never => {
    throw new CorruptFileError(file, offset, expected, found)
  }
  if (bytes.length < MANIFEST_HEADER_SIZE + 4) fail(0, `at least ${MANIFEST_HEADER_SIZE + 4} bytes`, `${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let i = 0; i < MANIFEST_MAGIC.length; i++) {
    if (bytes[i] !== MANIFEST_MAGIC.charCodeAt(i)) fail(i, 'the magic number of a manifest', `${bytes[i]}`)
  }
  const crc = crc32c(bytes, 0, bytes.length - 4)
  const stored = view.getUint32(bytes.length - 4, true)
  if (stored !== crc) fail(bytes.length - 4, `checksum ${crc}`, `${stored}`)
  const version = view.getUint32(8, true)
  if (version < OLDEST_MANIFEST_VERSION || version > MANIFEST_VERSION) {
    const supported = `${OLDEST_MANIFEST_VERSION} to ${MANIFEST_VERSION}`
    throw new UnsupportedVersionError(`the manifest ${JSON.stringify(file)}`, version, supported)
  }
  const length = view.getUint32(12, true)
  if (length !== bytes.length - MANIFEST_HEADER_SIZE - 4)
    fail(12, `${bytes.length - MANIFEST_HEADER_SIZE - 4}`, `${length}`)
  let json: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    json = JSON.parse(text.decode(bytes.subarray(MANIFEST_HEADER_SIZE, MANIFEST_HEADER_SIZE + length)))
  } catch (cause) {
    throw new CorruptFileError(file, MANIFEST_HEADER_SIZE, 'JSON in UTF-8', 'other bytes', { cause })
  }
  const wrong = (path: string, expected: string, found: unknown): never =>
    fail(MANIFEST_HEADER_SIZE, `${expected} in ${path}`, shown(found))
  return readManifest(new JsonNode('manifest', json, wrong), version)
}

/** A value of JSON for people. Lists and objects are only named: to write out a deep one can exceed the stack. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value)
}

/** The keys, in the order in which they are written. */
function toJson(manifest: Manifest): object {
  return {
    storeId: manifest.storeId,
    generation: manifest.generation,
    incarnation: manifest.incarnation,
    nextFile: manifest.nextFile,
    nextView: manifest.nextView,
    roots: manifest.roots.map(root => ({
      id: root.spec.id,
      kind: root.spec.kind,
      path: root.spec.path,
      volume: root.volume,
      prefix: hexOf(root.prefix),
      virtualRoot: root.virtualRoot,
      scanReason: root.scanReason,
      partial: root.partial,
      followed: root.followed && {
        source: root.followed.source,
        term: root.followed.term,
        bootId: root.followed.bootId,
      },
      trust: root.trust,
      wholeUntilMs: root.wholeUntilMs,
      journal: root.journal && { id: root.journal.id, next: root.journal.next },
      view: root.view && {
        id: root.view.id,
        nextDirectoryId: root.view.nextDirectoryId,
        segments: root.view.segments.map(segment => ({
          id: segment.id,
          origin: segment.origin,
          sizeBytes: segment.sizeBytes,
          dirCount: segment.dirCount,
          fileCount: segment.fileCount,
          stubCount: segment.stubCount,
          deadCount: segment.deadCount,
          deadGeneration: segment.deadGeneration,
        })),
        replayFrom: root.view.replayFrom,
        applied: root.view.applied,
        boots: root.view.boots,
        observedFromBoot: root.view.observedFromBoot,
        observedFrom: root.view.observedFrom,
        unlisted: root.view.unlisted,
        unread: root.view.unread,
        impliedDirectories: root.view.impliedDirectories,
      },
      lastScan: root.lastScan && {
        bootId: root.lastScan.bootId,
        startedAt: root.lastScan.startedAt,
        finishedAtMs: root.lastScan.finishedAtMs,
        entries: root.lastScan.entries,
        skipped: root.lastScan.skipped,
        listFile: root.lastScan.listFile && {
          sizeBytes: root.lastScan.listFile.sizeBytes,
          modifiedMs: root.lastScan.listFile.modifiedMs,
          inode: root.lastScan.listFile.inode,
        },
      },
    })),
  }
}

function readManifest(node: JsonNode, version: number): Manifest {
  return {
    storeId: node.text('storeId', /^[0-9a-f]{32}$/),
    generation: node.count('generation'),
    incarnation: node.count('incarnation'),
    nextFile: node.count('nextFile'),
    nextView: node.count('nextView'),
    roots: node.list('roots').map(root => readRoot(root, version)),
  }
}

/** What a manifest of version 1 does not say. */
const NOT_FOLLOWED: Pick<ManifestRoot, 'followed' | 'trust' | 'wholeUntilMs'> = {
  followed: null,
  trust: 'none',
  wholeUntilMs: 0,
}

function readFollowing(node: JsonNode): typeof NOT_FOLLOWED {
  const trust = node.text('trust', /^(none|names|full)$/)
  return {
    followed: node.optional('followed', followed => ({
      source: followed.text('source'),
      term: followed.count('term'),
      bootId: followed.text('bootId'),
    })),
    trust: trust === 'none' ? 'none' : trust === 'names' ? 'names' : 'full',
    wholeUntilMs: node.number('wholeUntilMs'),
  }
}

function readKind(node: JsonNode): RootKind {
  const kind = node.text('kind', /^(tree|list|volume)$/)
  return ROOT_KINDS.find(known => known === kind)!
}

function readRoot(node: JsonNode, version: number): ManifestRoot {
  return {
    spec: {
      id: node.text('id'),
      kind: readKind(node),
      path: node.text('path'),
    },
    volume: node.text('volume'),
    prefix: node.hex('prefix'),
    virtualRoot: node.flag('virtualRoot'),
    scanReason: node.text('scanReason'),
    partial: node.flag('partial'),
    ...(version === 1 ? NOT_FOLLOWED : readFollowing(node)),
    journal:
      version < 3
        ? null
        : node.optional('journal', journal => ({ id: journal.text('id'), next: journal.count('next') })),
    view: node.optional('view', readView),
    lastScan: node.optional('lastScan', readScan),
  }
}

function readView(node: JsonNode): ManifestView {
  return {
    id: node.count('id'),
    nextDirectoryId: node.count('nextDirectoryId'),
    segments: node.list('segments').map(readSegment),
    replayFrom: node.count('replayFrom'),
    applied: node.list('applied').map(pair => [pair.text(0), pair.count(1)] as const),
    boots: node.list('boots').map(boot => boot.asText()),
    observedFromBoot: node.number('observedFromBoot'),
    observedFrom: node.number('observedFrom'),
    unlisted: node.list('unlisted').map(id => id.asCount()),
    unread: node.list('unread').map(id => id.asCount()),
    impliedDirectories: node.flag('impliedDirectories'),
  }
}

function readSegment(node: JsonNode): ManifestSegment {
  const origin = node.text('origin', /^(scan|flush|merge)$/)
  return {
    id: node.count('id'),
    origin: origin === 'scan' ? 'scan' : origin === 'flush' ? 'flush' : 'merge',
    sizeBytes: node.count('sizeBytes'),
    dirCount: node.count('dirCount'),
    fileCount: node.count('fileCount'),
    stubCount: node.count('stubCount'),
    deadCount: node.count('deadCount'),
    deadGeneration: node.count('deadGeneration'),
  }
}

function readScan(node: JsonNode): ScanFacts {
  return {
    bootId: node.text('bootId'),
    startedAt: node.number('startedAt'),
    finishedAtMs: node.number('finishedAtMs'),
    entries: node.count('entries'),
    skipped: node.count('skipped'),
    listFile: node.optional('listFile', file => ({
      sizeBytes: file.number('sizeBytes'),
      modifiedMs: file.number('modifiedMs'),
      inode: file.text('inode', /^[0-9]{1,20}$/),
    })),
  }
}

/** A value of the JSON text with its path, read with a check of its type. */
class JsonNode {
  constructor(
    private readonly path: string,
    private readonly value: unknown,
    private readonly wrong: (path: string, expected: string, found: unknown) => never,
  ) {}

  private child(key: string | number): JsonNode {
    const { value } = this
    if (typeof value !== 'object' || value === null) return this.wrong(this.path, 'an object', value)
    const found: unknown = Object.getOwnPropertyDescriptor(value, key)?.value
    return new JsonNode(`${this.path}.${key}`, found, this.wrong)
  }

  asText(pattern?: RegExp): string {
    const { value } = this
    if (typeof value !== 'string' || (pattern && !pattern.test(value))) return this.wrong(this.path, 'text', value)
    return value
  }

  asCount(): number {
    const { value } = this
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      return this.wrong(this.path, 'a count', value)
    return value
  }

  text(key: string | number, pattern?: RegExp): string {
    return this.child(key).asText(pattern)
  }

  count(key: string | number): number {
    return this.child(key).asCount()
  }

  number(key: string): number {
    const child = this.child(key)
    const { value } = child
    // 1e999 is read as Infinity, which would be written as null.
    return typeof value === 'number' && Number.isFinite(value) ? value : this.wrong(child.path, 'a number', value)
  }

  hex(key: string): Uint8Array {
    const child = this.child(key)
    // A pattern of pairs would need stack for each pair.
    const digits = child.asText(/^[0-9a-f]*$/)
    return digits.length % 2 === 0
      ? new Uint8Array(Buffer.from(digits, 'hex'))
      : this.wrong(child.path, 'pairs of digits', digits)
  }

  flag(key: string): boolean {
    const child = this.child(key)
    return typeof child.value === 'boolean' ? child.value : this.wrong(child.path, 'true or false', child.value)
  }

  list(key: string): JsonNode[] {
    const { path, value } = this.child(key)
    if (!Array.isArray(value)) return this.wrong(path, 'a list', value)
    return value.map((item: unknown, i) => new JsonNode(`${path}.${i}`, item, this.wrong))
  }

  optional<T>(key: string, read: (node: JsonNode) => T): T | null {
    const child = this.child(key)
    return child.value === null ? null : read(child)
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}
