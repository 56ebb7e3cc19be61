import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancelledError } from '@hotpath/model'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DirectoryFacts, factsOf, plainCheck, scanCheck } from '../testing/check-oracle.js'
import { CheckWalk, type CheckWalkOptions } from './check-walk.js'

let base: string
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'scanner-check-'))
})
afterAll(() => execFileSync('rm', ['-rf', base]))

const TIMEOUT_MS = 1_800_000

let made = 0
function freshDirectory(): string {
  const path = join(base, `t${made++}`)
  mkdirSync(path)
  return path
}

function options(root: string, more: Partial<CheckWalkOptions> = {}): CheckWalkOptions {
  return {
    root,
    mode: 'full',
    excludes: [],
    excludedDirectories: [],
    crossDevices: false,
    namesOnly: false,
    background: false,
    entriesPerSecond: 0,
    after: new Uint8Array(0),
    signal: new AbortController().signal,
    ...more,
  }
}

async function check(root: string, more: Partial<CheckWalkOptions> = {}) {
  const walk = new CheckWalk(options(root, more))
  const facts: DirectoryFacts[] = []
  for await (const batch of walk) facts.push(...factsOf(batch))
  expect(walk.counters.directories).toBe(facts.length)
  const counted = facts.reduce((sum, { entries }) => sum + Number(entries.split(' ')[0]), 0)
  expect(walk.counters.entries).toBe(counted)
  return { facts, skipped: walk.counters.skipped }
}

const withoutEntries = (facts: readonly DirectoryFacts[]) => facts.map(fact => ({ ...fact, entries: '' }))
const byPath = (facts: Iterable<DirectoryFacts>) => [...facts].sort((a, b) => (a.path < b.path ? -1 : 1))

/** What is hard about names, kinds and the order of paths. */
function nastyTree(): string {
  const root = freshDirectory()
  const at = (name: Buffer | string) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name)])
  for (const name of ['a', 'a/b', 'a/b/c', 'a-', 'a-/x', 'a.b', 'a0', 'empty', '...', ' ', 'new\nline'])
    mkdirSync(at(name))
  for (const bytes of [[0xff, 0xfe], [0x80], [0xc3, 0x28], [0x01]]) {
    mkdirSync(at(Buffer.from(bytes)))
    writeFileSync(at(Buffer.from([...bytes, 0x2f, ...bytes])), 'x')
  }
  writeFileSync(at('a/file'), 'content')
  linkSync(at('a/file'), at('a/b/link'))
  symlinkSync('nowhere', at('a/symlink'))
  symlinkSync(root, at('a/b/up'))
  execFileSync('mkfifo', [join(root, 'a', 'fifo')])
  utimesSync(at('a/file'), -5.5, -7.25)
  return root
}

