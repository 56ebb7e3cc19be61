import { type CrashDamage, crashAfter, tearsOf } from './crash-damage.js'
import { DiskImage, type FileOperation, joined, lengthOf } from './disk-image.js'

/** A call of the file system, also one that changes nothing. */
export interface FileCall {
  readonly kind:
    | 'makeDirectory'
    | 'list'
    | 'size'
    | 'read'
    | 'create'
    | 'openInPlace'
    | 'append'
    | 'write'
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

const CHANGING: readonly FileCall['kind'][] = [
  'create',
  'openInPlace',
  'append',
  'write',
  'sync',
  'cut',
  'rename',
  'remove',
  'syncDirectory',
]

/** A disk on which nothing can be changed. */
export const readOnlyDisk: FaultPlan = ({ kind }) => (CHANGING.includes(kind) ? 'EROFS' : undefined)

/** A disk without room: names can be made, but nothing can be written. */
export const fullDisk: FaultPlan = ({ kind }) => (kind === 'append' || kind === 'write' ? 'ENOSPC' : undefined)

/** System calls by the names that node gives them. */
const SYSTEM_CALLS: Readonly<Record<FileCall['kind'], string>> = {
  makeDirectory: 'mkdir',
  list: 'scandir',
  size: 'stat',
  read: 'read',
  create: 'open',
  openInPlace: 'open',
  append: 'write',
  write: 'write',
  sync: 'fdatasync',
  close: 'close',
  cut: 'ftruncate',
  rename: 'rename',
  remove: 'unlink',
  syncDirectory: 'fsync',
}

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

/** What handles for writing have in common. */
interface Handle {
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * A file system in memory that remembers every operation and what of it would survive. Satisfies the store's
 * FileSystem interface.
 */
export class FaultFileSystem {
  readonly operations: FileOperation[] = []
  /** State before the first operation. */
  private readonly base: DiskImage
  private failures = new Map<number, string>()
  /** Calls so far. */
  calls = 0
  /** Which calls fail, beside those of `failAt`. */
  plan: FaultPlan = () => undefined
  /** Handles that are open: a test that ends with one has leaked it. */
  openFiles = 0

  constructor(private readonly disk = new DiskImage()) {
    this.base = disk.copy()
  }

  get operationCount(): number {
    return this.operations.length
  }

  /** The operation with this index fails (once) with `code`. A failed sync loses what was not synced, as on Linux. */
  failAt(operation: number, code: string): void {
    this.failures.set(operation, code)
  }

  /** Sectors that the write before operation `index` may be torn to: 0 … n − 1; n is 0 where that was no write. */
  tearsAt(index: number): number {
    return tearsOf(this.operations[index - 1])
  }

  /**
   * What is on disk after a crash before operation `index`.
   *
   * @param choice for `tornWrite` how many sectors are left of the last write; for `reordered` a seed
   */
  crash(index = this.operations.length, damage: CrashDamage = 'none', choice?: number): FaultFileSystem {
    const disk = this.base.copy()
    for (const directory of this.disk.directories) disk.directories.add(directory)
    crashAfter(disk, this.operations.slice(0, index), damage, choice)
    return new FaultFileSystem(disk)
  }

  /** Contents of a file, at once; not to be changed, as they may be those of the file itself. */
  peek(path: string): Uint8Array {
    const id = this.disk.names.get(path)
    if (id === undefined) throw new InjectedFailure('ENOENT', 'read', path)
    const node = this.disk.node(id)
    const { chunks, synced } = node
    if (chunks.length === 1) return chunks[0]
    // Segments are large, and read by many: they are joined once.
    node.chunks = [joined(chunks)]
    if (synced === chunks) node.synced = node.chunks
    return node.chunks[0]
  }

  /** Replaces the contents of a file, as a failing disk does. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const id = this.disk.names.get(path)
    if (id === undefined) throw new InjectedFailure('ENOENT', 'read', path)
    const node = this.disk.node(id)
    node.chunks = [change(joined(node.chunks))]
    node.synced = node.chunks
  }

  /** Paths of all files. */
  paths(): string[] {
    return [...this.disk.names.keys()]
  }

  async makeDirectory(path: string): Promise<void> {
    this.enter('makeDirectory', path)
    this.disk.directories.add(path)
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
    const id = this.disk.names.get(path)
    return id === undefined ? -1 : lengthOf(this.disk.node(id).chunks)
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array> {
    this.enter('read', path)
    const bytes = this.peek(path)
    if (bytes.length > maxBytes) throw new RangeError(`${path} has ${bytes.length} bytes`)
    return bytes
  }

  async create(path: string): Promise<Handle & { append(bytes: Uint8Array): Promise<void> }> {
    this.enter('create', path)
    const node = this.disk.nextNode
    this.perform({ kind: 'create', path, node }, path)
    const { check, ...handle } = this.handle(node, path)
    return {
      ...handle,
      append: async bytes => {
        check('append')
        const code = this.decide('append', path)
        // The caller may reuse its buffer.
        this.perform({ kind: 'append', node, bytes: new Uint8Array(bytes) }, path, code)
      },
    }
  }

  async openInPlace(path: string): Promise<Handle & { write(bytes: Uint8Array, offset: number): Promise<void> }> {
    this.enter('openInPlace', path)
    const node = this.disk.names.get(path)
    if (node === undefined) throw new InjectedFailure('ENOENT', 'openInPlace', path)
    const { check, ...handle } = this.handle(node, path)
    return {
      ...handle,
      write: async (bytes, offset) => {
        check('write')
        const code = this.decide('write', path)
        this.perform({ kind: 'write', node, bytes: new Uint8Array(bytes), offset }, path, code)
      },
    }
  }

  private handle(node: number, path: string): Handle & { check(kind: FileCall['kind']): void } {
    this.openFiles++
    let open = true
    const check = (kind: FileCall['kind']): void => {
      if (!open) throw new InjectedFailure('EBADF', kind, path)
    }
    return {
      check,
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
    const node = this.disk.names.get(path)
    if (node === undefined) throw new InjectedFailure('ENOENT', 'cut', path)
    this.perform({ kind: 'cut', node, length }, path)
  }

  async rename(from: string, to: string): Promise<void> {
    this.enter('rename', from)
    if (!this.disk.names.has(from)) throw new InjectedFailure('ENOENT', 'rename', from)
    this.perform({ kind: 'rename', from, to }, from)
  }

  async remove(path: string): Promise<void> {
    this.enter('remove', path)
    if (this.disk.names.has(path)) this.perform({ kind: 'remove', path }, path)
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

  private perform(operation: Exclude<FileOperation, { kind: 'lose' }>, path: string, planned?: string): void {
    const code = planned ?? this.failures.get(this.operations.length)
    if (code !== undefined) {
      this.failures.delete(this.operations.length)
      if (operation.kind === 'append' || operation.kind === 'write') {
        // A full disk takes a part.
        const part = operation.bytes.subarray(0, operation.bytes.length >> 1)
        this.disk.perform({ ...operation, bytes: part })
        this.operations.push({ ...operation, bytes: part })
      }
      if (operation.kind === 'sync') {
        const lost: FileOperation = { kind: 'lose', node: operation.node }
        this.operations.push(lost)
        this.disk.perform(lost)
      }
      throw new InjectedFailure(code, operation.kind, path)
    }
    this.operations.push(operation)
    this.disk.perform(operation)
  }
}
