import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSegment, MemorySink } from '@hotpath/index-format'
import { type Access, type EntryColumns, Kind } from '@hotpath/model'
import { type AclEntry, AclTag, type Credentials, digestOfAcl, encodeAcl, packMode } from '@hotpath/platform'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DiskDirectories, type DiskDirectory, DiskPermissions } from './disk-directories.js'
import { Engine } from './engine.js'
import type { SearchResult } from './search-request.js'
import { MappedSegmentOpener } from './segment-opener.js'

const WHO: Credentials = { user: 1, groups: [10] }
const OPEN: Access = { mode: 0o755, user: 0, group: 0 }
const CLOSED: Access = { mode: 0o700, user: 0, group: 0 }

interface Row {
  readonly id: number
  readonly parent: number
  readonly name: string
  readonly access?: Access
}

/** `/top/d` with two files in it, and one beside it. */
const ROWS: readonly Row[] = [
  { id: 1, parent: 0, name: 'top', access: OPEN },
  { id: 2, parent: 1, name: 'd', access: OPEN },
  { id: 0, parent: 2, name: 'x1' },
  { id: 0, parent: 2, name: 'x2' },
  { id: 0, parent: 1, name: 'x3' },
]

function columnsOf(rows: readonly Row[], withAccess = true): EntryColumns {
  const names = rows.map(({ name }) => Buffer.from(name))
  const nameOffsets = new Uint32Array(rows.length + 1)
  for (const [i, name] of names.entries()) nameOffsets[i + 1] = nameOffsets[i] + name.length
  const part = (of: keyof Access): Uint32Array => Uint32Array.from(rows, ({ access }) => access?.[of] ?? 0)
  return {
    count: rows.length,
    parent: Uint32Array.from(rows, ({ parent }) => parent),
    directory: Uint32Array.from(rows, ({ id }) => id),
    kind: Uint8Array.from(rows, ({ id }) => (id > 0 ? Kind.directory : Kind.file)),
    nameOffsets,
    names: Buffer.concat(names),
    size: new Float64Array(rows.length),
    ...(withAccess && { access: { mode: part('mode'), user: part('user'), group: part('group') } }),
  }
}

/** A disk on which everything is open that is not said to be otherwise. */
class FakeDisk implements DiskDirectories {
  readonly directories = new Map<string, DiskDirectory | undefined>()
  readonly lists = new Map<string, readonly AclEntry[] | 'none' | undefined>()
  readonly links = new Map<string, string>()
  listsRead = 0

  look(path: Uint8Array): DiskDirectory | undefined {
    const text = Buffer.from(path).toString()
    return this.directories.has(text) ? this.directories.get(text) : { ...OPEN, acl: undefined }
  }

  acl(path: Uint8Array): readonly AclEntry[] | 'none' | undefined {
    this.listsRead++
    return this.lists.get(Buffer.from(path).toString())
  }

  realPath(path: Uint8Array): Uint8Array | undefined {
    const text = Buffer.from(path).toString()
    return Buffer.from(this.links.get(text) ?? text)
  }
}

let folder = ''
let disk: FakeDisk
let engine: Engine
let slot = 1

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotpath-visible-'))
  disk = new FakeDisk()
  const fail = (_view: number, _segment: number, error: Error): void => {
    throw error
  }
  engine = new Engine(new MappedSegmentOpener(), () => {}, fail, undefined, undefined, disk)
})
afterEach(() => {
  engine.close()
  rmSync(folder, { recursive: true, force: true })
})

function fill(rows = ROWS, withAccess = true): void {
  const sink = new MemorySink()
  buildSegment(columnsOf(rows, withAccess), sink)
  const file = join(folder, 'one.seg')
  writeFileSync(file, sink.bytes())
  const prefix = Buffer.from('/')
  engine.apply([
    { op: 'createView', view: 1, root: 'r', volume: 'v', prefix, virtualRoot: false },
    { op: 'activateView', view: 1, root: 'r', partial: false },
    { op: 'addSegment', view: 1, segment: 1, file, dead: new Uint8Array(0), origin: 'scan' },
  ])
}

/** The row of directory `d`, entry 1 of the segment, anew. */
function putAgain(access: Access): void {
  const rows = columnsOf([{ ...ROWS[1], access }])
  engine.apply([
    { op: 'kill', view: 1, segment: 1, ranges: Uint32Array.of(1, 2) },
    { op: 'remove', view: 1, slots: Uint32Array.of(slot) },
    { op: 'put', view: 1, slots: Uint32Array.of(++slot), rows },
  ])
}

function search(text: string, limit = 10): SearchResult {
  const sort = { column: 'name', descending: false } as const
  const found = engine.search({ text, limit, offset: 0, sort, match: 'name', nowMs: 0, viewer: WHO })
  if ('kind' in found) throw new Error(found.message)
  return found
}

const namesIn = ({ hits }: SearchResult): string[] => hits.map(({ name }) => Buffer.from(name).toString())

