import { type ChangeBatch, type EntryRow, Kind, NO_DIRECTORY, type NodeRef, Op } from '@hotpath/model'
import type { Store } from '@hotpath/store'
import { changeColumns, entryColumns, type PlainChange, type PlainEntry } from '@hotpath/testing'

/** A root of a store that is made of rows and not of files, as a scanner and a watcher would have sent them. */
export const MADE_ROOT = 'made'
const BOOT = 'bench'
const BATCH_ROWS = 8_192
/** Microseconds: the scan saw all of it then, what follows is later. */
const SCANNED_AT = 1_000
/** Files of one directory. */
const DIRECTORY_FILES = 1_000
const ROOT_NUMBER = 1
const FIRST_CHILD_NUMBER = 2

/**
 * A root `made` with one directory `big`, in which `files` files lie in directories of a thousand. Directory number n has
 * inode n, files have the inodes after those.
 */
export class MadeTree {
  readonly bigRef = refOf(FIRST_CHILD_NUMBER)
  private sequence = 0
  private now = SCANNED_AT

  private constructor(
    private readonly store: Store,
    readonly entries: number,
    readonly files: number,
  ) {}

  static async make(store: Store, files: number): Promise<MadeTree> {
    const place = { volume: MADE_ROOT, prefix: new Uint8Array(0), virtualRoot: false }
    await store.addRoot({ id: MADE_ROOT, kind: 'tree', path: '/made' }, place)
    const epoch = await store.beginScan(MADE_ROOT, { bootId: BOOT, startedAt: 0 })
    let sequence = 0
    let rows: PlainEntry[] = []
    let listed: number[] = []
    const send = async (): Promise<void> => {
      const listing = {
        directory: Uint32Array.from(listed),
        observed: new Float64Array(listed.length).fill(SCANNED_AT),
      }
      await store.addEntries(epoch, ++sequence, entryColumns(rows), listing).received
      rows = []
      listed = []
    }
    const directory = (number: number, parent: number, name: string): void => {
      rows.push({ parent, directory: number, kind: Kind.directory, name, row: directoryRow(number) })
      listed.push(number)
    }
    directory(ROOT_NUMBER, NO_DIRECTORY, 'made')
    directory(FIRST_CHILD_NUMBER, ROOT_NUMBER, 'big')
    const directories = Math.ceil(files / DIRECTORY_FILES)
    for (let i = 0; i < files; i++) {
      const parent = FIRST_CHILD_NUMBER + 1 + Math.floor(i / DIRECTORY_FILES)
      if (i % DIRECTORY_FILES === 0) directory(parent, FIRST_CHILD_NUMBER, `part-${parent}`)
      const inode = FIRST_CHILD_NUMBER + 1 + directories + i
      rows.push({ parent, directory: 0, kind: Kind.file, name: fileName(i), row: fileRow(inode, i) })
      if (rows.length >= BATCH_ROWS) await send()
    }
    if (rows.length > 0) await send()
    const { entries } = await store.endScan(epoch, { lastSequence: sequence })
    return new MadeTree(store, entries, files)
  }

  /** The directory and inode of one of the files. */
  placeOf(file: number): { parentRef: NodeRef; inode: number } {
    const number = FIRST_CHILD_NUMBER + 1 + Math.floor(file / DIRECTORY_FILES)
    const directories = Math.ceil(this.files / DIRECTORY_FILES)
    return { parentRef: refOf(number), inode: FIRST_CHILD_NUMBER + 1 + directories + file }
  }

  /** What a watcher sends when `big` has another name: the new one, then that the old one is gone. */
  renameBig(from: string, to: string): PlainChange[] {
    const parentRef = refOf(ROOT_NUMBER)
    const row = directoryRow(FIRST_CHILD_NUMBER)
    return [
      { op: Op.present, parentRef, name: to, row, observed: ++this.now },
      { op: Op.absent, parentRef, name: from, observed: ++this.now },
    ]
  }

  batch(changes: readonly PlainChange[]): ChangeBatch {
    const sequence = ++this.sequence
    return { root: MADE_ROOT, source: 'bench', sequence, bootId: BOOT, changes: changeColumns(changes) }
  }

  /** Microseconds of the next observation. */
  tick(): number {
    return ++this.now
  }

  apply(changes: readonly PlainChange[]): ReturnType<Store['applyChanges']> {
    return this.store.applyChanges(this.batch(changes))
  }
}

export function fileName(file: number): string {
  return `file-${(file * 7_919) % 1_000_003}-${file}.txt`
}

export function fileRow(inode: number, salt: number): EntryRow {
  const time = { seconds: 1_700_000_000 + (salt % 100_000), ticks: (salt * 7_919) % 10_000_000 }
  return { kind: Kind.file, size: salt % 65_536, modified: time, changed: time, created: time, ref: refOf(inode) }
}

function directoryRow(number: number): EntryRow {
  const time = { seconds: 1_700_000_000, ticks: number }
  return {
    kind: Kind.directory,
    size: Number.NaN,
    modified: time,
    changed: time,
    created: time,
    ref: refOf(number),
  }
}

export function refOf(inode: number): NodeRef {
  return { low: inode, high: 0, birth: inode }
}
