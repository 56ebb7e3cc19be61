import { AttributeType, EntryFlag, INDX_MAGIC, IndexEntry, IndexHeader, IndexNode, IndexRoot } from '../layout.js'
import { fileName, nonResident, protect, type Reference, resident, runList } from './record-builder.js'

export const NODE_BYTES = 4_096
const RESIDENT_HEADER = 24
const FIX_UP_WORDS = NODE_BYTES / 512 + 1

export interface IndexedName extends Reference {
  readonly parent: Reference
  readonly name: string
}

export interface BuiltIndex {
  /** `$INDEX_ROOT`, and `$INDEX_ALLOCATION` where there are nodes. */
  readonly attributes: readonly Uint8Array[]
  /** Nodes, one for each cluster from the first on. */
  readonly nodes: readonly Uint8Array[]
}

/**
 * The index of a directory: a root that points at a chain of nodes, each of which holds names and points at the next one. Not sorted, as
 * real ones are: whoever reads it must take all of it.
 *
 * @param cluster where nodes may lie, of NODE_BYTES each
 */
export function directoryIndex(names: readonly IndexedName[], cluster: number): BuiltIndex {
  const entries = names.map(entryOf)
  const nodes: Uint8Array[][] = []
  let room = 0
  for (const entry of entries) {
    if (entry.length > room) {
      nodes.push([])
      room = NODE_BYTES - 128
    }
    nodes.at(-1)!.push(entry)
    room -= entry.length
  }
  const root = new Uint8Array(IndexRoot.header)
  new DataView(root.buffer).setUint32(IndexRoot.nodeBytes, NODE_BYTES, true)
  const rootNode = entriesOf([], nodes.length > 0 ? 0 : undefined, IndexHeader.bytes)
  const attributes = [resident(AttributeType.indexRoot, Buffer.concat([root, rootNode]), '$I30')]
  if (nodes.length > 0) {
    const runs = runList([{ cluster, clusters: nodes.length }])
    attributes.push(
      nonResident(AttributeType.indexAllocation, { runs, dataBytes: nodes.length * NODE_BYTES, name: '$I30' }),
    )
  }
  return { attributes, nodes: nodes.map((entries, i) => nodeOf(entries, i, i + 1 < nodes.length ? i + 1 : undefined)) }
}

function nodeOf(entries: readonly Uint8Array[], vcn: number, next: number | undefined): Uint8Array {
  const bytes = new Uint8Array(NODE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(IndexNode.magic, INDX_MAGIC, true)
  // Where `protect` puts them, as in records.
  view.setUint16(4, 48, true)
  view.setUint16(6, FIX_UP_WORDS, true)
  view.setBigUint64(IndexNode.vcn, BigInt(vcn), true)
  bytes.set(entriesOf(entries, next, 64), IndexNode.header)
  protect(bytes)
  return bytes
}

/** A header, and entries from `at` behind it on. */
function entriesOf(entries: readonly Uint8Array[], below: number | undefined, at: number): Uint8Array {
  const last = new Uint8Array(IndexEntry.key + (below === undefined ? 0 : 8))
  const view = new DataView(last.buffer)
  view.setUint16(IndexEntry.length, last.length, true)
  view.setUint16(IndexEntry.flags, EntryFlag.isLast | (below === undefined ? 0 : EntryFlag.hasNode), true)
  if (below !== undefined) view.setBigUint64(IndexEntry.key, BigInt(below), true)
  const header = new Uint8Array(at)
  const end = entries.reduce((sum, { length }) => sum + length, at + last.length)
  new DataView(header.buffer).setUint32(IndexHeader.entries, at, true)
  new DataView(header.buffer).setUint32(IndexHeader.end, end, true)
  return Buffer.concat([header, ...entries, last])
}

function entryOf({ record, sequence, parent, name }: IndexedName): Uint8Array {
  const key = fileName(parent, name).subarray(RESIDENT_HEADER)
  const keyBytes = 66 + 2 * name.length
  const bytes = new Uint8Array((IndexEntry.key + keyBytes + 7) & ~7)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(IndexEntry.reference, (BigInt(sequence) << 48n) | BigInt(record), true)
  view.setUint16(IndexEntry.length, bytes.length, true)
  view.setUint16(IndexEntry.keyBytes, keyBytes, true)
  bytes.set(key.subarray(0, keyBytes), IndexEntry.key)
  return bytes
}