describe('a check', () => {
  it.each([{ readerMode: 'native' }, { readerMode: 'fs' }] as const)(
    'tells what readdir and lstat tell, in the order of paths, and what the rows of a scan tell %j',
    async ({ readerMode }) => {
      const root = nastyTree()
      const { facts, skipped } = await check(root, { readerMode })
      expect(facts).toEqual(plainCheck(root))
      expect(byPath(facts)).toEqual(byPath((await scanCheck({ root, readerMode })).values()))
      expect(skipped).toBe(0)
      const names = await check(root, { readerMode, mode: 'directories' })
      expect(names.facts).toEqual(withoutEntries(plainCheck(root)))
    },
    TIMEOUT_MS,
  )

  it(
    'is right about random trees, and covers each directory once when it is taken up again anywhere',
    async () => {
      const seed = process.env.SEED === undefined ? Date.now() : Number(process.env.SEED)
      console.log(`random trees of checks: SEED=${seed}`)
      const name = fc
        .uint8Array({ minLength: 1, maxLength: 4 })
        .map(bytes => bytes.map(byte => (byte === 0x2f || byte === 0 ? 1 : byte)))
      const entry = fc.record({ path: fc.array(name, { minLength: 1, maxLength: 4 }), isDirectory: fc.boolean() })
      const tree = fc.record({
        entries: fc.array(entry, { maxLength: 30 }),
        cuts: fc.array(fc.nat(), { maxLength: 3 }),
      })
      await fc.assert(
        fc.asyncProperty(tree, async ({ entries, cuts }) => {
          const root = freshDirectory()
          for (const { path, isDirectory } of entries) make(root, path, isDirectory)
          const expected = plainCheck(root)
          const whole = (await check(root)).facts
          expect(whole).toEqual(expected)
          expect(byPath(whole)).toEqual(byPath((await scanCheck({ root })).values()))
          const mode = cuts.length % 2 === 0 ? 'full' : 'directories'
          for (const cut of cuts) {
            const at = cut % expected.length
            const after = new Uint8Array(Buffer.from(expected[at]!.path, 'latin1'))
            const rest = (await check(root, { after, mode })).facts
            const wanted = expected.slice(at + 1)
            expect(rest).toEqual(mode === 'full' ? wanted : withoutEntries(wanted))
          }
          rmSync(root, { recursive: true })
        }),
        { seed, numRuns: Number(process.env.SOAK ?? 2) },
      )
    },
    TIMEOUT_MS,
  )

  it(
    'goes on after a directory that is gone, and begins anew after one that is elsewhere',
    async () => {
      const root = nastyTree()
      const all = plainCheck(root)
      const after = (path: string) => new Uint8Array(Buffer.from(path, 'latin1'))
      const gone = await check(root, { after: after(`${root}/a/b/bb/was/here`) })
      expect(gone.facts).toEqual(all.slice(all.findIndex(({ path }) => path === `${root}/a/b/c`)))
      expect((await check(root, { after: after('/elsewhere') })).facts).toEqual(all)
      expect((await check(root, { after: after(`${root}x`) })).facts).toEqual(all)
      expect((await check(root, { after: after(root) })).facts).toEqual(all.slice(1))
      expect((await check(root, { after: after(`${root}/\xff\xff\xff`) })).facts).toEqual([])
    },
    TIMEOUT_MS,
  )

  it(
    'keeps what a scan keeps: globs, ignore files, the data directory',
    async () => {
      const root = nastyTree()
      for (const name of ['a/skipped.tmp', 'a/b/kept.tmp', 'a/data-file', 'a0/other'])
        writeFileSync(join(root, name), '')
      mkdirSync(join(root, 'data', 'inner'), { recursive: true })
      mkdirSync(join(root, 'node_modules', 'x'), { recursive: true })
      writeFileSync(join(root, '.hotpathignore'), '*.tmp\n')
      writeFileSync(join(root, 'a', 'b', '.hotpathignore'), '!*.tmp\nc/\n')
      const rules = { excludes: ['node_modules', 'a0/*'], excludedDirectories: [join(root, 'data')] }
      const left = ['a/skipped.tmp', 'a/b/c', 'a0/other', 'data', 'node_modules'].map(name => join(root, name))
      const { facts } = await check(root, rules)
      expect(facts).toEqual(plainCheck(root, path => !left.includes(path)))
      expect(byPath(facts)).toEqual(byPath((await scanCheck({ root, ...rules })).values()))
      expect((await check(root, { ...rules, mode: 'directories' })).facts).toEqual(withoutEntries(facts))
      const after = new Uint8Array(Buffer.from(join(root, 'a')))
      expect((await check(root, { ...rules, after })).facts).toEqual(
        facts.slice(facts.findIndex(({ path }) => path === join(root, 'a')) + 1),
      )
    },
    TIMEOUT_MS,
  )

  it(
    'is about names alone where scans are',
    async () => {
      const root = nastyTree()
      const { facts } = await check(root, { namesOnly: true })
      const entriesOf = (all: Iterable<DirectoryFacts>) => byPath(all).map(({ path, entries }) => ({ path, entries }))
      expect(entriesOf(facts)).toEqual(entriesOf((await scanCheck({ root, namesOnly: true })).values()))
      expect(entriesOf(facts)).not.toEqual(entriesOf(plainCheck(root)))
    },
    TIMEOUT_MS,
  )

  it(
    'looks at no file when only directories are asked for, and leaves all times of access',
    async () => {
      const root = nastyTree()
      // readdir goes through symlinks, which sets their times.
      const found = readdirSync(root, { recursive: true, encoding: 'latin1' }).filter(name => !name.includes('/up/'))
      const paths = [root, ...found.map(name => `${root}/${name}`)]
      for (const path of paths) lutimesSync(Buffer.from(path, 'latin1'), 1_000_000, 1_000_000)
      await check(root, { background: true })
      await check(root, { mode: 'directories' })
      const touched = paths.filter(path => lstatSync(Buffer.from(path, 'latin1')).atimeMs !== 1_000_000_000)
      expect(touched).toEqual([])
    },
    TIMEOUT_MS,
  )

  it(
    'counts what may not be read as skipped, tells the rest, and fails on a root that is not there',
    async () => {
      const root = nastyTree()
      await expect(check(join(root, 'absent'))).rejects.toThrow(/ENOENT/)
      await expect(check(join(root, 'a', 'file'))).rejects.toThrow(/ENOTDIR/)
      expect((await check('/proc')).skipped).toBe(1)
      chmodSync(base, 0o755)
      chmodSync(join(root, 'a', 'b'), 0)
      try {
        const { facts, skipped } = checkAsNobody(root)
        expect(skipped).toBe(1)
        const expected = plainCheck(root).map(({ path }) => path)
        expect(facts).toEqual(expected.filter(path => !path.startsWith(`${root}/a/b`)))
      } finally {
        chmodSync(join(root, 'a', 'b'), 0o755)
      }
    },
    TIMEOUT_MS,
  )

  it(
    'ends when it is cancelled, also while it sleeps, is paused or waits to be read',
    async () => {
      const root = nastyTree()
      for (const { more, pause } of [
        { more: { entriesPerSecond: 1 }, pause: false },
        { more: {}, pause: true },
      ]) {
        const stopping = new AbortController()
        const walk = new CheckWalk(options(root, { ...more, signal: stopping.signal }))
        walk.pause(pause)
        const reading = (async () => {
          for await (const batch of walk) factsOf(batch)
        })()
        setTimeout(() => stopping.abort(), 300)
        await expect(reading).rejects.toThrow(CancelledError)
      }
      const many = freshDirectory()
      for (let i = 0; i < 9_000; i++) mkdirSync(join(many, `d${i}`))
      const walk = new CheckWalk(options(many))
      for await (const batch of walk) {
        expect(batch.refs.low.length).toBeLessThanOrEqual(4096)
        break
      }
      expect((await check(many)).facts).toEqual(plainCheck(many))
    },
    TIMEOUT_MS,
  )

  it(
    'survives a tree that changes under it, and is right about what stayed',
    async () => {
      const root = freshDirectory()
      for (let i = 0; i < 300; i++) {
        mkdirSync(join(root, `stays${i}`, 'inner'), { recursive: true })
        mkdirSync(join(root, `goes${i}`, 'inner'), { recursive: true })
      }
      const expected = plainCheck(root, path => !path.includes('/goes')).slice(1)
      const walk = new CheckWalk(options(root, { entriesPerSecond: 100 }))
      const facts: DirectoryFacts[] = []
      const reading = (async () => {
        for await (const batch of walk) facts.push(...factsOf(batch))
      })()
      for (let i = 0; i < 300; i++) {
        rmSync(join(root, `goes${i}`), { recursive: true })
        if (i % 20 === 0) await new Promise(resolve => setTimeout(resolve, 5))
        mkdirSync(join(root, `new${i}`))
      }
      await reading
      expect(facts.filter(({ path }) => path.includes('/stays'))).toEqual(expected)
      expect(new Set(facts.map(({ path }) => path)).size).toBe(facts.length)
      expect(walk.counters.skipped).toBe(0)
    },
    TIMEOUT_MS,
  )
})

