import type { EntryColumns } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import type { NameCalls } from '../volume/volume-names.js'
import { VolumeNamesSource } from './volume-names-source.js'

interface Told {
  readonly record: number
  readonly parent: number
  readonly name: string
  readonly isDirectory?: boolean
}

/** USN_RECORD_V2 (Microsoft), with the fields that say something here. */
function record({ record, parent, name, isDirectory = false }: Told): Uint8Array {
  const bytes = Buffer.alloc(Math.ceil((60 + 2 * name.length) / 8) * 8)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt16LE(2, 4)
  bytes.writeBigUInt64LE((BigInt(sequenceOf(record)) << 48n) | BigInt(record), 8)
  bytes.writeBigUInt64LE((BigInt(sequenceOf(parent)) << 48n) | BigInt(parent), 16)
  bytes.writeUInt32LE(isDirectory ? 0x10 : 0x20, 52)
  bytes.writeUInt16LE(2 * name.length, 56)
  bytes.writeUInt16LE(60, 58)
  bytes.write(name, 60, 'utf16le')
  return bytes
}

function sequenceOf(record: number): number {
  return record === 5 ? 5 : (record % 7) + 1
}

/** Windows that tells names, `some` in a reply. */
function windows(files: readonly Told[], some: number): NameCalls & { asked: number; isClosed: boolean } {
  const sorted = [...files].sort((a, b) => a.record - b.record)
  const description = Buffer.alloc(96)
  description.writeBigUInt64LE(0x0123456789abcdefn, 0)
  description.writeUInt32LE(1024, 48)
  description.writeBigUInt64LE(1024n * BigInt(sorted.at(-1)!.record + 1), 56)
  return {
    asked: 0,
    isClosed: false,
    describe: () => new Uint8Array(description),
    enumerate(request) {
      this.asked++
      const start = new DataView(request.buffer).getBigUint64(0, true)
      const part = sorted.filter(({ record }) => BigInt(record) >= start).slice(0, some)
      if (part.length === 0) return undefined
      const head = Buffer.alloc(8)
      head.writeBigUInt64LE(BigInt(part.at(-1)!.record + 1))
      return new Uint8Array(Buffer.concat([head, ...part.map(record)]))
    },
    close() {
      this.isClosed = true
    },
  }
}

const FILES: Told[] = [
  { record: 11, parent: 5, name: '$Extend', isDirectory: true },
  { record: 25, parent: 11, name: '$ObjId' },
  { record: 30, parent: 41, name: 'früh.txt' },
  { record: 31, parent: 5, name: 'Users', isDirectory: true },
  { record: 32, parent: 31, name: 'anna', isDirectory: true },
  { record: 33, parent: 32, name: 'a.txt' },
  { record: 34, parent: 40, name: 'deep', isDirectory: true },
  { record: 40, parent: 41, name: 'inner', isDirectory: true },
  { record: 41, parent: 5, name: 'late', isDirectory: true },
  { record: 42, parent: 35, name: 'lost.txt' },
]

async function rowsOf(calls: NameCalls, excludes: string[] = [], stop = new AbortController()) {
  const source = new VolumeNamesSource(
    { id: 'v', kind: 'volume', path: '/C:' },
    { excludes, signal: stop.signal },
    calls,
  )
  const paths: string[] = []
  const rows: EntryColumns[] = []
  const directories = new Map<number, string>()
  for await (const { entries, listedDirectory } of source.batches()) {
    rows.push(structuredClone(entries))
    for (let row = 0; row < entries.count; row++) {
      const name = Buffer.from(
        entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!),
      ).toString()
      const parent = entries.parent[row]!
      if (parent !== 0) expect(directories.has(parent)).toBe(true)
      const path = parent === 0 ? name : `${directories.get(parent)}/${name}`
      const directory = entries.directory[row]!
      if (directory !== 0) {
        directories.set(directory, path)
        expect([...listedDirectory]).toContain(directory)
      }
      paths.push(path)
    }
  }
  return { source, paths, rows }
}

describe('the names that Windows tells of a volume', () => {
  it.each([1, 3, 100])('are listed with directories first, %i in a reply', async some => {
    const calls = windows(FILES, some)
    const { source, paths, rows } = await rowsOf(calls)
    expect(paths.sort()).toEqual(
      [
        'C:',
        'C:/Users',
        'C:/Users/anna',
        'C:/Users/anna/a.txt',
        'C:/late',
        'C:/late/früh.txt',
        'C:/late/inner',
        'C:/late/inner/deep',
        'C:/<orphaned>',
        'C:/<orphaned>/35-1',
        'C:/<orphaned>/35-1/lost.txt',
      ].sort(),
    )
    expect(source.volume).toBe('ntfs-0123456789abcdef')
    expect(source.progress()).toMatchObject({ entries: paths.length })
    expect(source.problems()).toEqual([expect.objectContaining({ message: expect.stringMatching(/names only/) })])
    expect(calls.isClosed).toBe(true)
    expect(calls.asked).toBe(2 * (Math.ceil(FILES.length / some) + 1))
    const [{ size, modified, ref, count }] = rows as [EntryColumns]
    for (let row = 0; row < count; row++) {
      if (ref!.low[row] === 33) {
        expect(size[row]).toBeNaN()
        expect(ref!.birth[row]).toBe(sequenceOf(33))
      }
      expect(modified!.seconds[row]).toBeNaN()
    }
  })

  it('are left out by the rules', async () => {
    const { paths } = await rowsOf(windows(FILES, 4), ['anna', '*.txt', '<orphaned>/'])
    expect(paths.filter(path => /anna|txt/.test(path))).toEqual([])
    expect(paths).toContain('C:/late/inner/deep')
  })

  it('come to an end when the scan is cancelled', async () => {
    const stop = new AbortController()
    stop.abort()
    const calls = windows(FILES, 4)
    await expect(rowsOf(calls, [], stop)).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(calls.isClosed).toBe(true)
  })

  it('are refused with what cannot be', () => {
    const calls = { ...windows(FILES, 4), describe: () => new Uint8Array(40) }
    const open = () =>
      new VolumeNamesSource(
        { id: 'v', kind: 'volume', path: 'C:' },
        { excludes: [], signal: new AbortController().signal },
        calls,
      )
    expect(open).toThrow(expect.objectContaining({ code: 'CORRUPT_FILE' }))
    expect(calls.isClosed).toBe(true)
  })
})
