import { ORPHANED } from '../orphaned-name.js'
import { Reason } from '../usn/usn-layout.js'
import type { RecordSpec } from './usn-bytes.js'

/** Record of `$Extend\$Deleted` in this model. */
export const DELETED_DIRECTORY = 30
export const ROOT = 5
const FIRST = 40
const REUSED = ['a', 'b', 'c'] as const
const RECORDS = 40
/** What a record has room for. */
const MAX_NAMES = 20
const STREAMS = ['s', 't', 'Zone.Identifier'] as const

export interface TableRecord {
  sequence: number
  isDirectory: boolean
  /** `parent/name` of each hard link, sorted; empty: not in use. */
  names: string[]
  size: number
  modified: number
  /** Not in use although names say that they are in it. */
  isLost?: boolean
  /** Alternate streams: bytes by name. */
  streams?: Readonly<Record<string, number>>
}

export interface ChangingOptions {
  /** Nodes have alternate streams, which change, too. */
  readonly streams?: boolean
  /** Directories are lost, and names of the root are like that of the directory for what was in them. */
  readonly orphans?: boolean
}

/**
 * A master file table that changes at random and writes what a change journal would say of it: times of directories change
 * without a record, a new hard link does not say where it is, numbers are used again.
 */
export class ChangingTable {
  readonly records = new Map<number, TableRecord>()
  /** Written and not taken yet. */
  journal: RecordSpec[] = []
  #clock = 1
  #nextName = 0

  constructor(
    private readonly random: (limit: number) => number,
    private readonly options: ChangingOptions = {},
  ) {
    for (const directory of [ROOT, DELETED_DIRECTORY])
      this.records.set(directory, {
        sequence: directory,
        isDirectory: true,
        names: [`0/d${directory}`],
        size: 0,
        modified: 0,
      })
    for (let record = FIRST; record < FIRST + RECORDS; record++)
      this.records.set(record, { sequence: 1, isDirectory: false, names: [], size: 0, modified: 0 })
  }

  change(): void {
    if (this.options.orphans === true && this.random(12) === 0) this.loseDirectory()
    const used = this.#where(({ names }) => names.length > 0)
    const record = used[this.random(used.length)]
    const isOfStreams = this.options.streams === true && this.random(4) === 0
    const kind = this.random(8)
    if (record === undefined || kind <= 1) this.#create()
    else if (isOfStreams) this.#changeStreams(record)
    else this.#changeNode(record, this.records.get(record)!, kind)
  }

  /** Creates nodes until there are so many. */
  fill(nodes: number): void {
    for (let left = nodes - this.#where(({ names }) => names.length > 0).length; left > 0; left--) this.#create()
  }

  /** Moves the directory that holds most into the root, or within it. Returns how many nodes are below it. */
  moveLargest(): number {
    const directories = this.#where(node => node.isDirectory && node.names.length > 0)
    const below = (directory: number) =>
      this.#where(({ names }) => names.length > 0 && names.some(name => this.#isBelow(parentOf(name), directory)))
        .length
    const [largest] = directories.map(record => ({ record, count: below(record) })).sort((a, b) => b.count - a.count)
    if (largest === undefined) return 0
    this.#rename(largest.record, ROOT)
    return largest.count
  }

  #changeNode(record: number, node: TableRecord, kind: number): void {
    if (this.#isDeletedOpen(node)) this.#delete(record)
    else if (kind === 2) this.#write(record)
    else if (kind === 3 && !node.isDirectory && node.names.length < MAX_NAMES) this.#link(record)
    else if (kind === 4 && node.names.length > 1) this.#unlink(record)
    else if (kind === 5 && !this.#hasChildren(record)) this.#delete(record)
    else if (kind === 6 && !node.isDirectory && node.names.length === 1) this.#rename(record, DELETED_DIRECTORY)
    else this.#rename(record, this.#directoryFor(record))
  }

  #create(): void {
    const [record] = this.#where(({ names }) => names.length === 0).filter(record => !this.#hasChildren(record))
    if (record === undefined) return
    const parent = this.#directoryFor(record)
    const node = this.records.get(record)!
    if (node.isLost === true) node.sequence = after(node.sequence)
    Object.assign(node, {
      isDirectory: this.random(3) === 0,
      names: [this.#name(parent)],
      size: 0,
      modified: this.#clock,
      streams: {},
      isLost: false,
    })
    this.#touch(parent)
    this.#log(record, parent, Reason.fileCreate, nameOf(node.names[0]!))
    if (this.random(2) === 0) this.#write(record)
    this.#log(record, parent, Reason.fileCreate | Reason.close)
  }

  #write(record: number): void {
    const node = this.records.get(record)!
    node.size = node.isDirectory ? 0 : this.random(1000)
    node.modified = this.#clock++
    this.#log(record, parentOf(node.names[0]!), node.isDirectory ? Reason.basicInfoChange : Reason.dataExtend)
  }

  /** A stream comes, goes, or gets another size. */
  #changeStreams(record: number): void {
    const node = this.records.get(record)!
    const name = STREAMS[this.random(STREAMS.length)]!
    const { [name]: had, ...others } = node.streams ?? {}
    const isGone = had !== undefined && this.random(2) === 0
    node.streams = isGone ? others : { ...others, [name]: this.random(1000) }
    const written = had === undefined ? Reason.streamChange : Reason.namedDataExtend
    this.#log(record, this.#anyParent(node), isGone ? Reason.streamChange : written)
  }