const canMount = (() => {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' })
    return process.getuid!() === 0
  } catch {
    return false
  }
})()

describe('a check over mounts', () => {
  if (!canMount) console.log('not tested here: checks over mounts (mount is not allowed)')

  it.runIf(canMount)(
    'tells of bind mounts and other file systems what a scan tells',
    async () => {
      const root = freshDirectory()
      const outside = freshDirectory()
      mkdirSync(join(outside, 'o', 'p'), { recursive: true })
      for (const name of ['m-file', 'real/inner/deep', 'twice', 'shown', 'tmp', 'z/late'])
        mkdirSync(join(root, name), { recursive: true })
      const mounts: string[] = []
      const mount = (...args: string[]) => {
        execFileSync('mount', args)
        mounts.push(args.at(-1)!)
      }
      try {
        mount('--bind', join(root, 'real'), join(root, 'twice'))
        mount('--bind', outside, join(root, 'shown'))
        mount('-t', 'tmpfs', 'tmpfs', join(root, 'tmp'))
        mkdirSync(join(root, 'tmp', 'within', 'it'), { recursive: true })
        writeFileSync(join(root, 'tmp', 'within', 'file'), 'x')
        for (const crossDevices of [false, true]) {
          const scanned = await scanCheck({ root, crossDevices })
          const { facts, skipped } = await check(root, { crossDevices })
          expect(byPath(facts)).toEqual(byPath(scanned.values()))
          expect(skipped).toBe(0)
          const names = (await check(root, { crossDevices, mode: 'directories' })).facts
          expect(byPath(names)).toEqual(byPath(withoutEntries([...scanned.values()])))
          // Taken up again: all but what is below bind mounts and who holds them.
          const bound = [root, join(root, 'shown'), join(root, 'twice')]
          const isBound = (path: string) =>
            path === root || bound.slice(1).some(mount => `${path}/`.startsWith(`${mount}/`))
          const ordered = facts.filter(({ path }) => !isBound(path))
          for (const [i, { path }] of ordered.entries()) {
            if (i % 3 !== 0) continue
            const rest = await check(root, { crossDevices, after: new Uint8Array(Buffer.from(path)) })
            expect(rest.facts).toEqual(ordered.slice(i + 1))
          }
        }
      } finally {
        for (const path of mounts.reverse()) execFileSync('umount', [path])
      }
    },
    TIMEOUT_MS,
  )
})

