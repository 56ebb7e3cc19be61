import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FaultFileSystem, fullDisk, readOnlyDisk } from '@hotpath/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { type FileSystem, isMissing, NodeFileSystem, publishFile } from './file-system.js'

const scratch = mkdtempSync(join(tmpdir(), 'hotpath-fs-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const implementations: [string, () => { fs: FileSystem; directory: string }][] = [
  ['the real one', () => ({ fs: new NodeFileSystem(), directory: mkdtempSync(join(scratch, 'd')) })],
  ['the one with faults', () => ({ fs: new FaultFileSystem(), directory: '/data' })],
]

/** One suite for every implementation of the interface. */
describe.each(implementations)('a file system: %s', (_name, make) => {
  const { fs, directory } = make()
  const path = (name: string): string => `${directory}/${name}`
  const contents = async (name: string): Promise<string> => new TextDecoder().decode(await fs.read(path(name), 1000))

  it('makes directories, also ones that are there', async () => {
    await fs.makeDirectory(directory)
    await fs.makeDirectory(directory)
    expect(await fs.list(directory)).toEqual([])
  })

  it('appends, syncs and reads', async () => {
    const file = await fs.create(path('a'))
    const buffer = text('one ')
    await file.append(buffer)
    buffer.fill(0)
    await file.append(text('two'))
    await file.sync()
    await file.close()
    expect(await contents('a')).toBe('one two')
    expect(await fs.size(path('a'))).toBe(7)
    expect(await fs.size(path('none'))).toBe(-1)
  })

  it('refuses to read more than it was told', async () => {
    await expect(fs.read(path('a'), 6)).rejects.toThrow(/7/)
  })

  it('replaces a file that is made again', async () => {
    await (await fs.create(path('a'))).close()
    expect(await fs.size(path('a'))).toBe(0)
  })

  it('cuts', async () => {
    await publishFile(fs, directory, 'b', text('0123456789'))
    await fs.cut(path('b'), 4)
    expect(await contents('b')).toBe('0123')
    await fs.cut(path('b'), 4)
    expect(await contents('b')).toBe('0123')
  })

  it('renames over what is there, and lists', async () => {
    await publishFile(fs, directory, 'c', text('new'))
    await fs.rename(path('c'), path('b'))
    expect(await contents('b')).toBe('new')
    expect((await fs.list(directory)).sort()).toEqual(['a', 'b'])
    await fs.syncDirectory(directory)
  })

  it('removes, also what is not there', async () => {
    await fs.remove(path('a'))
    await fs.remove(path('a'))
    expect(await fs.list(directory)).toEqual(['b'])
  })

  it('says what is missing', async () => {
    const calls = [
      () => fs.read(path('none'), 10),
      () => fs.rename(path('none'), path('x')),
      () => fs.cut(path('none'), 0),
    ]
    for (const call of calls) expect(await call().catch(isMissing)).toBe(true)
  })
})

describe('the file system with faults', () => {
  it('forgets what a crash takes', async () => {
    const fs = new FaultFileSystem()
    const kept = await fs.create('/d/kept')
    await kept.append(text('safe'))
    await kept.sync()
    await fs.syncDirectory('/d')
    await kept.append(new Uint8Array(3000).fill(1))
    await (await fs.create('/d/new')).append(text('x'))
    await fs.rename('/d/kept', '/d/moved')
    const at = fs.operationCount
    expect(fs.crash(at, 'none').paths().sort()).toEqual(['/d/moved', '/d/new'])
    expect(fs.crash(at, 'none').peek('/d/moved').length).toBe(3004)
    expect(fs.crash(at, 'unsyncedBytes').peek('/d/moved').length).toBe(4)
    expect(fs.crash(at, 'unsyncedBytes').peek('/d/new').length).toBe(0)
    expect(fs.crash(at, 'unsyncedNames').paths()).toEqual(['/d/kept'])
    expect(fs.crash(at, 'lostName').paths().sort()).toEqual(['/d/kept', '/d/new'])
    expect(fs.crash(at, 'lostName').peek('/d/kept').length).toBe(3004)
    expect([...fs.crash(at, 'zeroedTail').peek('/d/moved')]).toEqual([...text('safe'), ...new Uint8Array(3000)])
    expect([fs.tearsAt(4), fs.tearsAt(5), fs.tearsAt(2)]).toEqual([0, 6, 1])
    for (let sectors = 0; sectors < 6; sectors++) {
      expect(fs.crash(5, 'tornWrite', sectors).peek('/d/kept').length).toBe(4 + 512 * sectors)
    }
    expect(fs.crash(5, 'tornWrite').peek('/d/kept').length).toBe(4 + 1024)
    // A second crash of what was found after the first.
    expect(fs.crash(at, 'none').crash(0, 'unsyncedBytes').peek('/d/moved').length).toBe(4)
    expect(fs.crash(at, 'unsyncedNames').crash(0, 'unsyncedNames').paths()).toEqual(['/d/kept'])
  })

  it('fails where it is told, and a failed sync loses what it did not sync', async () => {
    const fs = new FaultFileSystem()
    const file = await fs.create('/d/f')
    fs.failAt(1, 'ENOSPC')
    await expect(file.append(text('12345678'))).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await fs.size('/d/f')).toBe(4)
    fs.failAt(fs.operationCount, 'EIO')
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
    await file.sync()
    expect(await fs.size('/d/f')).toBe(0)
  })

  it('fails by plan, at any call, as the kernel would', async () => {
    const fs = new FaultFileSystem()
    const file = await fs.create('/d/f')
    const { calls } = fs
    fs.plan = ({ kind, index }) => (kind === 'read' || index === calls + 3 ? 'EIO' : undefined)
    await expect(fs.read('/d/f', 10)).rejects.toMatchObject({ code: 'EIO', syscall: 'read' })
    expect(await fs.size('/d/f')).toBe(0)
    await file.append(text('12'))
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO', syscall: 'fdatasync' })
    expect(await fs.size('/d/f')).toBe(0)
    fs.plan = fullDisk
    await expect(file.append(text('1234'))).rejects.toMatchObject({ code: 'ENOSPC', syscall: 'write' })
    fs.plan = readOnlyDisk
    await expect(fs.rename('/d/f', '/d/g')).rejects.toMatchObject({ code: 'EROFS' })
    await file.close()
    expect([fs.paths(), fs.openFiles]).toEqual([['/d/f'], 0])
  })
})