describe('what another user may see', () => {
  it('is nothing where nobody knows who may list what', () => {
    fill(ROWS, false)
    // The root itself lies in `/`, of which the disk knows.
    expect(namesIn(search(''))).toEqual(['top'])
    expect(search('').total).toBe(1)
  })

  it('is what the disk says where the index is behind, and stays so for totals', () => {
    fill()
    expect(search('x').total).toBe(3)
    disk.directories.set('/top/d', { ...CLOSED, acl: undefined })
    const later = clockAhead()
    try {
      const found = search('x')
      expect(namesIn(found)).toEqual(['x3'])
      expect(found.total).toBe(1)
      expect(search('x', 0).total).toBe(1)
      // The event comes: now the index knows itself, and later that it is open again.
      putAgain(CLOSED)
      expect(search('x', 0).total).toBe(1)
      disk.directories.delete('/top/d')
      later.forward(600)
      putAgain(OPEN)
      expect(search('x').total).toBe(3)
    } finally {
      later.end()
    }
  })

  it('is nothing below a directory that became something else', () => {
    fill()
    disk.directories.set('/top/d', undefined)
    expect(namesIn(search('x'))).toEqual(['x3'])
  })

  it('ends where the way to the root does', () => {
    fill()
    disk.links.set('/top', '/secret/place/top')
    disk.directories.set('/secret', { ...CLOSED, acl: undefined })
    expect(search('').total).toBe(0)
    disk.links.set('/top', '/public/top')
    expect(search('').total).toBe(5)
  })

  it('goes by access lists, which are read once for each change', () => {
    const user = (id: number): AclEntry[] => [
      { tag: AclTag.owner, permissions: 7, id: 0 },
      { tag: AclTag.user, permissions: 5, id },
      { tag: AclTag.mask, permissions: 5, id: 0 },
      { tag: AclTag.other, permissions: 0, id: 0 },
    ]
    const accessWith = (acl: readonly AclEntry[]): Access => ({
      mode: packMode(0o750, digestOfAcl(encodeAcl(acl))),
      user: 0,
      group: 0,
    })
    const setList = (id: number): Access => {
      disk.lists.set('/top/d', user(id))
      disk.directories.set('/top/d', { mode: 0o750, user: 0, group: 0, acl: user(id) })
      return accessWith(user(id))
    }
    const listed = setList(WHO.user)
    fill(ROWS.map(row => (row.id === 2 ? { ...row, access: listed } : row)))
    expect(search('x').total).toBe(3)
    for (let i = 0; i < 5; i++) search('x')
    expect(disk.listsRead).toBe(1)
    // Its times change with what is in it: that makes nothing anew but what is asked of the row itself.
    putAgain(listed)
    expect(search('x').total).toBe(3)
    const read = disk.listsRead
    for (let i = 0; i < 5; i++) search('x')
    expect(disk.listsRead).toBe(read)
    putAgain(setList(WHO.user + 1))
    expect(search('x').total).toBe(1)
    disk.lists.set('/top/d', undefined)
    putAgain(accessWith(user(WHO.user + 2)))
    expect(search('x').total).toBe(1)
  })

  it('is refused where all entries decide, and is not explained', () => {
    fill()
    for (const text of ['dupe:', 'x sizedupe:', '!dupe:', '<a|dupe:> x'])
      expect(() => search(text)).toThrow('another user')
    const sort = { column: 'name', descending: false } as const
    const asked = { text: 'x', limit: 1, offset: 0, sort, match: 'name', nowMs: 0, viewer: WHO, explain: true } as const
    expect(() => engine.search(asked)).toThrow('no explanation')
  })
})

/** Moves the clock of this process on. */
function clockAhead(): { forward(ms: number): void; end(): void } {
  const real = performance.now.bind(performance)
  let ahead = 600
  performance.now = () => real() + ahead
  return {
    forward(ms) {
      ahead += ms
    },
    end() {
      performance.now = real
    },
  }
}

describe('permissions on the disk', () => {
  const split = (path: string): Uint8Array[] => path.split('/').map(part => Buffer.from(part))

  it('are asked again after half a second', () => {
    let now = 0
    const permissions = new DiskPermissions(disk, WHO, () => now)
    expect(permissions.barrier(split('/a/b/c'), 1)).toBe(-1)
    disk.directories.set('/a/b', { ...CLOSED, acl: undefined })
    expect(permissions.barrier(split('/a/b/c'), 1)).toBe(-1)
    now = 501
    expect(permissions.barrier(split('/a/b/c'), 1)).toBe(2)
    disk.directories.delete('/a/b')
    disk.directories.set('/', undefined)
    now = 1002
    expect(permissions.barrier(split('/a/b/c'), 1)).toBe(0)
    expect(permissions.mayReach(Buffer.from('/'))).toBe(true)
    expect(permissions.mayReach(Buffer.from('/a'))).toBe(false)
  })
})