/** Root may read everything, so the check is made as somebody else; modules are loaded before that. */
function checkAsNobody(root: string): { facts: string[]; skipped: number } {
  const library = JSON.stringify(new URL('../../dist/check/check-walk.js', import.meta.url).href)
  const script = `const { CheckWalk } = await import(${library})
    const options = root => ({ ...${JSON.stringify({ ...options(root), after: undefined, signal: undefined })},
      root, after: new Uint8Array(0), signal: new AbortController().signal })
    for await (const _ of new CheckWalk(options(process.cwd()))) break
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534) }
    const walk = new CheckWalk(options(${JSON.stringify(root)}))
    const facts = []
    for await (const { pathOffsets, paths } of walk) for (let i = 0; i + 1 < pathOffsets.length; i++)
      facts.push(Buffer.from(paths.subarray(pathOffsets[i], pathOffsets[i + 1])).toString('latin1'))
    console.log(JSON.stringify({ facts, skipped: walk.counters.skipped }))`
  const directory = freshDirectory()
  const file = join(directory, 'run.mjs')
  writeFileSync(file, script)
  return JSON.parse(execFileSync(process.execPath, [file], { cwd: directory, encoding: 'utf8' }))
}

/** Makes an entry; where a part of its path is a file, or it is there already, it is left as it is. */
function make(root: string, path: readonly Uint8Array[], isDirectory: boolean): void {
  let at = Buffer.from(root)
  for (const [i, name] of path.entries()) {
    if (name.length <= 2 && name.every(byte => byte === 0x2e)) return
    at = Buffer.concat([at, Buffer.from('/'), name])
    const isLast = i === path.length - 1
    try {
      if (isLast && !isDirectory) writeFileSync(at, 'x'.repeat(name[0]!), { flag: 'wx' })
      else mkdirSync(at)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'ENOTDIR')))
        throw error
    }
  }
}