  #link(record: number): void {
    const node = this.records.get(record)!
    const parent = this.#directoryFor(record)
    node.names = [...node.names, this.#newName(parent)].sort()
    this.#touch(parent)
    this.#log(record, this.#anyParent(node), Reason.hardLinkChange)
  }

  #unlink(record: number): void {
    const node = this.records.get(record)!
    const [gone] = node.names.splice(this.random(node.names.length), 1)
    this.#touch(parentOf(gone!))
    // It is opened by the name that goes.
    this.#log(record, parentOf(gone!), Reason.hardLinkChange | Reason.close, nameOf(gone!))
  }

  #rename(record: number, parent: number): void {
    const node = this.records.get(record)!
    const at = this.random(node.names.length)
    const old = parentOf(node.names[at]!)
    const name = this.#name(parent)
    this.#log(record, old, Reason.renameOldName, nameOf(node.names[at]!))
    node.names = node.names.with(at, name).sort()
    this.#touch(old)
    this.#touch(parent)
    this.#log(record, parent, Reason.renameNewName, nameOf(name))
    this.#log(record, parent, Reason.renameNewName | Reason.close, nameOf(name))
  }

  #delete(record: number): void {
    const node = this.records.get(record)!
    while (node.names.length > 1) this.#unlink(record)
    const parent = parentOf(node.names[0]!)
    this.#touch(parent)
    this.#log(record, parent, Reason.fileDelete | Reason.close, nameOf(node.names[0]!))
    node.names = []
    node.sequence = after(node.sequence)
  }

  /** A directory goes, what is in it stays, and is written to. */
  loseDirectory(): void {
    const full = this.#where(({ isDirectory }) => isDirectory).filter(record => this.#hasChildren(record))
    const record = full[this.random(full.length)]
    const node = this.records.get(record ?? 0)
    if (record === undefined || node === undefined || node.names.length === 0) return
    const parent = parentOf(node.names[0]!)
    this.#touch(parent)
    this.#log(record, parent, Reason.fileDelete | Reason.close, nameOf(node.names[0]!))
    node.names = []
    node.isLost = true
    for (const child of this.#where(({ names }) => names.some(name => parentOf(name) === record)))
      this.#log(child, record, Reason.basicInfoChange)
  }

  #log(record: number, parent: number, reasons: number, name = 'n'): void {
    const { sequence, isDirectory } = this.records.get(record)!
    this.journal.push({
      version: this.random(2) === 0 ? 2 : 3,
      record,
      sequence,
      parent,
      parentSequence: this.records.get(parent)!.sequence,
      reasons,
      attributes: isDirectory ? 0x10 : 0x20,
      name,
    })
  }

  #touch(directory: number): void {
    this.records.get(directory)!.modified = this.#clock++
  }

  /** A name that was never used, or one of a few that are used again and again. */
  #name(parent: number): string {
    const like = `${parent}/${ORPHANED}${'_'.repeat(this.random(3))}`
    const isLike = this.options.orphans === true && parent === ROOT && this.random(10) === 0
    if (isLike && !this.#where(({ names }) => names.includes(like)).length) return like
    const again = `${parent}/${REUSED[this.random(2 * REUSED.length)]}`
    const isFree = !this.#where(({ names }) => names.includes(again)).length
    return isFree && !again.endsWith('undefined') ? again : this.#newName(parent)
  }

  #newName(parent: number): string {
    return `${parent}/${this.#nextName++}`
  }

  #anyParent(node: TableRecord): number {
    return parentOf(node.names[this.random(node.names.length)]!)
  }

  /** A directory that is not below the node. */
  #directoryFor(record: number): number {
    const found = this.#where(node => node.isDirectory && node.names.length > 0)
    const allowed = [ROOT, ...found].filter(directory => !this.#isBelow(directory, record))
    return allowed[this.random(allowed.length)]!
  }

  #isBelow(directory: number, record: number): boolean {
    for (let at = directory; at >= FIRST; ) {
      if (at === record) return true
      const [name] = this.records.get(at)!.names
      if (name === undefined) return false
      at = parentOf(name)
    }
    return false
  }

  #hasChildren(record: number): boolean {
    return this.#where(({ names }) => names.some(name => parentOf(name) === record)).length > 0
  }

  #isDeletedOpen({ names }: TableRecord): boolean {
    return names.some(name => parentOf(name) === DELETED_DIRECTORY)
  }

  #where(test: (node: TableRecord) => boolean): number[] {
    return [...this.records].filter(([record, node]) => record >= FIRST && test(node)).map(([record]) => record)
  }
}

export function nameOf(name: string): string {
  return name.slice(name.indexOf('/') + 1)
}

function after(sequence: number): number {
  return sequence === 0xffff ? 1 : sequence + 1
}

/** Record of the directory of a `parent/name`. */
export function parentOf(name: string): number {
  return Number(name.slice(0, name.indexOf('/')))
}
