/** What a file system did, in order. */
export type FileOperation =
  | { readonly kind: 'create'; readonly path: string; readonly node: number }
  | { readonly kind: 'append'; readonly node: number; readonly bytes: Uint8Array }
  | { readonly kind: 'sync'; readonly node: number }
  | { readonly kind: 'cut'; readonly node: number; readonly length: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'syncDirectory'; readonly path: string }

/** A call of the file system, also one that changes nothing. */
export interface FileCall {
  readonly kind:
    | 'makeDirectory'
    | 'list'
    | 'size'
    | 'read'
    | 'create'
    | 'append'
    | 'sync'
    | 'close'
    | 'cut'
    | 'rename'
    | 'remove'
    | 'syncDirectory'
  readonly path: string
  /** How many calls came before. */
  readonly index: number
}

/** Decides for each call with which error it fails; undefined: it does not. */
export type FaultPlan = (call: FileCall) => string | undefined

const CHANGING: readonly FileCall['kind'][] = ['create', 'append', 'sync', 'cut', 'rename', 'remove', 'syncDirectory']

/** A disk on which nothing can be changed. */
export const readOnlyDisk: FaultPlan = ({ kind }) => (CHANGING.includes(kind) ? 'EROFS' : undefined)

/** A disk without room: names can be made, but nothing can be written. */
export const fullDisk: FaultPlan = ({ kind }) => (kind === 'append' ? 'ENOSPC' : undefined)

const NAMING: readonly FileOperation['kind'][] = ['create', 'rename', 'remove']

/** System calls by the names that node gives them. */
const SYSTEM_CALLS: Readonly<Record<FileCall['kind'], string>> = {
  makeDirectory: 'mkdir',
  list: 'scandir',
  size: 'stat',
  read: 'read',
  create: 'open',
  append: 'write',
  sync: 'fdatasync',
  close: 'close',
  cut: 'ftruncate',
  rename: 'rename',
  remove: 'unlink',
  syncDirectory: 'fsync',
}

/**
 * What a crash takes. `none`: the process was killed. `unsyncedBytes`: bytes after the last sync of their file are gone.
 * `zeroedTail`: their files are as long as they were, but these bytes are zero (the length was written, what it counts was
 * not). `tornWrite`: of the last write only some whole 512-byte sectors are there, half of them if nobody says how many.
 * `unsyncedNames`: unsynced bytes are gone, and so is everything that was created, renamed or removed since the directory
 * was synced. `lostName`: only the last of these names is as it was before; bytes are there.
 */
export type CrashDamage = 'none' | 'unsyncedBytes' | 'zeroedTail' | 'tornWrite' | 'unsyncedNames' | 'lostName'

export const CRASH_DAMAGES: readonly CrashDamage[] = [
  'none',
  'unsyncedBytes',
  'zeroedTail',
  'tornWrite',
  'unsyncedNames',
  'lostName',
]

/** What a power loss writes whole or not at all. */
const SECTOR_BYTES = 512

/** A failure as the kernel reports it. */
export class InjectedFailure extends Error {
  readonly syscall: string
  constructor(
    readonly code: string,
    kind: FileCall['kind'],
    path: string,
  ) {
    super(`${code}: injected into ${kind} of ${path}`)
    this.syscall = SYSTEM_CALLS[kind]
  }
}

interface FileNode {
  chunks: readonly Uint8Array[]
  synced: readonly Uint8Array[]
}

/**
 * A file system in memory that remembers every operation and what of it would survive. Satisfies the store's
 * FileSystem interface.
 */
export class FaultFileSystem {
  readonly operations: FileOperation[] = []
  private readonly nodes = new Map<number, FileNode>()
  private names = new Map<string, number>()
  private syncedNames = new Map<string, number>()
  private readonly directories = new Set<string>()
  private nextNode = 1
  /** State before the first operation. */
  private readonly base = {
    names: new Map<string, number>(),
    syncedNames: new Map<string, number>(),
    nodes: new Map<number, FileNode>(),
  }
  private failures = new Map<number, string>()
  /** Calls so far. */
  calls = 0
  /** Which calls fail, beside those of `failAt`. */
  plan: FaultPlan = () => undefined
  /** Handles that are open: a test that ends with one has leaked it. */
  openFiles = 0

