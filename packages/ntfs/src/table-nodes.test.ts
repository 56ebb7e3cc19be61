import { Random } from '@hotpath/index-format/testing'
import { describe, expect, it } from 'vitest'
import { MftParser } from './mft-parser.js'
import { drive, type ReadRequest } from './stream.js'
import { type DirectoryPlace, TableNodes } from './table-nodes.js'
import { FIXTURES, readFixture } from './testing/fixture.js'
import { escaped, listLines } from './testing/listing-lines.js'
import { randomVolume } from './testing/random-volume.js'
import { buildVolume, directory, EXTEND, file, ROOT, readerOf } from './testing/volume-builder.js'
import { Volume } from './volume.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const VOLUMES = process.env.SOAK === '1' ? 5_000 : 200
const ORPHANED = '<orphaned>/'

/** Paths of a node that is looked at by itself; those of lost directories begin with `<orphaned>/`. */
function pathsOf(
  nodes: TableNodes,
  read: (request: ReadRequest) => Uint8Array,
  record: number,
  sequence: number,
): string[] {
  const rows = drive(nodes.node(record, sequence), read)
  if (typeof rows === 'string') return [rows]
  const paths: string[] = []
  const isDirectory = rows.kind[0] === 1
  for (let row = 0; row < (isDirectory ? 1 : rows.count); row++) {
    const place = drive(nodes.placeOf(rows.parent[row]!, rows.parentSequence[row]!), read)
    const above = pathTo(place)
    const name = escaped(rows.names.subarray(rows.nameOffsets[row]!, rows.nameOffsets[row + 1]!))
    if (above !== undefined) paths.push(`${above}${name}`)
  }
  return paths.sort()
}

/** Undefined: what is in it is not listed. */
function pathTo({ kind, record, sequence, rows, above }: DirectoryPlace): string | undefined {
  if (kind === 'root') return ''
  if (kind === 'hidden') return undefined
  if (kind === 'lost') return `${ORPHANED}${record}-${sequence}/`
  return `${pathTo(above!)}${escaped(rows!.names.subarray(rows!.nameOffsets[0]!, rows!.nameOffsets[1]!))}/`
}

/** Paths of each node by a listing; directories that stand for lost ones are no nodes. */
function listedPaths(lines: readonly string[]): Map<string, string[]> {
  const paths = new Map<string, string[]>()
  for (const line of lines) {
    const [path, , modified, record, sequence] = line.split('\t')
    if (modified === 'unknown') continue
    const key = `${record}.${sequence}`
    paths.set(key, [...(paths.get(key) ?? []), path!].sort())
  }
  return paths
}

function open(read: (request: ReadRequest) => Uint8Array): TableNodes {
  const volume = drive(Volume.open('image'), read)
  return new TableNodes(volume, new MftParser(volume.geometry.recordBytes))
}

describe.each(FIXTURES)('nodes of a real volume, looked at one by one: %s', name => {
  it('have the names and places that a listing has', () => {
    const { read, truth } = readFixture(name)
    const nodes = open(read)
    const listed = listedPaths(truth)
    expect(listed.size).toBeGreaterThan(50)
    for (const [key, paths] of listed) {
      const [record, sequence] = key.split('.').map(Number)
      expect(pathsOf(nodes, read, record!, sequence!)).toEqual(paths)
      expect(drive(nodes.node(record!, sequence! + 1), read)).toBe('gone')
    }
  })
})

it(`nodes of volumes with orphans and rings are where a listing has them (SEED=${SEED})`, () => {
  const random = new Random(SEED)
  let compared = 0
  for (let i = 0; i < VOLUMES; i++) {
    const { records } = randomVolume(random)
    const { bytes } = buildVolume(records)
    const read = readerOf(bytes)
    const nodes = open(read)
    for (const [key, paths] of listedPaths(listLines(read).lines)) {
      const [record, sequence] = key.split('.').map(Number)
      const found = pathsOf(nodes, read, record!, sequence!)
      expect(found.length).toBe(paths.length)
      // A ring of directories is opened somewhere.
      const isLost = (path: string) => path.startsWith(ORPHANED)
      expect(found.filter(isLost).length).toBe(paths.filter(isLost).length)
      expect(found.filter(path => !isLost(path))).toEqual(paths.filter(path => !isLost(path)))
      compared++
    }
  }
  expect(compared).toBeGreaterThan(VOLUMES)
})

it('what was never used, is not in use, or continues another record is gone; what is marked as bad is damaged', () => {
  const own = { record: 30, sequence: 2 }
  const { bytes, tableAt, recordBytes } = buildVolume(
    new Map([
      [30, directory(own, ROOT, 'd')],
      [31, { ...file(1, [[ROOT, 'unused']]), isUnused: true }],
      [32, { ...file(1, [[ROOT, 'part']]), base: own }],
      [33, file(1, [[EXTEND, 'hidden']])],
      [34, file(1, [[ROOT, 'bad']])],
    ]),
    { records: 40 },
  )
  bytes.set(Buffer.from('BAAD'), tableAt + 34 * recordBytes)
  const read = readerOf(bytes)
  const nodes = open(read)
  for (const [record, sequence] of [
    [30, 1],
    [31, 1],
    [32, 1],
    [35, 0],
    [4_000, 1],
  ] as const)
    expect(drive(nodes.node(record, sequence), read)).toBe('gone')
  expect(drive(nodes.node(34, 1), read)).toBe('damaged')
  expect(pathsOf(nodes, read, 30, 2)).toEqual(['d'])
  expect(pathsOf(nodes, read, 33, 1)).toEqual([])
})
