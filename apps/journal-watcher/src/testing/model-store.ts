import { lstatSync, readdirSync } from 'node:fs'
import { keyOf } from '@hotpath/index-format'
import { type ChangeColumns, Kind, Op, type RefColumn } from '@hotpath/model'
import { birthOf, MountPolicy, volumeOf } from '@hotpath/scanner'
import { deviceOfStat } from '../tree/tree-rules.js'

/** What is known of an entry, as comparable text. */
export interface ModelEntry {
  readonly kind: number
  readonly size: number
  readonly modified: string
  readonly ref: string
}

interface Child {
  readonly ref: string
  readonly observed: number
}

interface Node {
  kind: number
  size: number
  modified: string
  observed: number
  /** Its entries, as the ref of the directory, `/` and the name. */
  readonly places: Set<string>
  /** Of a directory. */
  readonly children: Map<string, Child>
}

/** Undefined for what went while the tree was walked: a walk beside a writer. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** What a plain walk finds below `root`: path relative to it (one character for each byte) → entry. The root itself is ''. */
export function plainWalk(root: string, enters: (path: string) => boolean = () => true): Map<string, ModelEntry> {
  const found = new Map<string, ModelEntry>()
  const rootDevice = deviceOfStat(lstatSync(root, { bigint: true }).dev)
  const mounts = new MountPolicy({
    root: Buffer.from(root),
    rootDevice,
    rootVolume: volumeOf(Buffer.from(root), rootDevice),
    crossDevices: true,
  })
  const visit = (path: Buffer, name: string, above: { device: number; salt: number }): void => {
    const stats = ifThere(() => lstatSync(path, { bigint: true }))
    if (stats === undefined) return
    const kind = stats.isDirectory()
      ? Kind.directory
      : stats.isFile()
        ? Kind.file
        : stats.isSymbolicLink()
          ? Kind.symlink
          : Kind.other
    const second = stats.birthtimeNs / 1_000_000_000n
    const ticks = (stats.birthtimeNs % 1_000_000_000n) / 100n
    const device = deviceOfStat(stats.dev)
    // Files of an overlay may have devices of their own.
    const isInside = kind !== Kind.directory || device === above.device
    const salt = isInside ? above.salt : mounts.judge(Buffer.from(name, 'latin1'), device, true).salt
    const birth = birthOf(Number(second), Number(ticks), salt, device)
    found.set(name, {
      kind,
      size: kind === Kind.directory ? 0 : Number(stats.size),
      modified: String(stats.mtimeNs / 100n),
      ref: `${stats.ino}:${birth}`,
    })
    if (kind !== Kind.directory) return
    for (const child of ifThere(() => readdirSync(path, { encoding: 'buffer' })) ?? []) {
      const childName = name === '' ? child.toString('latin1') : `${name}/${child.toString('latin1')}`
      if (enters(childName)) visit(Buffer.concat([path, Buffer.from('/'), child]), childName, { device, salt })
    }
  }
  visit(Buffer.from(root), '', { device: rootDevice, salt: mounts.rootSalt })
  return found
}

const NO_REF = '0:0'

function refText(column: RefColumn, row: number): string {
  return `${(BigInt(column.high[row]!) << 32n) | BigInt(column.low[row]!)}:${column.birth[row]}`
}

function entryAt({ entries }: ChangeColumns, row: number): ModelEntry {
  const modified = entries.modified!
  return {
    ref: refText(entries.ref!, row),
    kind: entries.kind[row]!,
    size: entries.size[row]!,
    modified: String(BigInt(modified.seconds[row]!) * 10_000_000n + BigInt(modified.ticks[row]!)),
  }
}

function nameAt({ entries }: ChangeColumns, row: number): string {
  const { names, nameOffsets } = entries
  return Buffer.from(names.subarray(nameOffsets[row]!, nameOffsets[row + 1]!)).toString('latin1')
}

/** Dictionary order of names that have one character for each byte. */
function isBefore(a: string, b: string): boolean {
  const [keyOfA, keyOfB] = [a, b].map(name => Buffer.from(keyOf(Buffer.from(name, 'latin1'))).toString('latin1'))
  return keyOfA === keyOfB ? a < b : keyOfA! < keyOfB!
}

/** A store that applies observations to plain maps, by the rules of ChangeColumns. */
export class ModelStore {
  readonly #nodes = new Map<string, Node>()
  #root = ''
  /** Directories whose contents nobody has told. */
  readonly unlisted = new Set<string>()
  /** Directories it had to ask for. */
  requests = 0
  /** Rows whose directory is not known. */
  ignored = 0
  rows = 0
  batches = 0
  largestBatch = 0

