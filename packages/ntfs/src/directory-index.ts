import { damage, type VolumeBytes } from './damage.js'
import { undoFixUps } from './fix-up.js'
import {
  AttributeType,
  EntryFlag,
  FileName,
  INDX_MAGIC,
  IndexEntry,
  IndexHeader,
  IndexNode,
  IndexRoot,
  STRIDE,
} from './layout.js'
import { type Reading, readStream, type Stream } from './stream.js'
import type { Volume } from './volume.js'

const INDEX_OF_NAMES = '$I30'
const MAX_NODE_BYTES = 65_536

/** A file as a directory names it. */
export interface FoundFile {
  readonly record: number
  readonly sequence: number
}

/** An entry of an index: the file, and the FILE_NAME that it is sorted by. */
interface NamedFile extends FoundFile {
  readonly at: number
  readonly keyBytes: number
}

/**
 * Finds a name in a directory by its index (`$I30`; layout: linux-ntfs documentation, "Index Root", "Index Record", "Index
 * Entry"); undefined if there is none. Reads node after node until the name is found and compares names as they are written,
 * so it needs no table of capitals: meant for directories of a few nodes, as `$Extend` is.
 *
 * @throws CorruptFileError
 */
export function* lookUp(volume: Volume, directory: number, name: string): Reading<FoundFile | undefined> {
  for (const nodes = indexNodes(volume, directory); ; ) {
    const node = yield* nodes.next()
    if (node === undefined) return undefined
    for (const { record, sequence, at, keyBytes } of node.entries)
      if (nameOf(node.bytes, at, keyBytes) === name) return { record, sequence }
  }
}

/**
 * The files that a directory names, each once, by its index; the names are in their records. Reads the whole index: 4 KiB for some 40
 * names, as a rule.
 *
 * @param most undefined is returned if there are more
 * @throws CorruptFileError
 */
export function* filesIn(volume: Volume, directory: number, most: number): Reading<FoundFile[] | undefined> {
  const found = new Map<string, FoundFile>()
  for (const nodes = indexNodes(volume, directory); ; ) {
    const node = yield* nodes.next()
    if (node === undefined) return [...found.values()]
    for (const { record, sequence } of node.entries) found.set(`${record}.${sequence}`, { record, sequence })
    if (found.size > most) return undefined
  }
}

/** The names that a directory has, by its index. Throws CorruptFileError. */
export function* namesIn(volume: Volume, directory: number): Reading<string[]> {
  const names: string[] = []
  for (const nodes = indexNodes(volume, directory); ; ) {
    const node = yield* nodes.next()
    if (node === undefined) return names
    for (const { at, keyBytes } of node.entries) names.push(nameOf(node.bytes, at, keyBytes) ?? '')
  }
}

interface IndexPart {
  readonly bytes: Uint8Array
  readonly entries: readonly NamedFile[]
}

/** The nodes of an index: its root, then what lies below, in any order. */
function indexNodes(volume: Volume, directory: number): { next(): Reading<IndexPart | undefined> } {
  const below: number[] = []
  // A place that is named twice would be a ring.
  const seen = new Set<number>()
  let nodes: Stream | undefined
  let nodeBytes = 0
  let isBegun = false
  const entriesOf = (node: VolumeBytes, header: number): IndexPart => ({
    bytes: node.bytes,
    entries: readEntries(node, header, below),
  })
  return {
    *next() {
      if (!isBegun) {
        isBegun = true
        const root = yield* readRoot(volume, directory)
        nodeBytes = root.nodeBytes
        return entriesOf(root.node, IndexRoot.header)
      }
      let vcn = below.pop()
      while (vcn !== undefined && seen.has(vcn)) vcn = below.pop()
      if (vcn === undefined) return undefined
      seen.add(vcn)
      if (nodes === undefined) {
        const stream = yield* volume.stream(directory, AttributeType.indexAllocation, INDEX_OF_NAMES)
        if (stream === undefined || stream instanceof Uint8Array)
          throw damage(
            { file: volume.file, bytes: new Uint8Array(0), offset: volume.offsetOf(directory) },
            0,
            'the nodes below the root of an index',
            'none',
          )
        nodes = stream
      }
      return entriesOf(yield* readNode(volume, nodes, vcn, nodeBytes), IndexNode.header)
    },
  }
}

