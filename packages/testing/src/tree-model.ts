import { type Access, type EntryRow, Kind, type NodeRef, Op } from '@hotpath/model'
import type { Random } from './random.js'
import type { PlainChange } from './row-columns.js'

/** A node of the modelled file system. */
export interface TreeNode {
  readonly inode: number
  readonly kind: Kind
  size: number
  modified: number
  /** Children by name; directories only. */
  readonly children?: Map<string, TreeNode>
  /** The directory that holds a directory. */
  parent?: TreeNode
}

const NAMES = ['a', 'b', 'c', 'd', 'readme', 'README', 'main.ts', 'x.pdf', 'ä', 'data', 'tmp', 'lib', 'log', 'src']

/**
 * A file system in memory: the truth that a store must come to. Every operation returns what a watcher would observe.
 * `now` is the monotonic clock; each step is later than the one before.
 */
export class TreeModel {
  readonly root: TreeNode
  private nextInode = 1
  private clock = 1000

  constructor(
    private readonly random: Random,
    private readonly rootName = 'root',
  ) {
    this.root = this.makeNode(Kind.directory)
  }

  /** Microseconds. */
  now(): number {
    return this.clock++
  }

  refOf(node: TreeNode): NodeRef {
    return { low: node.inode, high: 0, birth: 7 }
  }

  rowOf(node: TreeNode): EntryRow {
    return {
      kind: node.kind,
      size: node.kind === Kind.directory ? Number.NaN : node.size,
      modified: { seconds: node.modified, ticks: 0 },
      ref: this.refOf(node),
      ...(node.kind === Kind.directory && { access: accessOf(node) }),
    }
  }

  /** All entries by path, the root included. */
  entries(): Map<string, EntryRow> {
    const found = new Map<string, EntryRow>()
    const visit = (node: TreeNode, path: string): void => {
      found.set(path, this.rowOf(node))
      for (const [name, child] of node.children ?? []) visit(child, `${path}/${latin1(name)}`)
    }
    visit(this.root, this.rootName)
    return found
  }

  /** Directories, the root first. */
  directories(): TreeNode[] {
    const found: TreeNode[] = []
    const visit = (node: TreeNode): void => {
      if (!node.children) return
      found.push(node)
      for (const child of node.children.values()) visit(child)
    }
    visit(this.root)
    return found
  }

  /** The directory with this ref if it is still in the tree. */
  findDirectory(ref: NodeRef): TreeNode | undefined {
    return this.directories().find(node => node.inode === ref.low)
  }

  isInTree(directory: TreeNode): boolean {
    for (let node: TreeNode | undefined = directory; node; node = node.parent) if (node === this.root) return true
    return false
  }

  /** What a source sends for a list request: the directory's children, then `listed`. */
  listing(directory: TreeNode): PlainChange[] {
    const observed = this.now()
    const parentRef = this.refOf(directory)
    const changes: PlainChange[] = []
    for (const [name, child] of directory.children ?? []) {
      changes.push({ op: Op.present, parentRef, name, row: this.rowOf(child), observed })
    }
    changes.push({ op: Op.listed, parentRef, name: '', observed })
    return changes
  }

  /** A random operation. */
  step(): PlainChange[] {
    const { random } = this
    const roll = random.below(100)
    if (roll < 30) return this.create(Kind.file)
    if (roll < 42) return this.create(Kind.directory)
    if (roll < 45) return this.create(Kind.symlink)
    if (roll < 57) return this.modify()
    if (roll < 65) return this.link()
    if (roll < 83) return this.rename()
    return this.remove()
  }

  private create(kind: Kind): PlainChange[] {
    const directory = this.random.pick(this.directories())
    const name = this.random.pick(NAMES)
    if (directory.children?.has(name)) return []
    const node = this.makeNode(kind)
    this.attach(directory, name, node)
    return [this.present(directory, name, node)]
  }

