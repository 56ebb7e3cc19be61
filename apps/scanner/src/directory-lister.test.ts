import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type EntryColumns, Kind } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DirectoryLister } from './directory-lister.js'
import { BatchReader, plainWalk } from './testing/walk-oracle.js'
import { walkTree } from './walk/walk-tree.js'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'scanner-lister-'))
  mkdirSync(join(root, 'a/b'), { recursive: true })
  mkdirSync(join(root, 'data/x'), { recursive: true })
  mkdirSync(join(root, 'node_modules/x'), { recursive: true })
  for (const name of ['a/f', 'a/g.o', 'a/b/keep.o', 'a/b/drop.log']) writeFileSync(join(root, name), name)
  symlinkSync('b', join(root, 'a/link'))
  writeFileSync(join(root, '.hotpathignore'), '*.o\n')
  writeFileSync(join(root, 'a/b/.hotpathignore'), '!keep.o\n*.log\n')
  mkdirSync(join(root, 'big'))
  const script = 'for (let i = 0; i < 40_000; i++) require("fs").closeSync(require("fs").openSync("n" + i, "w"))'
  execFileSync(process.execPath, ['-e', script], { cwd: join(root, 'big') })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

/** Rows as the oracle has them, with the names as paths. */
function rows(entries: EntryColumns) {
  const reader = new BatchReader()
  const self = new Uint32Array(entries.count)
  let number = 1
  for (let i = 0; i < entries.count; i++) if (entries.kind[i] === Kind.directory) self[i] = ++number
  const none = { listedDirectory: new Uint32Array(0), listedObserved: new Float64Array(0), currentDirectory: bytes('') }
  reader.add({ ...none, entries: { ...entries, directory: self } })
  return reader.entries
}

function expected(directory: string, keep: (name: string) => boolean) {
  return plainWalk(join(root, directory), path => path.toString() === join(root, directory))
    .filter(({ path }) => path.includes('/') && keep(basename(path)))
    .map(entry => ({ ...entry, path: basename(entry.path) }))
}

describe.each(['native', 'fs'] as const)('DirectoryLister (%s)', readerMode => {
  const make = () =>
    new DirectoryLister({ root, excludes: ['node_modules/'], excludedDirectories: [join(root, 'data')], readerMode })

  it('lists a directory as a scan does, with its time and its ref', () => {
    const lister = make()
    const before = monotonicMicros()
    const listing = lister.list(bytes('a'))!
    expect(listing.observed).toBeGreaterThanOrEqual(before)
    expect(listing.observed).toBeLessThanOrEqual(monotonicMicros())
    expect(rows(listing.entries)).toEqual(expected('a', name => name !== 'g.o'))
    expect(rows(lister.list(bytes('a/b'))!.entries)).toEqual(expected('a/b', name => name !== 'drop.log'))
    expect(rows(lister.list(bytes(''))!.entries)).toEqual(
      expected('', name => !['data', 'node_modules'].includes(name)),
    )
    const { ref } = listing
    const self = plainWalk(root).find(({ path }) => path === `${basename(root)}/a`)!.ref
    expect(`${(BigInt(ref.high) << 32n) | BigInt(ref.low)}:${ref.birth}`).toBe(self)
    lister.close()
  })

  it('lists large directories whole', () => {
    const lister = make()
    expect(rows(lister.list(bytes('big'))!.entries)).toEqual(expected('big', () => true))
    lister.close()
  })

  it('knows nothing of what is left out, is gone, or is no directory', () => {
    const lister = make()
    for (const path of ['data', 'data/x', 'node_modules/x', 'absent', 'a/f', 'a/link', 'a/absent/deeper'])
      expect([path, lister.list(bytes(path))]).toEqual([path, null])
    expect(lister.observe(bytes('data'), bytes('x'))).toBeNull()
    expect(lister.observe(bytes('a'), bytes('g.o'))).toBeNull()
    expect(lister.observe(bytes(''), bytes('node_modules'))).toBeNull()
    expect(lister.observe(bytes('absent'), bytes('x'))).toBeNull()
    lister.close()
  })

  it('describes single entries, and says when there is none', () => {
    const lister = make()
    const all = expected('a/b', () => true)
    const found = lister.observe(bytes('a/b'), bytes('keep.o'))!
    expect(rows(found.entries)).toEqual(all.filter(({ path }) => path === 'keep.o'))
    expect(found.parentRef).toEqual(lister.list(bytes('a/b'))!.ref)
    expect(lister.observe(bytes('a/b'), bytes('nothing'))!.entries.count).toBe(0)
    expect(lister.observe(bytes(''), bytes('a'))!.entries.kind[0]).toBe(Kind.directory)
    lister.close()
  })

  it('follows a change of an ignore file once it is told', () => {
    const lister = make()
    const listed = () => rows(lister.list(bytes('a'))!.entries).map(({ path }) => path)
    const before = listed()
    renameSync(join(root, '.hotpathignore'), join(root, 'other'))
    expect(listed()).toEqual(before)
    lister.exclusion.forget(bytes(''))
    expect(listed()).toContain('g.o')
    renameSync(join(root, 'other'), join(root, '.hotpathignore'))
    lister.close()
  })

  it('leaves no descriptor open', () => {
    const before = readdirSync('/proc/self/fd').length
    const lister = make()
    for (const path of ['a', 'a/b', 'absent', 'a/f']) lister.list(bytes(path))
    lister.observe(bytes('a'), bytes('f'))
    lister.close()
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })
})

it('gives every directory the ref that a scan gives it', async () => {
  const lister = new DirectoryLister({ root })
  const reader = new BatchReader()
  for await (const batch of walkTree({ root })) reader.add(batch)
  const directories = reader.entries.filter(({ kind }) => kind === Kind.directory)
  expect(directories.length).toBeGreaterThan(5)
  for (const { path, ref } of directories) {
    const inside = path.slice(basename(root).length + 1)
    const listed = lister.list(bytes(inside))!.ref
    expect(`${(BigInt(listed.high) << 32n) | BigInt(listed.low)}:${listed.birth}`).toBe(ref)
  }
  lister.close()
})