function* readRoot(volume: Volume, directory: number): Reading<{ node: VolumeBytes; nodeBytes: number }> {
  const root = yield* volume.stream(directory, AttributeType.indexRoot, INDEX_OF_NAMES)
  const offset = volume.offsetOf(directory)
  if (root === undefined || !(root instanceof Uint8Array) || root.length < IndexRoot.header + IndexHeader.bytes)
    throw damage(
      { file: volume.file, bytes: new Uint8Array(0), offset },
      0,
      `the index of directory ${directory}`,
      'none',
    )
  const node = { file: volume.file, bytes: root, offset }
  const nodeBytes = viewOf(node).getUint32(IndexRoot.nodeBytes, true)
  if (nodeBytes < STRIDE || nodeBytes > MAX_NODE_BYTES || nodeBytes % STRIDE !== 0)
    throw damage(
      node,
      IndexRoot.nodeBytes,
      `nodes of ${STRIDE} to ${MAX_NODE_BYTES} bytes, a multiple of ${STRIDE}`,
      nodeBytes,
    )
  return { node, nodeBytes }
}

function* readNode(volume: Volume, nodes: Stream, vcn: number, nodeBytes: number): Reading<VolumeBytes> {
  // Nodes that are smaller than a cluster are counted by sectors.
  const at = vcn * (nodes.clusterBytes <= nodeBytes ? nodes.clusterBytes : STRIDE)
  const bytes = yield* readStream(nodes, at, nodeBytes)
  const [range] = nodes.ranges(at, 1)
  const node = { file: volume.file, bytes, offset: range?.offset ?? 0 }
  if (bytes.length < nodeBytes) throw damage(node, 0, `a node of ${nodeBytes} bytes at ${at}`, bytes.length)
  const view = viewOf(node)
  const magic = view.getUint32(IndexNode.magic, true)
  if (magic !== INDX_MAGIC) throw damage(node, IndexNode.magic, 'the mark INDX', `0x${magic.toString(16)}`)
  if (!undoFixUps(new Uint16Array(bytes.buffer, bytes.byteOffset, nodeBytes >> 1), 0, nodeBytes))
    throw damage(node, 0, 'the same word at the end of all sectors', 'others: a torn write')
  const self = Number(view.getBigUint64(IndexNode.vcn, true))
  if (self !== vcn) throw damage(node, IndexNode.vcn, `node ${vcn}`, self)
  return node
}

/** The entries of one node; adds the places of the nodes below to `below`. */
function readEntries(node: VolumeBytes, header: number, below: number[]): NamedFile[] {
  const { bytes } = node
  const view = viewOf(node)
  const end = header + view.getUint32(header + IndexHeader.end, true)
  if (end > bytes.length) throw damage(node, header + IndexHeader.end, 'entries inside of the node', end)
  const entries: NamedFile[] = []
  let at = header + view.getUint32(header + IndexHeader.entries, true)
  for (;;) {
    if (at + IndexEntry.key > end) throw damage(node, at, 'an entry or the end mark', 'the end of the node')
    const length = view.getUint16(at + IndexEntry.length, true)
    const keyBytes = view.getUint16(at + IndexEntry.keyBytes, true)
    const flags = view.getUint16(at + IndexEntry.flags, true)
    const nodeBytes = (flags & EntryFlag.hasNode) === 0 ? 0 : 8
    const isLast = (flags & EntryFlag.isLast) !== 0
    const least = IndexEntry.key + (isLast ? 0 : keyBytes) + nodeBytes
    if (length < least || length % 8 !== 0 || at + length > end)
      throw damage(node, at + IndexEntry.length, `an entry of ${least} bytes or more inside of the node`, length)
    if (nodeBytes > 0) below.push(Number(view.getBigUint64(at + length - nodeBytes, true)))
    if (isLast) return entries
    const high = view.getUint32(at + IndexEntry.reference + 4, true)
    const record = (high & 0xffff) * 2 ** 32 + view.getUint32(at + IndexEntry.reference, true)
    entries.push({ record, sequence: high >>> 16, at: at + IndexEntry.key, keyBytes })
    at += length
  }
}

/** The name of a FILE_NAME; undefined if it cannot be one. */
function nameOf(bytes: Uint8Array, at: number, keyBytes: number): string | undefined {
  const units = keyBytes > FileName.name ? bytes[at + FileName.nameUnits]! : 0
  if (units === 0 || FileName.name + 2 * units > keyBytes) return undefined
  return Buffer.from(bytes.buffer, bytes.byteOffset + at + FileName.name, 2 * units).toString('utf16le')
}

function viewOf({ bytes }: VolumeBytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