  private modify(): PlainChange[] {
    const at = this.pickEntry()
    if (!at) return []
    const { directory, name, node } = at
    node.size = this.random.below(100_000)
    node.modified = 1_600_000_000 + this.random.below(100_000_000)
    return [this.present(directory, name, node)]
  }

  /** A second name for a file. */
  private link(): PlainChange[] {
    const at = this.pickEntry()
    const directory = this.random.pick(this.directories())
    const name = this.random.pick(NAMES)
    if (!at || at.node.children || directory.children?.has(name)) return []
    this.attach(directory, name, at.node)
    return [this.present(directory, name, at.node)]
  }

  private rename(): PlainChange[] {
    // Moves of full directories are what stores get wrong: every other one is of a directory.
    const from = this.pickEntry(this.random.chance(0.5))
    const directory = this.random.pick(this.directories())
    const name = this.random.pick(NAMES)
    if (!from || (from.directory === directory && from.name === name)) return []
    for (let above: TreeNode | undefined = directory; above; above = above.parent) if (above === from.node) return []
    const victim = directory.children?.get(name)
    if (victim === from.node) return []
    if (victim && (victim.children !== undefined) !== (from.node.children !== undefined)) return []
    if (victim?.children && victim.children.size > 0) return []
    from.directory.children?.delete(from.name)
    this.attach(directory, name, from.node)
    const arrived = this.present(directory, name, from.node)
    const left = this.absent(from.directory, from.name)
    // One order is promised; the other must be coped with when both come in one batch.
    return this.random.chance(0.9) ? [arrived, left] : [left, arrived]
  }

  private remove(): PlainChange[] {
    const at = this.pickEntry(this.random.chance(0.3))
    if (!at) return []
    const changes: PlainChange[] = []
    const bottomUp = this.random.chance(0.3)
    const visit = (directory: TreeNode, name: string, node: TreeNode): void => {
      for (const [childName, child] of [...(node.children ?? [])]) visit(node, childName, child)
      directory.children?.delete(name)
      node.parent = undefined
      if (bottomUp) changes.push(this.absent(directory, name))
    }
    visit(at.directory, at.name, at.node)
    if (!bottomUp) changes.push(this.absent(at.directory, at.name))
    return changes
  }

  private present(directory: TreeNode, name: string, node: TreeNode): PlainChange {
    return { op: Op.present, parentRef: this.refOf(directory), name, row: this.rowOf(node), observed: this.now() }
  }

  private absent(directory: TreeNode, name: string): PlainChange {
    return { op: Op.absent, parentRef: this.refOf(directory), name, observed: this.now() }
  }

  private attach(directory: TreeNode, name: string, node: TreeNode): void {
    directory.children?.set(name, node)
    if (node.children) node.parent = directory
  }

  private pickEntry(onlyDirectories = false): { directory: TreeNode; name: string; node: TreeNode } | undefined {
    if (onlyDirectories) {
      const node = this.random.pick(this.directories())
      const directory = node.parent
      const name = [...(directory?.children ?? [])].find(([, child]) => child === node)?.[0]
      return directory && name !== undefined ? { directory, name, node } : undefined
    }
    const directories = this.directories().filter(({ children }) => (children?.size ?? 0) > 0)
    if (directories.length === 0) return undefined
    const directory = this.random.pick(directories)
    const [name, node] = this.random.pick([...(directory.children ?? [])])
    return { directory, name, node }
  }

  private makeNode(kind: Kind): TreeNode {
    return {
      inode: this.nextInode++,
      kind,
      size: this.random.below(100_000),
      modified: 1_600_000_000 + this.random.below(100_000_000),
      ...(kind === Kind.directory && { children: new Map() }),
    }
  }
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** Who may list a directory: something that changes with it. */
function accessOf({ modified, inode }: TreeNode): Access {
  return { mode: 0o700 + (modified % 0o77), user: inode % 3, group: modified % 5 }
}
