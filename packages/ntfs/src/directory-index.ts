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

/**
 * Finds a name in a directory by its index (`$I30`; layout: linux-ntfs documentation, "Index Root", "Index Record", "Index
 * Entry"); undefined if there is none. Reads node after node until the name is found and compares names as they are written,
 * so it needs no table of capitals: meant for directories of a few nodes, as `$Extend` is.
 *
 * @throws CorruptFileError
 */
export function* lookUp(volume: Volume, directory: number, name: string): Reading<FoundFile | undefined> {
  const root = yield* volume.stream(directory, AttributeType.indexRoot, INDEX_OF_NAMES)
  const offset = volume.offsetOf(directory)
  if (root === undefined || !(root instanceof Uint8Array) || root.length < IndexRoot.header + IndexHeader.bytes)
    throw damage(
      { file: volume.file, bytes: new Uint8Array(0), offset },
      0,
      `the index of directory ${directory}`,
      'none',
    )
  const rootNode = { file: volume.file, bytes: root, offset }
  const nodeBytes = viewOf(rootNode).getUint32(IndexRoot.nodeBytes, true)
  if (nodeBytes < STRIDE || nodeBytes > MAX_NODE_BYTES || nodeBytes % STRIDE !== 0)
    throw damage(
      rootNode,
      IndexRoot.nodeBytes,
      `nodes of ${STRIDE} to ${MAX_NODE_BYTES} bytes, a multiple of ${STRIDE}`,
      nodeBytes,
    )

  const below: number[] = []
  let found = searchNode(rootNode, IndexRoot.header, name, below)
  if (found !== undefined || below.length === 0) return found
  const nodes = yield* volume.stream(directory, AttributeType.indexAllocation, INDEX_OF_NAMES)
  if (nodes === undefined || nodes instanceof Uint8Array)
    throw damage(rootNode, 0, 'the nodes below the root of an index', 'none')
  // A place that is named twice would be a ring.
  const seen = new Set<number>()
  for (let vcn = below.pop(); vcn !== undefined; vcn = below.pop()) {
    if (seen.has(vcn)) continue
    seen.add(vcn)
    found = searchNode(yield* readNode(volume, nodes, vcn, nodeBytes), IndexNode.header, name, below)
    if (found !== undefined) return found
  }
  return undefined
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

/** Searches the entries of one node; adds the places of the nodes below to `below`. */
function searchNode(node: VolumeBytes, header: number, name: string, below: number[]): FoundFile | undefined {
  const { bytes } = node
  const view = viewOf(node)
  const end = header + view.getUint32(header + IndexHeader.end, true)
  if (end > bytes.length) throw damage(node, header + IndexHeader.end, 'entries inside of the node', end)
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
    if (isLast) return undefined
    if (nameOf(bytes, at + IndexEntry.key, keyBytes) === name) {
      const high = view.getUint32(at + IndexEntry.reference + 4, true)
      return {
        record: (high & 0xffff) * 2 ** 32 + view.getUint32(at + IndexEntry.reference, true),
        sequence: high >>> 16,
      }
    }
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
