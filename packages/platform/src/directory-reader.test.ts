import { execFileSync } from 'node:child_process'
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDirectoryReader, type DirectoryReader } from './directory-reader.js'
import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { deviceNumber, FileType, NOT_ASKED } from './stat-columns.js'

let dir: string
const none = new Uint8Array(0)
const bytes = (text: string, encoding: BufferEncoding = 'utf8') => new Uint8Array(Buffer.from(text, encoding))

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'platform-reader-'))
  mkdirSync(join(dir, 'tree/sub'), { recursive: true })
  writeFileSync(join(dir, 'tree/file'), 'hello')
  writeFileSync(Buffer.concat([Buffer.from(join(dir, 'tree/')), Buffer.from([0xff, 0xfe, 0x41])]), '')
  linkSync(join(dir, 'tree/file'), join(dir, 'tree/hard'))
  symlinkSync('nowhere', join(dir, 'tree/link'))
  symlinkSync('sub', join(dir, 'tree/dirlink'))
  writeFileSync(join(dir, 'tree/old'), 'x')
  execFileSync('touch', ['-d', '@-1.5', join(dir, 'tree/old')])
  execFileSync('mkfifo', [join(dir, 'tree/fifo')])
  mkdirSync(join(dir, 'big'))
  for (let i = 0; i < 20_000; i++) writeFileSync(join(dir, 'big', `file-with-a-rather-long-name-${i}`), '')
})
// Not rmSync: it cannot remove what has longer paths than the kernel takes.
afterAll(() => execFileSync('rm', ['-rf', dir]))

function names(reader: DirectoryReader): string[] {
  const { entries } = reader
  return Array.from({ length: entries.count }, (_, row) =>
    Buffer.from(entries.bytes.slice(entries.nameStart[row]!, entries.nameEnd[row]!)).toString('latin1'),
  )
}

const failureOf = (work: () => void): SystemCallError => {
  try {
    work()
  } catch (error) {
    if (error instanceof SystemCallError) return error
    throw error
  }
  throw new Error('did not fail')
}

describe.each(['native', 'fs'] as const)('DirectoryReader (%s)', mode => {
  it('describes every entry as lstat does', () => {
    const reader = createDirectoryReader(dir, { mode })
    reader.open(bytes('tree'))
    expect(reader.next()).toBe(8)
    reader.stat()
    const { stats, entries } = reader
    names(reader).forEach((name, row) => {
      const path = Buffer.concat([Buffer.from(join(dir, 'tree/')), Buffer.from(name, 'latin1')])
      const expected = lstatSync(path, { bigint: true })
      const ticks = (nanoseconds: bigint) => nanoseconds / 100n - (nanoseconds % 100n < 0n ? 1n : 0n)
      const found = (column: typeof stats.modified) =>
        BigInt(column.seconds[row]!) * 10_000_000n + BigInt(column.ticks[row]!)
      expect(stats.error[row]).toBe(0)
      expect(BigInt(stats.mode[row]!)).toBe(expected.mode)
      expect(BigInt(stats.links[row]!)).toBe(expected.nlink)
      expect(BigInt(stats.user[row]!)).toBe(expected.uid)
      expect(BigInt(stats.size[row]!)).toBe(expected.size)
      expect((BigInt(stats.inodeHigh[row]!) << 32n) | BigInt(stats.inodeLow[row]!)).toBe(expected.ino)
      expect(found(stats.modified)).toBe(ticks(expected.mtimeNs))
      expect(found(stats.changed)).toBe(ticks(expected.ctimeNs))
      expect(found(stats.created)).toBe(ticks(expected.birthtimeNs))
      if (entries.type[row] !== 0) expect(entries.type[row]! << 12).toBe(stats.mode[row]! & FileType.mask)
    })
    expect(reader.next()).toBe(0)
    reader.close()
  })

  it('gives a time before 1970 as floor and rest', () => {
    const reader = createDirectoryReader(join(dir, 'tree'), { mode })
    reader.open(none)
    expect(reader.statName(bytes('old'))).toBe(0)
    expect([reader.node.modified.seconds[0], reader.node.modified.ticks[0]]).toEqual([-2, 5_000_000])
    reader.close()
  })

  it('reads a large directory in several parts, each name once', () => {
    const reader = createDirectoryReader(dir, { mode })
    reader.open(bytes('big'))
    const found: string[] = []
    let parts = 0
    while (reader.next() > 0) {
      found.push(...names(reader))
      parts++
    }
    expect(parts).toBeGreaterThan(1)
    expect(found.sort()).toEqual(readdirSync(join(dir, 'big')).sort())
    reader.close()
  })

  it('leaves out what is skipped and marks what has vanished', () => {
    mkdirSync(join(dir, `gone-${mode}`))
    writeFileSync(join(dir, `gone-${mode}/a`), '')
    writeFileSync(join(dir, `gone-${mode}/b`), '')
    const reader = createDirectoryReader(dir, { mode })
    reader.open(bytes(`gone-${mode}`))
    expect(reader.next()).toBe(2)
    const skip = new Uint8Array(2)
    skip[names(reader).indexOf('b')] = 1
    rmSync(join(dir, `gone-${mode}/a`))
    reader.stat(skip)
    expect(reader.stats.error[names(reader).indexOf('a')]).toBe(Errno.ENOENT)
    expect(reader.stats.error[names(reader).indexOf('b')]).toBe(NOT_ASKED)
    reader.close()
  })

  it('describes the directory itself and names in it', () => {
    const reader = createDirectoryReader(dir, { mode })
    reader.open(bytes('tree/sub'))
    expect(reader.next()).toBe(0)
    expect(reader.statSelf()).toBe(0)
    const expected = lstatSync(join(dir, 'tree/sub'))
    const major = (expected.dev >> 8) & 0xfff
    expect(reader.node.inodeLow[0]).toBe(expected.ino % 2 ** 32)
    expect(reader.node.device[0]).toBe(deviceNumber(major, (expected.dev & 0xff) | ((expected.dev >> 12) & 0xfff00)))
    if (mode === 'native') expect(reader.entries.selfLow).toBe(expected.ino % 2 ** 32)
    reader.open(bytes('tree'))
    expect(reader.statName(bytes('dirlink'))).toBe(0)
    expect(reader.node.mode[0]! & FileType.mask).toBe(FileType.symlink)
    expect(reader.statName(bytes('absent'))).toBe(Errno.ENOENT)
    expect(reader.statName(bytes('n'.repeat(5000)))).toBe(Errno.ENAMETOOLONG)
    reader.close()
  })

  it('reads small files, and nothing else, by name', () => {
    const reader = createDirectoryReader(dir, { mode })
    reader.open(bytes('tree'))
    expect(Buffer.from(reader.readFile('file', 1000)!).toString()).toBe('hello')
    expect(Buffer.from(reader.readFile('file', 2)!).toString()).toBe('he')
    for (const name of ['absent', 'link', 'fifo', 'sub']) expect(reader.readFile(name, 10)).toBeNull()
    reader.close()
  })

  it('tells why a directory cannot be opened', () => {
    const reader = createDirectoryReader(dir, { mode })
    expect(failureOf(() => reader.open(bytes('absent'))).errnoName).toBe('ENOENT')
    expect(failureOf(() => reader.open(bytes('tree/file'))).errnoName).toBe('ENOTDIR')
    expect(['ELOOP', 'ENOTDIR']).toContain(failureOf(() => reader.open(bytes('tree/dirlink'))).errnoName)
    reader.close()
    reader.close()
    expect(() => createDirectoryReader(join(dir, 'absent'), { mode })).toThrow(/ENOENT/)
    expect(() => createDirectoryReader(join(dir, 'tree/file'), { mode })).toThrow(/ENOTDIR/)
  })

  it('follows symlinks in the path of the root, which may be / itself', () => {
    const reader = createDirectoryReader(join(dir, 'tree/dirlink'), { mode })
    reader.open(none)
    expect(reader.statSelf()).toBe(0)
    expect(reader.node.inodeLow[0]).toBe(lstatSync(join(dir, 'tree/sub')).ino % 2 ** 32)
    reader.close()
    const slash = createDirectoryReader('/', { mode })
    slash.open(none)
    slash.next()
    expect(names(slash)).toContain('proc')
    slash.open(bytes('proc'))
    slash.close()
  })

  it('leaves no descriptor open', () => {
    const openFiles = () => readdirSync('/proc/self/fd').length
    const before = openFiles()
    const reader = createDirectoryReader(dir, { mode })
    for (let i = 0; i < 10; i++) {
      reader.open(bytes('tree'))
      reader.next()
      reader.readFile('file', 10)
      failureOf(() => reader.open(bytes('absent')))
      reader.open(bytes('tree/sub'))
    }
    reader.close()
    expect(openFiles()).toBe(before)
  })
})

