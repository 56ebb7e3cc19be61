import { DirectoryDigest, type EntryRow, Kind, type NodeRef, type Time } from '@hotpath/model'

export interface DiskNode {
  readonly ref: NodeRef
  readonly kind: Kind
  size: number
  modified: Time
  changed: Time
  /** Of a directory. */
  readonly children: Map<string, DiskNode> | undefined
}

/** Name of an entry whose row in its directory may be another one now. */
export interface Hint {
  readonly directory: DiskNode
  readonly name: string
}

/** A file system in memory whose files have the times that Linux gives them, by a clock that can be set. */
export class FakeDisk {
  /** Whole seconds since 1970. */
  now = 1_700_000_000
  readonly root: DiskNode
  /** Called after each change with the names that it touched. */
  onChange: (hints: readonly Hint[]) => void = () => {}
  /** Everything happens within one tick of the clock. */
  stands = false
  private ticks = 0
  private inode = 1

  constructor() {
    this.root = this.node(Kind.directory)
  }

  /** Path of the root: what the tests call `''` is this. */
  static readonly PATH = '/r'

  rowOf({ kind, size, modified, changed, ref }: DiskNode): EntryRow {
    return { kind, size: kind === Kind.directory ? Number.NaN : size, modified, changed, ref }
  }

  /** Directories by their paths, the root first. */
  directories(): Map<string, DiskNode> {
    const found = new Map<string, DiskNode>()
    const visit = (path: string, node: DiskNode): void => {
      if (!node.children) return
      found.set(path, node)
      for (const [name, child] of node.children) visit(`${path}/${name}`, child)
    }
    visit(FakeDisk.PATH, this.root)
    return found
  }

  /** Digest of what is in a directory. */
  digestOf(directory: DiskNode): DirectoryDigest {
    const digest = new DirectoryDigest()
    for (const [name, child] of directory.children ?? []) digest.add(Buffer.from(name), this.rowOf(child))
    return digest
  }

  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.root
    for (const name of path.split('/').filter(part => part !== '')) node = node?.children?.get(name)
    return node
  }

  make(path: string): void {
    this.attach(path, this.node(Kind.directory))
  }

  /** Writes a file, in place if it is there. `keepModified`: its time of modification is set back afterwards. */
  write(path: string, size: number, { keepModified = false } = {}): void {
    const [directory, name] = this.split(path)
    const node = directory.children?.get(name)
    if (node === undefined) {
      this.attach(path, { ...this.node(Kind.file), size })
      return
    }
    node.size = size
    node.changed = this.tick()
    if (!keepModified) node.modified = node.changed
    this.onChange([{ directory, name }])
  }

  setModified(path: string, seconds: number): void {
    const [directory, name] = this.split(path)
    const node = this.there(path)
    node.modified = { seconds, ticks: 0 }
    node.changed = this.tick()
    this.onChange([{ directory, name }])
  }

  rename(from: string, to: string): void {
    const node = this.there(from)
    const [directory, name] = this.split(from)
    directory.children?.delete(name)
    directory.modified = directory.changed = this.tick()
    node.changed = directory.changed
    const hint = { directory, name }
    this.attach(to, node, [hint])
  }

  remove(path: string): void {
    const [directory, name] = this.split(path)
    directory.children?.delete(name)
    directory.modified = directory.changed = this.tick()
    this.onChange([{ directory, name }, ...this.selfOf(directory)])
  }

  private attach(path: string, node: DiskNode, more: readonly Hint[] = []): void {
    const [directory, name] = this.split(path)
    directory.children?.set(name, node)
    directory.modified = directory.changed = this.tick()
    this.onChange([
      { directory, name },
      ...more,
      ...this.selfOf(directory),
      ...more.flatMap(hint => this.selfOf(hint.directory)),
    ])
  }

  /** The name of a directory in the one above it; none of the root. */
  selfOf(directory: DiskNode): Hint[] {
    for (const above of this.directories().values()) {
      for (const [name, child] of above.children ?? []) if (child === directory) return [{ directory: above, name }]
    }
    return []
  }

  private there(path: string): DiskNode {
    const node = this.find(path)
    if (!node) throw new Error(`${path} is not there`)
    return node
  }

  private split(path: string): [DiskNode, string] {
    const slash = path.lastIndexOf('/')
    return [this.there(path.slice(0, Math.max(0, slash))), path.slice(slash + 1)]
  }

  private node(kind: Kind): DiskNode {
    const time = this.tick()
    const children = kind === Kind.directory ? new Map<string, DiskNode>() : undefined
    return { ref: { low: this.inode++, high: 0, birth: 7 }, kind, size: 0, modified: time, changed: time, children }
  }

  /** Ten seconds later, unless the clock stands. */
  private tick(): Time {
    if (this.stands) return { seconds: this.now, ticks: this.ticks }
    this.now += 10
    return { seconds: this.now, ticks: ++this.ticks }
  }
}