  get operationCount(): number {
    return this.operations.length
  }

  /** The operation with this index fails (once) with `code`. A failed sync loses what was not synced, as on Linux. */
  failAt(operation: number, code: string): void {
    this.failures.set(operation, code)
  }

  /** Sectors that the write before operation `index` may be torn to: 0 … n − 1; n is 0 where that was no write. */
  tearsAt(index: number): number {
    const last = this.operations[index - 1]
    return last?.kind === 'append' ? Math.ceil(last.bytes.length / SECTOR_BYTES) : 0
  }

  /**
   * What is on disk after a crash before operation `index`.
   *
   * @param sectors what is left of the last write, for `tornWrite`
   */
  crash(index = this.operations.length, damage: CrashDamage = 'none', sectors?: number): FaultFileSystem {
    const after = new FaultFileSystem()
    for (const directory of this.directories) after.directories.add(directory)
    after.names = new Map(this.base.names)
    after.syncedNames = new Map(this.base.syncedNames)
    for (const [id, node] of this.base.nodes) after.nodes.set(id, { ...node })
    after.nextNode = Math.max(1, ...[...this.base.nodes.keys()].map(id => id + 1))
    let namesBefore = after.names
    for (const operation of this.operations.slice(0, index)) {
      const names = new Map(after.names)
      after.replay(operation)
      if (NAMING.includes(operation.kind)) namesBefore = names
      else if (operation.kind === 'syncDirectory') namesBefore = after.names
    }
    if (damage === 'lostName') after.names = new Map(namesBefore)
    const last = this.operations[index - 1]
    if (damage === 'tornWrite' && last?.kind === 'append') {
      const node = after.node(last.node)
      const kept = (sectors ?? Math.floor(last.bytes.length / 2 / SECTOR_BYTES)) * SECTOR_BYTES
      node.chunks = [...node.chunks.slice(0, -1), last.bytes.subarray(0, kept)]
    }
    if (damage === 'unsyncedNames') after.names = new Map(after.syncedNames)
    if (damage === 'unsyncedBytes' || damage === 'unsyncedNames') {
      for (const node of after.nodes.values()) node.chunks = node.synced
    }
    if (damage === 'zeroedTail') {
      for (const node of after.nodes.values()) {
        const unsynced = lengthOf(node.chunks) - lengthOf(node.synced)
        if (unsynced > 0) node.chunks = [...node.synced, new Uint8Array(unsynced)]
      }
    }
    if (damage !== 'none') {
      // After a power loss, what is there is on disk; after a killed process it may still be in the page cache only.
      after.syncedNames = new Map(after.names)
      for (const node of after.nodes.values()) node.synced = node.chunks
    }
    after.operations.length = 0
    after.base.names = new Map(after.names)
    after.base.syncedNames = new Map(after.syncedNames)
    for (const [id, node] of after.nodes) after.base.nodes.set(id, { ...node })
    return after
  }

  /** Contents of a file, at once. */
  peek(path: string): Uint8Array {
    const id = this.names.get(path)
    if (id === undefined) throw new InjectedFailure('ENOENT', 'read', path)
    return joined(this.node(id).chunks)
  }

  /** Replaces the contents of a file, as a failing disk does. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const id = this.names.get(path)
    if (id === undefined) throw new InjectedFailure('ENOENT', 'read', path)
    const node = this.node(id)
    node.chunks = [change(joined(node.chunks))]
    node.synced = node.chunks
  }

  /** Paths of all files. */
  paths(): string[] {
    return [...this.names.keys()]
  }

  async makeDirectory(path: string): Promise<void> {
    this.enter('makeDirectory', path)
    this.directories.add(path)
  }

  async list(path: string): Promise<string[]> {
    this.enter('list', path)
    const prefix = `${path}/`
    return this.paths().flatMap(name =>
      name.startsWith(prefix) && !name.slice(prefix.length).includes('/') ? [name.slice(prefix.length)] : [],
    )
  }

