/** What a file system did, in order. `lose`: what was not synced is gone, as after a failed sync. */
export type FileOperation =
  | { readonly kind: 'create'; readonly path: string; readonly node: number }
  | { readonly kind: 'append'; readonly node: number; readonly bytes: Uint8Array }
  | { readonly kind: 'write'; readonly node: number; readonly bytes: Uint8Array; readonly offset: number }
  | { readonly kind: 'sync'; readonly node: number }
  | { readonly kind: 'lose'; readonly node: number }
  | { readonly kind: 'cut'; readonly node: number; readonly length: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'syncDirectory'; readonly path: string }

/** A file: its bytes now, and those that a power loss leaves. Lists are replaced, never changed. */
export interface FileNode {
  chunks: readonly Uint8Array[]
  synced: readonly Uint8Array[]
}

/** Files and their names, as they are now and as a power loss leaves them. */
export class DiskImage {
  readonly nodes = new Map<number, FileNode>()
  names = new Map<string, number>()
  syncedNames = new Map<string, number>()
  readonly directories = new Set<string>()
  nextNode = 1

  copy(): DiskImage {
    const copy = new DiskImage()
    for (const [id, node] of this.nodes) copy.nodes.set(id, { ...node })
    copy.names = new Map(this.names)
    copy.syncedNames = new Map(this.syncedNames)
    for (const directory of this.directories) copy.directories.add(directory)
    copy.nextNode = this.nextNode
    return copy
  }

  /** What is there is on disk. */
  syncAll(): void {
    this.syncedNames = new Map(this.names)
    for (const node of this.nodes.values()) node.synced = node.chunks
  }

  node(id: number): FileNode {
    const node = this.nodes.get(id)
    if (!node) throw new RangeError(`file node ${id}`)
    return node
  }

  perform(operation: FileOperation): void {
    switch (operation.kind) {
      case 'create':
        this.nextNode = Math.max(this.nextNode, operation.node + 1)
        this.nodes.set(operation.node, { chunks: [], synced: [] })
        this.names.set(operation.path, operation.node)
        return
      case 'append': {
        const node = this.node(operation.node)
        node.chunks = [...node.chunks, operation.bytes]
        return
      }
      case 'write': {
        const node = this.node(operation.node)
        node.chunks = written(node.chunks, operation.bytes, operation.offset)
        return
      }
      case 'sync': {
        const node = this.node(operation.node)
        node.synced = node.chunks
        return
      }
      case 'lose': {
        const node = this.node(operation.node)
        node.chunks = node.synced
        return
      }
      case 'cut': {
        const node = this.node(operation.node)
        node.chunks = [joined(node.chunks).subarray(0, operation.length)]
        node.synced = node.chunks
        return
      }
      case 'rename': {
        const node = this.names.get(operation.from)
        this.names.delete(operation.from)
        if (node !== undefined) this.names.set(operation.to, node)
        return
      }
      case 'remove':
        this.names.delete(operation.path)
        return
      case 'syncDirectory':
        this.syncNames(`${operation.path}/`)
    }
  }

  private syncNames(prefix: string): void {
    for (const [path, node] of this.names) if (path.startsWith(prefix)) this.syncedNames.set(path, node)
    for (const path of [...this.syncedNames.keys()]) {
      if (path.startsWith(prefix) && !this.names.has(path)) this.syncedNames.delete(path)
    }
  }
}

export function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0)
}

/** Chunks with other bytes from `offset` on; zeros between the end and these. Nothing is copied: crashes perform all operations again. */
function written(chunks: readonly Uint8Array[], bytes: Uint8Array, offset: number): readonly Uint8Array[] {
  const length = lengthOf(chunks)
  const gap = offset > length ? [new Uint8Array(offset - length)] : []
  return [...range(chunks, 0, offset), ...gap, bytes, ...range(chunks, offset + bytes.length, length)]
}

/** [from, to) of what chunks hold. */
function range(chunks: readonly Uint8Array[], from: number, to: number): Uint8Array[] {
  const parts: Uint8Array[] = []
  let at = 0
  for (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at))
    if (part.length > 0) parts.push(part)
    at += chunk.length
  }
  return parts
}

/** Chunks one after the other, as bytes of their own. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(lengthOf(chunks))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
