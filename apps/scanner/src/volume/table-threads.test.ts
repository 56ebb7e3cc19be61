import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { drive, MftRows, type MftStats, type TablePiece, Volume } from '@hotpath/ntfs'
import { readFixture } from '@hotpath/ntfs/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PieceReader } from './piece-reader.js'
import { openRawFile } from './raw-file.js'
import { openVolumeFile } from './raw-volume.js'
import { TableThreads, type TableThreadsOptions } from './table-threads.js'
import { VolumeFile } from './volume-file.js'

const PIECE_RECORDS = 100
const SLOW_MS = 5
/** Too long for the calling thread to read. */
const DISK_MS = 60
/** Pieces that it tries nevertheless. */
const TRIED_PIECES = 4

describe('threads that parse a table', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hotpath-table-'))
  const path = join(folder, 'fragmented.img')
  let file: VolumeFile
  let volume: Volume
  let pieces: TablePiece[]

  beforeAll(() => {
    const { size, parts } = readFixture('fragmented')
    const fd = openSync(path, 'w')
    for (const { offset, bytes } of parts) writeSync(fd, bytes, 0, bytes.length, offset)
    ftruncateSync(fd, size)
    closeSync(fd)
    file = openVolumeFile(path)
    volume = drive(Volume.open(path), request => file.read(request))
    pieces = []
    for (let first = 0; first < volume.records; first += PIECE_RECORDS)
      pieces.push({ first, count: Math.min(PIECE_RECORDS, volume.records - first) })
  })
  afterAll(() => {
    file.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const linesOf = ({ count, record, sequence, parent, size, nameOffsets, names }: MftRows): string[] =>
    Array.from({ length: count }, (_, i) =>
      [
        ...[record[i], sequence[i], parent[i], size[i]],
        Buffer.from(names.slice(nameOffsets[i], nameOffsets[i + 1])).toString('latin1'),
      ].join('\t'),
    )

  const pieceBytes = () => PIECE_RECORDS * volume.geometry.recordBytes
  const open = (options: Omit<TableThreadsOptions, 'signal'>, signal = new AbortController().signal) =>
    new TableThreads(volume, file, pieceBytes(), { ...options, signal })

  async function linesBy(threads: TableThreads, slowMs = 0): Promise<string[][]> {
    const found: string[][] = []
    for await (const { rows } of threads.parse(pieces)) {
      if (slowMs > 0) await delay(slowMs)
      found.push(linesOf(rows))
    }
    return found
  }

  /** Piece after piece, by nobody else. */
  function plainly(): { lines: string[][]; stats: MftStats } {
    const { recordBytes } = volume.geometry
    const reader = new PieceReader(file, volume.table, recordBytes)
    const rows = MftRows.forPiece(pieceBytes(), recordBytes)
    const stats: MftStats = { records: 0, unused: 0, extensions: 0, torn: 0, damaged: 0 }
    const lines = pieces.map(piece => {
      const found = reader.parse(piece, rows).stats
      for (const key of Object.keys(stats) as (keyof MftStats)[]) stats[key] += found[key]
      return linesOf(rows)
    })
    return { lines, stats }
  }

  it.each([
    ['none but the calling one', { threads: 0 }, 0],
    ['one, which starts meanwhile', { threads: 1 }, SLOW_MS],
    ['two, which start meanwhile', { threads: 2 }, SLOW_MS],
    ['one, without the calling one', { threads: 1, idle: true }, 0],
    ['two, without the calling one', { threads: 2, idle: true }, 0],
    ['two, and somebody who is slow', { threads: 2, idle: true }, SLOW_MS],
  ])('give all pieces in their order, several times: %s', async (_what, options, slowMs) => {
    const { lines, stats } = plainly()
    expect(lines.flat().length).toBeGreaterThan(4_000)
    const threads = open(options)
    try {
      expect(await linesBy(threads, slowMs)).toEqual(lines)
      expect(threads.stats).toEqual(stats)
      expect(await linesBy(threads)).toEqual(lines)
      expect(threads.stats.records).toBe(2 * stats.records)
      expect(threads.refused).toEqual([])
    } finally {
      await threads.close()
    }
  })

  it('leave reading to others where it takes the calling one too long', async () => {
    const raw = openRawFile(path)
    const { recordBytes } = volume.geometry
    const sleeper = new Int32Array(new SharedArrayBuffer(4))
    const pieceAt = new Map<number, number>()
    for (const [i, { first, count }] of pieces.entries())
      for (const { offset } of volume.table.ranges(first * recordBytes, count * recordBytes)) pieceAt.set(offset, i)
    const tried: (number | undefined)[] = []
    const read = (offset: number, into: Uint8Array): number => {
      Atomics.wait(sleeper, 0, 0, DISK_MS)
      tried.push(pieceAt.get(offset))
      return raw.read(offset, into)
    }
    const slow = new VolumeFile(path, { ...raw, read })
    const { signal } = new AbortController()
    const threads = new TableThreads(volume, slow, pieceBytes(), { threads: 1, signal })
    try {
      for (let pass = 0; pass < 4; pass++) expect(await linesBy(threads)).toEqual(plainly().lines)
    } finally {
      await threads.close()
      slow.close()
    }
    expect(tried).not.toEqual([])
    expect(new Set(tried).size).toBeLessThanOrEqual(TRIED_PIECES)
  })

  it('fail with what reading fails with, in any thread', async () => {
    const behind = [{ first: volume.records - 1, count: PIECE_RECORDS }]
    const cut = join(folder, 'cut.img')
    closeSync(openSync(cut, 'w'))
    const short = openVolumeFile(cut)
    for (const idle of [false, true]) {
      const { signal } = new AbortController()
      const moved = Object.assign(Object.create(volume) as Volume, { file: cut })
      const threads = new TableThreads(moved, short, pieceBytes(), { threads: 1, idle, signal })
      await expect(threads.parse(behind).next()).rejects.toThrow(/cut\.img" at byte \d+: .* the end of the file/)
      await threads.close()
    }
    short.close()
  })

  it('end when they are cancelled', async () => {
    const stop = new AbortController()
    const threads = open({ threads: 1, idle: true }, stop.signal)
    const parsing = threads.parse(pieces)
    expect((await parsing.next()).done).toBe(false)
    stop.abort()
    await expect(parsing.next()).rejects.toMatchObject({ code: 'CANCELLED' })
    await threads.close()
  })
})
