import type { Missing } from './mechanism.js'
import { bytesOfKey, keyOf, samePath } from './paths.js'
import type { OpenedDirectory, TreeRules } from './tree-rules.js'
import { refKey } from './tree-rules.js'

/** A directory that is known by its place. */
export interface Placed<D> {
  readonly ref: string
  parent: D | undefined
  /** One character for each byte. */
  name: string
  /** Made when it is needed: most directories hold none. */
  children: Map<string, D> | undefined
  /** Not in the tree any more. */
  isGone: boolean
}

/** The directories of a tree by place and by ref. One that leaves its place is kept until it is clear that it has no other. */
export class Places<D extends Placed<D>> {
  readonly #byRef = new Map<string, D>()
  readonly #orphans = new Set<D>()
  /** Directories that lie in none that is known here, and their paths. */
  readonly #tops = new Map<D, Uint8Array>()

  /** Gives a directory the place of a top. False: it is known by another place. @param path relative to the root */
  addTop(top: D, path: Uint8Array): boolean {
    if (this.#byRef.has(top.ref)) return false
    this.#tops.set(top, path)
    this.#byRef.set(top.ref, top)
    return true
  }

  /** The top is that of the root: nothing leads to it from below. */
  isRoot(directory: D): boolean {
    return this.#tops.get(directory)?.length === 0
  }

  get count(): number {
    return this.#byRef.size
  }

  byRef(ref: string): D | undefined {
    return this.#byRef.get(ref)
  }

  /** Gives a directory a place; it had none before, or was a top that is bound from here. */
  attach(child: D, parent: D, name: string): void {
    this.#tops.delete(child)
    child.parent = parent
    child.name = name
    parent.children ??= new Map()
    parent.children.set(name, child)
    this.#byRef.set(child.ref, child)
    this.#orphans.delete(child)
  }

  detach(child: D): void {
    const siblings = child.parent?.children
    if (siblings?.get(child.name) === child) siblings.delete(child.name)
    child.parent = undefined
    this.#tops.delete(child)
    this.#orphans.add(child)
  }

  /** The name stands for no directory any more. */
  departed(parent: D, name: string): void {
    const known = parent.children?.get(name)
    if (known !== undefined) this.detach(known)
  }

  /** A directory holds no others than these. */
  holds(parent: D, names: ReadonlySet<string>): void {
    for (const [name, child] of parent.children ?? []) if (!names.has(name)) this.detach(child)
  }

  /** Forgets what has no place, with all below. */
  forgetOrphans(forget: (directory: D) => void): void {
    const stack = [...this.#orphans]
    this.#orphans.clear()
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      next.isGone = true
      if (this.#byRef.get(next.ref) === next) this.#byRef.delete(next.ref)
      forget(next)
      if (next.children !== undefined) stack.push(...next.children.values())
    }
  }

  /** Relative to the root; undefined while it or a directory above it is nowhere. */
  pathOf(target: D): Uint8Array | undefined {
    const names: string[] = []
    let at = target
    for (; at.parent !== undefined; at = at.parent) names.push(at.name)
    const top = this.#tops.get(at)
    if (top === undefined || names.length === 0) return top
    if (top.length > 0) names.push(keyOf(top))
    return bytesOfKey(names.reverse().join('/'))
  }

  /** Opens a directory where it should be. */
  locate(rules: TreeRules, target: D): OpenedDirectory | Missing {
    if (target.isGone) return 'gone'
    const path = this.pathOf(target)
    if (path === undefined) return 'moved'
    const opened = rules.open(path)
    if (opened === 'left-out') return 'gone'
    if (opened === 'unreadable') return 'unreadable'
    return opened !== 'vanished' && refKey(opened.ref) === target.ref ? opened : 'moved'
  }

  /** Whether a directory with this ref has a place other than `path`. */
  isElsewhere(path: Uint8Array, ref: string): boolean {
    const known = this.#byRef.get(ref)
    const at = known === undefined ? undefined : this.pathOf(known)
    return at !== undefined && !samePath(at, path)
  }
}
