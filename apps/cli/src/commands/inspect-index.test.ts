import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSegment, encodeManifest, encodeTombstoneFile, encodeWalHeader, MemorySink } from '@hotpath/index-format'
import { type EntryColumns, Kind, NO_DIRECTORY } from '@hotpath/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { IndexInspector } from './inspect-index.js'

const STORE_ID = '0123456789abcdef0123456789abcdef'
const SEGMENT = 'seg-000000000007.seg'
const TOMBSTONES = 'seg-000000000007-1.dead'
const WAL = 'wal-000000000001.log'

let directory: string

/** A root with 1,000 files, of which one is dead. */
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-inspect-'))
  const sink = new MemorySink()
  buildSegment(rows(1_000), sink)
  const bytes = sink.bytes()
  const counts = { dirCount: 1, fileCount: 1_000, stubCount: 0, deadCount: 1, deadGeneration: 1 }
  const view = {
    id: 1,
    nextDirectoryId: 2,
    segments: [{ id: 7, origin: 'scan' as const, sizeBytes: bytes.length, ...counts }],
    replayFrom: 1,
    applied: [],
    boots: ['boot'],
    observedFromBoot: 0,
    observedFrom: 0,
    unlisted: [],
    unread: [],
    impliedDirectories: false,
  }
  const root = {
    spec: { id: 'tree:/r', kind: 'tree' as const, path: '/r' },
    volume: 'v',
    prefix: Buffer.from('/'),
    virtualRoot: false,
    scanReason: '',
    partial: false,
    followed: null,
    trust: 'none' as const,
    wholeUntilMs: 0,
    journal: null,
    view,
    lastScan: null,
  }
  const manifest = { storeId: STORE_ID, generation: 1, incarnation: 1, nextFile: 8, nextView: 2, roots: [root] }
  write(SEGMENT, bytes)
  write(TOMBSTONES, encodeTombstoneFile({ segment: 7, generation: 1, count: 0, bitmap: new Uint8Array(0) }))
  write(WAL, encodeWalHeader({ number: 1, storeId: STORE_ID }))
  write('MANIFEST', encodeManifest(manifest))
  write('LOCK', new Uint8Array(0))
})

afterEach(() => rmSync(directory, { recursive: true }))

function write(name: string, bytes: Uint8Array): void {
  writeFileSync(join(directory, name), bytes)
}

function rows(files: number): EntryColumns {
  const names = ['r', ...Array.from({ length: files }, (_, i) => `file ${i}`)].map(name => Buffer.from(name))
  const offsets = [0]
  for (const name of names) offsets.push(offsets.at(-1)! + name.length)
  const count = files + 1
  return {
    count,
    parent: new Uint32Array(count).fill(1).fill(NO_DIRECTORY, 0, 1),
    directory: new Uint32Array(count).fill(1, 0, 1),
    kind: new Uint8Array(count).fill(Kind.file).fill(Kind.directory, 0, 1),
    nameOffsets: Uint32Array.from(offsets),
    names: Buffer.concat(names),
    size: new Float64Array(count).fill(10),
  }
}

function flip(name: string, at: number): void {
  const bytes = readFileSync(join(directory, name))
  bytes[at]! ^= 0x40
  write(name, bytes)
}

function bad(): string[] {
  return new IndexInspector(directory)
    .verify()
    .filter(({ state }) => state === 'bad')
    .map(({ what }) => what)
}

test('sizes account for every byte', () => {
  const { entries, parts } = new IndexInspector(directory).sizes()
  expect(entries).toBe(1_000)
  const total = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
  expect(parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(total)
  expect(parts.filter(({ part }) => /^[A-Zdf][A-Z]{3} [a-z]/.test(part)).length).toBeGreaterThan(5)
  expect(parts.map(({ bytes }) => bytes)).toEqual(parts.map(({ bytes }) => bytes).sort((a, b) => b - a))
})

test('a sound index is sound, and nothing in it is changed', () => {
  const before = readdirSync(directory)
  expect(new IndexInspector(directory).verify()).toEqual([
    { state: 'good', what: 'index files', detail: 'every checksum is right' },
  ])
  expect(readdirSync(directory)).toEqual(before)
})

test('a flipped byte in any file is found', () => {
  const length = readFileSync(join(directory, SEGMENT)).length
  for (const at of [0, 100, 4_096, Math.floor(length / 2), length - 1]) {
    flip(SEGMENT, at)
    expect({ at, bad: bad() }).toEqual({ at, bad: [SEGMENT] })
    flip(SEGMENT, at)
  }
  for (const name of [TOMBSTONES, WAL, 'MANIFEST']) {
    flip(name, 20)
    expect(bad()).toContain(name)
    flip(name, 20)
  }
  expect(bad()).toEqual([])
})

test('what is cut or missing is found, what was set aside is told', () => {
  write(SEGMENT, readFileSync(join(directory, SEGMENT)).subarray(0, 5_000))
  expect(bad()).toEqual([SEGMENT])
  expect(new IndexInspector(directory).sizes().parts).toContainEqual({ part: 'damaged segments', bytes: 5_000 })
  unlinkSync(join(directory, SEGMENT))
  expect(bad()).toEqual([SEGMENT])
  write('seg-000000000003.seg.damaged', new Uint8Array(9))
  const notes = new IndexInspector(directory).verify().filter(({ state }) => state === 'note')
  expect(notes.map(({ what }) => what)).toEqual(['seg-000000000003.seg.damaged'])
})