  async size(path: string): Promise<number> {
    this.enter('size', path)
    const id = this.names.get(path)
    return id === undefined ? -1 : lengthOf(this.node(id).chunks)
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array> {
    this.enter('read', path)
    const bytes = this.peek(path)
    if (bytes.length > maxBytes) throw new RangeError(`${path} has ${bytes.length} bytes`)
    return bytes
  }

  async create(path: string): Promise<{
    append(bytes: Uint8Array): Promise<void>
    sync(): Promise<void>
    close(): Promise<void>
  }> {
    this.enter('create', path)
    const node = this.nextNode
    this.perform({ kind: 'create', path, node }, path)
    this.openFiles++
    let open = true
    const check = (kind: FileCall['kind']): void => {
      if (!open) throw new InjectedFailure('EBADF', kind, path)
    }
    return {
      append: async bytes => {
        check('append')
        const code = this.decide('append', path)
        // The caller may reuse its buffer.
        this.perform({ kind: 'append', node, bytes: new Uint8Array(bytes) }, path, code)
      },
      sync: async () => {
        check('sync')
        const code = this.decide('sync', path)
        this.perform({ kind: 'sync', node }, path, code)
      },
      close: async () => {
        check('close')
        // Linux lets go of the descriptor whatever it says.
        open = false
        this.openFiles--
        this.enter('close', path)
      },
    }
  }

  async cut(path: string, length: number): Promise<void> {
    this.enter('cut', path)
    const node = this.names.get(path)
    if (node === undefined) throw new InjectedFailure('ENOENT', 'cut', path)
    this.perform({ kind: 'cut', node, length }, path)
  }

  async rename(from: string, to: string): Promise<void> {
    this.enter('rename', from)
    if (!this.names.has(from)) throw new InjectedFailure('ENOENT', 'rename', from)
    this.perform({ kind: 'rename', from, to }, from)
  }

  async remove(path: string): Promise<void> {
    this.enter('remove', path)
    if (this.names.has(path)) this.perform({ kind: 'remove', path }, path)
  }

  async syncDirectory(path: string): Promise<void> {
    this.enter('syncDirectory', path)
    this.perform({ kind: 'syncDirectory', path }, path)
  }

  /** Counts a call. @returns code of the error with which it is to fail */
  private decide(kind: FileCall['kind'], path: string): string | undefined {
    return this.plan({ kind, path, index: this.calls++ })
  }

  /** For calls that fail as a whole, without a trace. */
  private enter(kind: FileCall['kind'], path: string): void {
    const code = this.decide(kind, path)
    if (code !== undefined) throw new InjectedFailure(code, kind, path)
  }

  private perform(operation: FileOperation, path: string, planned?: string): void {
    const code = planned ?? this.failures.get(this.operations.length)
    if (code !== undefined) {
      this.failures.delete(this.operations.length)
      if (operation.kind === 'append') {
        // A full disk takes a part.
        const part = operation.bytes.subarray(0, operation.bytes.length >> 1)
        this.replay({ ...operation, bytes: part })
        this.operations.push({ ...operation, bytes: part })
      }
      if (operation.kind === 'sync') {
        const node = this.node(operation.node)
        this.operations.push({ kind: 'cut', node: operation.node, length: lengthOf(node.synced) })
        node.chunks = node.synced
      }
      throw new InjectedFailure(code, operation.kind, path)
    }
    this.operations.push(operation)
    this.replay(operation)
  }

  private replay(operation: FileOperation): void {
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
      case 'sync': {
        const node = this.node(operation.node)
        node.synced = node.chunks
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
        for (const [path, node] of this.names) {
          if (path.startsWith(`${operation.path}/`)) this.syncedNames.set(path, node)
        }
        for (const path of [...this.syncedNames.keys()]) {
          if (path.startsWith(`${operation.path}/`) && !this.names.has(path)) this.syncedNames.delete(path)
        }
    }
  }

  private node(id: number): FileNode {
    const node = this.nodes.get(id)
    if (!node) throw new RangeError(`file node ${id}`)
    return node
  }
}

function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0)
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(lengthOf(chunks))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