describe('NativeDirectoryReader', () => {
  it('opens paths longer than the kernel takes, and is not led out of the tree by a symlink on the way', () => {
    const component = 'd'.repeat(200)
    const depth = 60
    // Step by step: no path of that length can be given to mkdir.
    const script = `const fs = require('fs')
      for (let i = 0; i < ${depth}; i++) { fs.mkdirSync('${component}'); process.chdir('${component}') }
      fs.writeFileSync('leaf', 'x')`
    execFileSync(process.execPath, ['-e', script], { cwd: dir })
    const reader = createDirectoryReader(dir, { mode: 'native' })
    const path = bytes(Array(depth).fill(component).join('/'))
    expect(path.length).toBeGreaterThan(2 * 4096)
    reader.open(path)
    expect(reader.next()).toBe(1)
    expect(names(reader)).toEqual(['leaf'])

    renameSync(join(dir, 'tree/sub'), join(dir, 'moved'))
    symlinkSync('/usr', join(dir, 'tree/sub'))
    expect(failureOf(() => reader.open(bytes('tree/sub/bin'))).errno).toBe(Errno.ELOOP)
    expect(failureOf(() => reader.open(bytes('tree/../..'))).errno).toBe(Errno.ENOENT)
    reader.close()
    rmSync(join(dir, 'tree/sub'))
    renameSync(join(dir, 'moved'), join(dir, 'tree/sub'))
  })

  it('does not set access times where the user may say so', () => {
    if (process.getuid?.() !== lstatSync(dir).uid) throw new Error('the test made this directory')
    const target = join(dir, 'atime')
    mkdirSync(target)
    writeFileSync(join(target, 'x'), '')
    utimesSync(target, 1, lstatSync(target).mtimeMs / 1000 + 10)
    const reader = createDirectoryReader(dir, { mode: 'native' })
    reader.open(bytes('atime'))
    reader.next()
    reader.close()
    expect(lstatSync(target).atimeMs).toBe(1000)
    expect(readFileSync(join(target, 'x'), 'utf8')).toBe('')
  })
})