  /** Takes the state of the tree over, as a scan would. */
  scan(root: string, observed: number, enters?: (path: string) => boolean): void {
    this.#nodes.clear()
    this.unlisted.clear()
    const walked = plainWalk(root, enters)
    this.#root = walked.get('')!.ref
    for (const [path, entry] of walked) {
      if (!this.#nodes.has(entry.ref))
        this.#nodes.set(entry.ref, { ...entry, observed, places: new Set(), children: new Map() })
      if (path === '') continue
      const slash = path.lastIndexOf('/')
      const parent = walked.get(path.slice(0, Math.max(0, slash)))!
      this.#put(parent.ref, path.slice(slash + 1), { ref: entry.ref, observed })
    }
  }

  apply(changes: ChangeColumns): void {
    const { op, parentRef, entries, observed } = changes
    this.rows += entries.count
    this.batches++
    this.largestBatch = Math.max(this.largestBatch, entries.count)
    const held = new Map<string, Set<string>>()
    for (let row = 0; row < entries.count; row++) {
      const parent = refText(parentRef, row)
      if (parent === NO_REF && op[row] === Op.present) {
        const known = this.#nodes.get(this.#root)!
        if (known.observed <= observed[row]!) Object.assign(known, entryAt(changes, row), { observed: observed[row] })
        continue
      }
      const directory = this.#nodes.get(parent)
      const at = observed[row]!
      if (directory === undefined) {
        this.ignored++
        continue
      }
      const name = nameAt(changes, row)
      if (op[row] === Op.present) {
        const names = held.get(parent) ?? new Set()
        held.set(parent, names.add(name))
        this.#present(parent, name, at, entryAt(changes, row))
      } else if (op[row] === Op.absent) {
        const child = directory.children.get(name)
        if (child !== undefined && child.observed <= at) this.#remove(parent, name, child)
      } else if (op[row] !== Op.listedBefore) {
        const [from, before] = op[row] === Op.listed ? ['', ''] : [name, nameAt(changes, row + 1)]
        if (before === '') this.unlisted.delete(parent)
        const names = held.get(parent)
        for (const [childName, child] of directory.children) {
          if (names?.has(childName) === true || child.observed > at || isBefore(childName, from)) continue
          if (before === '' || isBefore(childName, before)) this.#remove(parent, childName, child)
        }
      }
    }
  }

  /** As a flush does: rows of segments do not say when they were observed. */
  forgetTimes(): void {
    for (const node of this.#nodes.values()) {
      node.observed = 0
      for (const [name, { ref }] of node.children) node.children.set(name, { ref, observed: 0 })
    }
  }

  #present(parent: string, name: string, at: number, entry: ModelEntry): void {
    const former = this.#nodes.get(parent)!.children.get(name)
    if (former !== undefined && former.observed > at) return
    const known = this.#known(entry, at)
    if (known !== undefined) {
      // A directory has one place: it was moved.
      if (entry.kind === Kind.directory) for (const place of [...known.places]) this.#leave(place)
      if (at >= known.observed) Object.assign(known, entry, { observed: at })
    } else {
      this.#nodes.set(entry.ref, { ...entry, observed: at, places: new Set(), children: new Map() })
      if (entry.kind === Kind.directory) this.unlisted.add(entry.ref)
    }
    this.#put(parent, name, { ref: entry.ref, observed: at })
    if (former !== undefined && former.ref !== entry.ref) {
      this.#nodes.get(former.ref)?.places.delete(`${parent}/${name}`)
      this.#dropUnlessNamed(former.ref)
    }
  }

  /** The node of a ref. Where that does not tell nodes apart that had one inode one after the other, their kind may. */
  #known(entry: ModelEntry, at: number): Node | undefined {
    const known = this.#nodes.get(entry.ref)
    if (known === undefined || known.kind === entry.kind || known.observed > at) return known
    for (const place of [...known.places]) this.#leave(place)
    this.#dropUnlessNamed(entry.ref)
    return undefined
  }

  #put(parent: string, name: string, child: Child): void {
    this.#nodes.get(parent)!.children.set(name, child)
    this.#nodes.get(child.ref)!.places.add(`${parent}/${name}`)
  }

  #leave(place: string): void {
    const slash = place.indexOf('/')
    const children = this.#nodes.get(place.slice(0, slash))?.children
    const child = children?.get(place.slice(slash + 1))
    children?.delete(place.slice(slash + 1))
    if (child !== undefined) this.#nodes.get(child.ref)?.places.delete(place)
  }

  #remove(parent: string, name: string, child: Child): void {
    this.#leave(`${parent}/${name}`)
    this.#dropUnlessNamed(child.ref)
  }

  /** Forgets a node that no entry names any more, with all that is in it. */
  #dropUnlessNamed(ref: string): void {
    const node = this.#nodes.get(ref)
    if (node === undefined || node.places.size > 0) return
    this.#nodes.delete(ref)
    this.unlisted.delete(ref)
    for (const [name, child] of node.children) {
      this.#nodes.get(child.ref)?.places.delete(`${ref}/${name}`)
      this.#dropUnlessNamed(child.ref)
    }
  }

  /** All entries by their path relative to the root, with the root itself under the empty path. */
  entries(): Map<string, ModelEntry> {
    const found = new Map<string, ModelEntry>()
    const visit = (ref: string, path: string): void => {
      const { kind, size, modified, children } = this.#nodes.get(ref)!
      found.set(path, { kind, size, modified, ref })
      for (const [name, child] of children) visit(child.ref, path === '' ? name : `${path}/${name}`)
    }
    visit(this.#root, '')
    return found
  }
}
