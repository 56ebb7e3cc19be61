import { Kind, NO_DIRECTORY } from '@hotpath/model'
import { compareBytes, keyOf } from '../key.js'
import type { ModelRow } from './model-rows.js'

/** The rows of a tree in the order that a segment promises, found the slow and plain way. */
export interface OracleTree {
  /** Depth-first preorder, siblings in dictionary order. */
  readonly directories: readonly ModelRow[]
  readonly parents: readonly number[]
  readonly ends: readonly number[]
  /** By directory in that order, in dictionary order within it. */
  readonly files: readonly ModelRow[]
  readonly firstFiles: readonly number[]
}

export function compareNames(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(keyOf(a), keyOf(b)) || compareBytes(a, b)
}

/** A text that is the same for the same bytes. */
export function nameText(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1')
}

export function oracleTree(rows: readonly ModelRow[]): OracleTree {
  const byId = new Map<number, ModelRow>()
  const byPlace = new Map<string, ModelRow>()
  for (const row of rows) {
    if (row.kind === Kind.directory) {
      const known = byId.get(row.directory)
      if (known === undefined || !row.stub || known.stub) byId.set(row.directory, row)
    } else byPlace.set(`${row.parent}/${nameText(row.name)}`, row)
  }
  const childrenOf = grouped([...byId.values()])
  const filesOf = grouped([...byPlace.values()])

  const directories: ModelRow[] = []
  const parents: number[] = []
  const ends: number[] = []
  const files: ModelRow[] = []
  const firstFiles: number[] = []
  const pending = (childrenOf.get(NO_DIRECTORY) ?? []).map(row => ({ row, parent: 0 }))
  while (pending.length > 0) {
    const { row, parent } = pending.pop() as { row: ModelRow; parent: number }
    const local = directories.length
    directories.push(row)
    parents.push(parent)
    firstFiles.push(files.length)
    files.push(...(filesOf.get(row.directory) ?? []))
    const children = childrenOf.get(row.directory) ?? []
    for (let i = children.length - 1; i >= 0; i--) pending.push({ row: children[i], parent: local })
  }
  firstFiles.push(files.length)
  for (let local = directories.length - 1; local >= 0; local--) {
    ends[local] ??= local + 1
    if (local > 0) ends[parents[local]] = Math.max(ends[parents[local]] ?? 0, ends[local])
  }
  return { directories, parents, ends, files, firstFiles }
}

/** Rows by parent, each list in dictionary order (equal names as they came). */
function grouped(rows: readonly ModelRow[]): Map<number, ModelRow[]> {
  const groups = new Map<number, ModelRow[]>()
  for (const row of rows) {
    const group = groups.get(row.parent)
    if (group === undefined) groups.set(row.parent, [row])
    else group.push(row)
  }
  for (const group of groups.values()) {
    const keys = new Map(group.map(row => [row, keyOf(row.name)]))
    group.sort((a, b) => compareBytes(keys.get(a)!, keys.get(b)!) || compareBytes(a.name, b.name))
  }
  return groups
}
