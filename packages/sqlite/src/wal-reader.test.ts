import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { LogBuilder } from './testing/log-builder.js'
import { bytesIn } from './testing/memory-pages.js'
import { runSql } from './testing/python-database.js'
import { frameOffset, parseWalHeader } from './wal-header.js'
import { parseWalIndex, WAL_INDEX_BYTES } from './wal-index.js'
import { LogOverwrittenError, WalPages } from './wal-pages.js'
import { type ByteSource, WalReader } from './wal-reader.js'

const NO_LIMIT = 2 ** 31
const PAGE = 512
const FRAME = PAGE + 24

let directory = ''
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Two transactions: pages 2, 3 and 2 again; page 4. */
const twoCommits = (bigEndian = false): LogBuilder =>
  new LogBuilder(PAGE, bigEndian).frame(2, 0, 1).frame(3, 0, 2).frame(2, 5, 3).frame(4, 6, 4)

const headerOf = (bytes: Uint8Array) => parseWalHeader({ file: 'x.db-wal', bytes, offset: 0 })
const readerOf = (bytes: Uint8Array): WalReader => new WalReader(bytesIn('x.db-wal', bytes), headerOf(bytes))

/** What is read, short: frames and pages of commits, and the end. */
function read(reader: WalReader, mxFrame = NO_LIMIT): string[] {
  const found: string[] = []
  for (;;) {
    const next = reader.next(mxFrame)
    if (next.kind === 'end') {
      const { why, frame, uncommitted } = next
      return [...found, `${why} at ${frame}, ${uncommitted} before it`]
    }
    const { firstFrame, lastFrame, pageCount, frames } = next
    found.push(`${firstFrame}-${lastFrame}: ${[...frames.pages()].join()} of ${pageCount}`)
  }
}

describe('parseWalHeader', () => {
  it('reads every field', () => {
    expect(headerOf(twoCommits().bytes)).toMatchObject({
      pageSize: PAGE,
      checkpointSequence: 5,
      salt1: 0x01020304,
      salt2: 0xfffefdfc,
      bigEndian: false,
    })
    expect(headerOf(twoCommits(true).bytes).bigEndian).toBe(true)
  })

  it('refuses every byte that is another, and fewer bytes', () => {
    const good = twoCommits().bytes
    for (let at = 0; at < 32; at++) {
      const bytes = good.slice()
      bytes[at]! ^= 0x10
      expect(() => headerOf(bytes)).toThrow('"x.db-wal" at byte')
      expect(() => headerOf(good.subarray(0, at))).toThrow(`found ${at}`)
    }
  })
})

describe('WalReader', () => {
  it.each([false, true])('reads commits, of each page the last frame (big-endian checksums: %s)', bigEndian => {
    const { bytes } = twoCommits(bigEndian)
    const reader = readerOf(bytes)
    expect(read(reader)).toEqual(['1-3: 2,3 of 5', '4-4: 4 of 6', 'short at 5, 0 before it'])
    expect(reader.position.frame).toBe(4)
    const commit = readerOf(bytes).next(NO_LIMIT)
    if (commit.kind !== 'commit') throw new Error(commit.why)
    const pages = new WalPages(bytesIn('x.db-wal', bytes), headerOf(bytes), commit.frames)
    expect(pages.get(2)).toEqual(new Uint8Array(PAGE).fill(3))
    expect(pages.get(3)).toEqual(new Uint8Array(PAGE).fill(2))
    expect([pages.has(2), pages.has(4), pages.get(4)]).toEqual([true, false, undefined])
  })

  it('takes no frame behind what is published, and goes on when more is', () => {
    const reader = readerOf(twoCommits().bytes)
    expect(read(reader, 0)).toEqual(['limit at 1, 0 before it'])
    expect(read(reader, 2)).toEqual(['limit at 3, 2 before it'])
    expect(read(reader, 3)).toEqual(['1-3: 2,3 of 5', 'limit at 4, 0 before it'])
    expect(read(reader, 4)).toEqual(['4-4: 4 of 6', 'limit at 5, 0 before it'])
  })

  it('goes on from a position', () => {
    const { bytes } = twoCommits()
    const first = readerOf(bytes)
    first.next(NO_LIMIT)
    const second = new WalReader(bytesIn('x.db-wal', bytes), headerOf(bytes), first.position)
    expect(read(second)).toEqual(['4-4: 4 of 6', 'short at 5, 0 before it'])
    const wrong = new WalReader(bytesIn('x.db-wal', bytes), headerOf(bytes), { ...first.position, frame: 2 })
    expect(read(wrong)).toEqual(['checksum at 3, 0 before it'])
  })

  it('has the commits that are whole, wherever the file ends', () => {
    const { bytes } = twoCommits()
    for (let length = 32; length <= bytes.length; length++) {
      const frames = Math.floor((length - 32) / FRAME)
      const commits = frames < 3 ? [] : frames < 4 ? ['1-3: 2,3 of 5'] : ['1-3: 2,3 of 5', '4-4: 4 of 6']
      const uncommitted = frames < 3 ? frames : 0
      expect(read(readerOf(bytes.subarray(0, length)))).toEqual([
        ...commits,
        `short at ${frames + 1}, ${uncommitted} before it`,
      ])
    }
  })

  it('says why it stops: salts, checksums, no page', () => {
    const { bytes } = twoCommits()
    const changed = (at: number): Uint8Array => {
      const copy = bytes.slice()
      copy[32 + 3 * FRAME + at]! ^= 1
      return copy
    }
    const why = (at: number) => read(readerOf(changed(at))).at(-1)
    for (const at of [8, 15]) expect(why(at)).toBe('salt at 4, 0 before it')
    for (const at of [0, 4, 7, 16, 23, 24, FRAME - 1]) expect(why(at)).toBe('checksum at 4, 0 before it')
    const none = new LogBuilder(PAGE).frame(0, 1, 1).bytes
    expect(read(readerOf(none))).toEqual(['page at 1, 0 before it'])
  })

  it('reads large pages, and logs that are longer than what it reads at once', () => {
    const large = new LogBuilder(65_536)
    for (let frame = 1; frame <= 40; frame++) large.frame(frame, frame % 4 === 0 ? frame : 0, frame)
    const found = read(readerOf(large.bytes))
    expect(found).toHaveLength(11)
    expect(found[9]).toBe('37-40: 37,38,39,40 of 40')
  })

  it('reads a transaction of eighty megabytes once, a piece at a time', () => {
    const frames = 20_000
    const size = 24 + 4_096
    const builder = new LogBuilder(4_096)
    const head = builder.bytes
    let made = 0
    let largest = 0
    const source: ByteSource = {
      file: 'x.db-wal',
      read(offset, target) {
        largest = Math.max(largest, target.length)
        expect(offset).toBe(32 + made * size)
        let at = 0
        for (; at < target.length && made < frames; at += size) {
          made++
          builder.sign(target.subarray(at, at + size), 1 + (made % 1_000), made === frames ? 1_000 : 0)
        }
        return at
      },
    }
    const before = process.memoryUsage().arrayBuffers
    const commit = new WalReader(source, headerOf(head)).next(frames)
    expect(commit).toMatchObject({ kind: 'commit', firstFrame: 1, lastFrame: frames, pageCount: 1_000 })
    expect(largest).toBeLessThanOrEqual(1024 * 1024)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024)
  })
})

describe('WalPages', () => {
  it('notices frames that were overwritten', () => {
    const { bytes } = twoCommits()
    const header = headerOf(bytes)
    const commit = readerOf(bytes).next(NO_LIMIT)
    if (commit.kind !== 'commit') throw new Error(commit.why)
    const newer = new LogBuilder(PAGE, false, [9, 9]).frame(2, 0, 1).frame(3, 0, 2).frame(2, 5, 3).bytes
    const other = new LogBuilder(PAGE).frame(2, 0, 1).frame(3, 0, 2).frame(7, 5, 3).bytes
    for (const now of [newer, other, bytes.subarray(0, 100)])
      expect(() => new WalPages(bytesIn('x.db-wal', now), header, commit.frames).get(2)).toThrow(LogOverwrittenError)
  })
})

describe('a log that SQLite wrote', () => {
  it('is what the index of the log says', () => {
    directory = mkdtempSync(join(tmpdir(), 'sqlite-log-'))
    const file = runSql(
      directory,
      'PRAGMA page_size=1024',
      'PRAGMA journal_mode=WAL',
      'CREATE TABLE t(a)',
      "INSERT INTO t VALUES ('x')",
      'PRAGMA wal_checkpoint(PASSIVE)',
      'INSERT INTO t SELECT zeroblob(5000)',
      'DELETE FROM t',
    )
    const bytes = readFileSync(`${file}-wal`)
    const header = headerOf(bytes)
    const shm = readFileSync(`${file}-shm`).subarray(0, WAL_INDEX_BYTES)
    const index = parseWalIndex({ file: `${file}-shm`, bytes: shm, offset: 0 })!
    expect(index.header).toMatchObject({ pageSize: 1024, salt1: header.salt1, salt2: header.salt2 })
    expect(index.checkpoint.readMarks).toHaveLength(5)
    const reader = new WalReader(bytesIn(file, bytes), header)
    const commits = [...reader.commits(index.header.mxFrame)]
    // The log started again after the checkpoint: only what came then counts.
    expect(commits).toHaveLength(2)
    expect(commits.at(-1)).toMatchObject({ lastFrame: index.header.mxFrame, pageCount: index.header.pageCount })
    expect(reader.position.checksum).toEqual(index.header.frameChecksum)
    expect(frameOffset(header, index.header.mxFrame + 1)).toBeLessThanOrEqual(bytes.length)
  })
})
