import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancelledError, Kind } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchReader, plainWalk } from '../testing/walk-oracle.js'
import { WalkPool } from './walk-pool.js'
import { type TreeWalk, type WalkOptions, walkTree } from './walk-tree.js'

let base: string
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'scanner-walk-'))
})
// rm knows paths that are longer than the kernel takes.
afterAll(() => execFileSync('rm', ['-rf', base]))

const SOAK_TIMEOUT_MS = 1_800_000

let made = 0
function freshDirectory(): string {
  const path = join(base, `t${made++}`)
  mkdirSync(path)
  return path
}

async function walk(options: WalkOptions): Promise<{ result: BatchReader; walk: TreeWalk; batches: number }> {
  const tree = walkTree(options)
  const result = new BatchReader()
  let batches = 0
  for await (const batch of tree) {
    result.add(batch)
    batches++
  }
  expect(tree.counters().entries).toBe(result.entries.length)
  expect(tree.counters().directories).toBe(result.listings().size)
  return { result, walk: tree, batches }
}

/** A directory with what is hard about trees, but for what needs privileges. */
function nastyTree(): string {
  const root = freshDirectory()
  const at = (...parts: string[]) => join(root, ...parts)
  mkdirSync(at('empty'))
  mkdirSync(at('a/b/c/d'), { recursive: true })
  writeFileSync(at('a/file'), 'content')
  writeFileSync(at('a/b/new\nline and \u0007 bell'), '')
  writeFileSync(at('a/\u202egpj.exe'), 'x')
  for (const name of [Buffer.from([0xff, 0xfe]), Buffer.from('caf\xe9', 'latin1'), Buffer.from([0x80])])
    writeFileSync(Buffer.concat([Buffer.from(`${root}/a/b/`), name]), '')
  mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xc3, 0x28])]))
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xc3, 0x28]), Buffer.from('/inside')]), 'y')
  writeFileSync(at('n'.repeat(255)), '')
  writeFileSync(at('...'), '')
  writeFileSync(at(' '), '')
  linkSync(at('a/file'), at('hard1'))
  linkSync(at('a/file'), at('a/b/c/hard2'))
  symlinkSync('.', at('a/self'))
  symlinkSync('../..', at('a/b/up'))
  symlinkSync('nowhere', at('dangling'))
  symlinkSync(root, at('a/b/c/d/root'))
  execFileSync('mkfifo', [at('fifo')])
  for (let i = 0; i < 300; i++) mkdirSync(at('wide', `d${i}`, 'x'), { recursive: true })
  for (let i = 0; i < 300; i++) writeFileSync(at('wide', `d${i}`, 'x', `f${i}`), String(i))
  return root
}

describe.each([
  { readerMode: 'native', threads: 1 },
  { readerMode: 'native', threads: 4 },
  { readerMode: 'fs', threads: 2 },
] as const)('walkTree %j', options => {
  it('finds what a plain walk finds, with all metadata', async () => {
    const root = nastyTree()
    const { result, walk: tree } = await walk({ root, ...options })
    expect(result.entries).toEqual(plainWalk(root))
    expect(tree.counters().errors).toBe(0)
    expect(result.entries.filter(({ path }) => path.includes('hard')).map(({ ref }) => ref)).toEqual(
      Array(2).fill(result.entries.find(({ path }) => path.endsWith('a/file'))!.ref),
    )
  })

  it('tells for each directory, also an empty one, when it began to list it', async () => {
    const root = nastyTree()
    const before = monotonicMicros()
    const { result } = await walk({ root, ...options })
    const listings = result.listings()
    expect([...listings.keys()].sort()).toEqual(result.entries.filter(e => e.kind === Kind.directory).map(e => e.path))
    for (const observed of listings.values()) {
      expect(observed).toBeGreaterThanOrEqual(before)
      expect(observed).toBeLessThanOrEqual(monotonicMicros())
    }
  })

  it('applies globs, ignore files and the data directory, and does not enter what they leave out', async () => {
    const root = freshDirectory()
    for (const path of [
      'src/a.o',
      'src/a.c',
      'src/deep/keep.o',
      'node_modules/x/y',
      'data/index',
      'out/x',
      'src/out/x',
      'log/a.log',
      'log/b.txt',
    ])
      execFileSync('sh', ['-c', 'mkdir -p "$(dirname "$0")" && touch "$0"', join(root, path)])
    writeFileSync(join(root, '.hotpathignore'), '*.o\n/out\nlog/*\n!log/b.txt\n')
    writeFileSync(join(root, 'src/deep/.hotpathignore'), '!keep.o\n')
    const { result } = await walk({
      root,
      ...options,
      excludes: ['node_modules/'],
      excludedDirectories: [join(root, 'data')],
    })
    const inside = result.paths.map(path => path.slice(path.indexOf('/') + 1)).slice(1)
    expect(inside).toEqual(
      [
        '.hotpathignore',
        'log',
        'log/b.txt',
        'src',
        'src/a.c',
        'src/deep',
        'src/deep/.hotpathignore',
        'src/deep/keep.o',
        'src/out',
        'src/out/x',
      ].sort(),
    )
  })

  it('reads names only where that is asked for, with refs of directories', async () => {
    const root = nastyTree()
    const { result } = await walk({ root, ...options, namesOnly: true })
    const expected = plainWalk(root)
    expect(result.paths).toEqual(expected.map(({ path }) => path))
    expect(result.entries.every(({ size, modified }) => Number.isNaN(size) && modified === '')).toBe(true)
    expect(result.entries.map(({ kind }) => kind)).toEqual(expected.map(({ kind }) => kind))
    const directories = (entries: typeof expected) => entries.filter(e => e.kind === Kind.directory).map(e => e.ref)
    expect(directories(result.entries)).toEqual(directories(expected))
  })
})

describe('walkTree', () => {
  it(
    'agrees with a plain walk on random trees',
    async () => {
      const name = fc
        .uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 6 })
        .map(bytes => Buffer.from(bytes.map(b => (b === 0x2f ? 0x30 : b))))
      const paths = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 6 }), fc.boolean()), { maxLength: 60 })
      await fc.assert(
        fc.asyncProperty(paths, fc.integer({ min: 1, max: 3 }), async (list, threads) => {
          const root = freshDirectory()
          for (const [parts, isDirectory] of list) {
            const path = Buffer.concat([Buffer.from(root), ...parts.flatMap(part => [Buffer.from('/'), part])])
            try {
              if (isDirectory) mkdirSync(path, { recursive: true })
              else writeFileSync(path, 'x')
            } catch {
              // The name is taken, `.` or `..`, or its directory is not there: one entry less.
            }
          }
          const { result } = await walk({ root, threads })
          expect(result.entries).toEqual(plainWalk(root))
        }),
        { numRuns: process.env.SOAK ? 300 : 6 },
      )
    },
    SOAK_TIMEOUT_MS,
  )

  it('holds a directory of 100,000 files, and waits for its consumer', async () => {
    const root = freshDirectory()
    execFileSync(
      process.execPath,
      ['-e', 'for (let i = 0; i < 100_000; i++) require("fs").closeSync(require("fs").openSync("file" + i, "w"))'],
      { cwd: root },
    )
    const { result, batches } = await walk({ root })
    expect(result.paths.length).toBe(100_001)
    expect(new Set(result.paths).size).toBe(100_001)
    expect(batches).toBeGreaterThan(6)

    // While the consumer is away, the tree goes: of 8 batches only those that may be on their way have it still.
    const slow = new BatchReader()
    for await (const batch of walkTree({ root, threads: 1 })) {
      slow.add(batch)
      if (slow.paths.length > 1) rmSync(root, { recursive: true, force: true })
    }
    expect(slow.paths.length).toBeLessThan(95_000)
  })

  it('walks paths that are longer than the kernel takes', async () => {
    const root = freshDirectory()
    const component = 'x'.repeat(250)
    const script = `const fs = require('fs')
      for (let i = 0; i < 50; i++) { fs.mkdirSync('${component}'); process.chdir('${component}'); fs.writeFileSync('f' + i, '') }`
    execFileSync(process.execPath, ['-e', script], { cwd: root })
    const { result, walk: tree } = await walk({ root, threads: 3 })
    expect(tree.counters().errors).toBe(0)
    expect(result.paths.length).toBe(101)
    expect(Math.max(...result.paths.map(path => path.length))).toBeGreaterThan(12_000)
    const byFs = await walk({ root, readerMode: 'fs' })
    expect(byFs.walk.counters().errors).toBe(1)
    expect(byFs.walk.problems()[0]!.message).toMatch(/ENAMETOOLONG/)
  })

  it('survives a tree that changes under it, and reports whatever stayed', async () => {
    const root = freshDirectory()
    const stable: string[] = []
    for (let i = 0; i < 200; i++) {
      mkdirSync(join(root, `stable${i}`))
      writeFileSync(join(root, `stable${i}`, 'f'), '')
      stable.push(`stable${i}`, `stable${i}/f`)
      mkdirSync(join(root, `going${i}/sub/deep`), { recursive: true })
      writeFileSync(join(root, `going${i}/sub/f`), '')
    }
    const tree = walkTree({ root, threads: 2 })
    const result = new BatchReader()
    let step = 0
    for await (const batch of tree) {
      result.add(batch)
      if (step++ === 0)
        for (let i = 0; i < 200; i++) {
          if (i % 3 === 0) rmSync(join(root, `going${i}`), { recursive: true })
          else if (i % 3 === 1) renameSync(join(root, `going${i}/sub`), join(root, `stable${i}/moved`))
          else {
            rmSync(join(root, `going${i}/sub`), { recursive: true })
            writeFileSync(join(root, `going${i}/sub`), 'now a file')
          }
        }
    }
    expect(tree.counters().errors).toBe(0)
    const found = new Set(result.paths.map(path => path.slice(path.indexOf('/') + 1)))
    for (const path of stable) expect(found).toContain(path)
  })

  it('counts and names what may not be read, and goes on', async () => {
    const root = freshDirectory()
    mkdirSync(join(root, 'closed/inside'), { recursive: true })
    mkdirSync(join(root, 'listable'))
    writeFileSync(join(root, 'listable/known-by-name'), 'x')
    writeFileSync(join(root, 'open'), '')
    chmodSync(base, 0o755)
    chmodSync(join(root, 'closed'), 0)
    chmodSync(join(root, 'listable'), 0o444)
    const library = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)
    // Root may read everything, so the walk is made as somebody else; modules are loaded before that.
    const script = `const { walkTree } = await import(${library})
      const warm = walkTree({ root: '/proc/self/task' }); for await (const _ of warm) break
      if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534) }
      const tree = walkTree({ root: ${JSON.stringify(root)}, threads: 1 })
      const rows = []
      for await (const { entries } of tree) for (let i = 0; i < entries.count; i++)
        rows.push([Buffer.from(entries.names.subarray(entries.nameOffsets[i], entries.nameOffsets[i + 1])).toString(), entries.kind[i], Number.isNaN(entries.size[i]), entries.directory[i] > 0])
      const problems = tree.problems().map(p => [Buffer.from(p.path).toString(), p.message])
      console.log(JSON.stringify({ rows, problems, errors: tree.counters().errors }))`
    const copy = freshDirectory()
    writeFileSync(join(copy, 'run.mjs'), script)
    let output: string
    try {
      output = execFileSync(process.execPath, [join(copy, 'run.mjs')], { encoding: 'utf8' })
    } finally {
      chmodSync(join(root, 'closed'), 0o755)
      chmodSync(join(root, 'listable'), 0o755)
    }
    const { rows, problems, errors } = JSON.parse(output)
    expect(rows.slice(1).sort()).toEqual([
      ['closed', Kind.directory, false, true],
      ['known-by-name', Kind.file, true, false],
      ['listable', Kind.directory, false, true],
      ['open', Kind.file, false, false],
    ])
    expect(errors).toBe(2)
    expect(problems.sort()).toEqual([
      ['closed', expect.stringMatching(/EACCES/)],
      ['listable/known-by-name', expect.stringMatching(/EACCES/)],
    ])
  })

  it('stops when it is told to, when its loop is left, and leaves no thread and no file open', async () => {
    const root = nastyTree()
    const openFiles = () => readdirSync('/proc/self/fd').length
    const threadCount = () => readdirSync('/proc/self/task').length
    await walk({ root })
    const [files, threads] = [openFiles(), threadCount()]
    for (let i = 0; i < 3; i++) {
      const controller = new AbortController()
      const cancelled = (async () => {
        for await (const _ of walkTree({ root, signal: controller.signal })) controller.abort()
      })()
      await expect(cancelled).rejects.toThrow(CancelledError)
      const already = AbortSignal.abort()
      await expect(walk({ root, signal: already })).rejects.toThrow(CancelledError)
      for await (const _ of walkTree({ root, threads: 3 })) break
      let count = 0
      for await (const _ of walkTree({ root, threads: 3 })) if (count++ === 1) break
    }
    expect(openFiles()).toBe(files)
    expect(threadCount()).toBe(threads)
  })

  it('uses the threads of a pool for one walk after the other, and for several at a time', async () => {
    const root = nastyTree()
    const expected = plainWalk(root)
    const pool = new WalkPool()
    const threadCount = () => readdirSync('/proc/self/task').length
    const before = threadCount()
    pool.warm(2)
    for (let i = 0; i < 3; i++) expect((await walk({ root, pool, threads: 2 })).result.entries).toEqual(expected)
    expect(threadCount()).toBe(before + 2)
    const controller = new AbortController()
    const cancelled = async () => {
      for await (const _ of walkTree({ root, pool, signal: controller.signal })) controller.abort()
    }
    const [first, second] = await Promise.all([
      walk({ root, pool }),
      walk({ root, pool, threads: 1 }),
      expect(cancelled()).rejects.toThrow(CancelledError),
    ])
    for (const { result } of [first, second]) expect(result.entries).toEqual(expected)
    await pool.close()
    expect(threadCount()).toBe(before)
    await expect(walk({ root, pool })).rejects.toThrow(/have ended/)
  })

  it('names the root, its prefix and its volume', async () => {
    const root = freshDirectory()
    writeFileSync(join(root, 'x'), '')
    symlinkSync(root, join(base, 'alias'))
    const viaAlias = await walk({ root: join(base, 'alias') })
    expect(Buffer.from(viaAlias.walk.prefix).toString()).toBe(`${base}/`)
    expect(viaAlias.result.paths).toEqual(['alias', 'alias/x'])
    expect(viaAlias.walk.volume).toBe(walkTree({ root }).volume)
    const slash = walkTree({ root: '/', excludes: ['*'] })
    const result = new BatchReader()
    for await (const batch of slash) result.add(batch)
    expect([slash.path, slash.prefix.length, result.paths]).toEqual(['/', 0, ['']])
    expect(() => walkTree({ root: join(base, 'absent') })).toThrow(/ENOENT/)
    expect(() => walkTree({ root: join(root, 'x') })).toThrow(/ENOTDIR/)
  })

  it('takes the root of a pseudo file system as an entry and says why there is nothing in it', async () => {
    const { result, walk: tree } = await walk({ root: '/proc' })
    expect(result.paths).toEqual(['proc'])
    expect(tree.problems()[0]!.message).toMatch(/proc/)
  })
})

/** Whether this process may mount things (in a mount namespace of its own). */
const canMount = (() => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** Walks `root` in a mount namespace after `setup`; gives paths below the root and their refs. */
function walkMounted(setup: string, root: string, options: Partial<WalkOptions> = {}) {
  const library = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)
  const script = `const { walkTree } = await import(${library})
    const paths = new Map([[0, '']]), rows = []
    const tree = walkTree(${JSON.stringify({ root, ...options })})
    for await (const { entries, listedDirectory } of tree) for (let i = 0; i < entries.count; i++) {
      const name = Buffer.from(entries.names.subarray(entries.nameOffsets[i], entries.nameOffsets[i + 1])).toString()
      const path = entries.parent[i] === 0 ? '' : paths.get(entries.parent[i]) + '/' + name
      if (entries.directory[i]) paths.set(entries.directory[i], path)
      rows.push([path, [entries.ref.low[i], entries.ref.high[i], entries.ref.birth[i]].join(':')])
    }
    console.log(JSON.stringify({ rows: rows.sort(), errors: tree.counters().errors }))`
  const file = join(freshDirectory(), 'run.mjs')
  writeFileSync(file, script)
  const output = execFileSync('unshare', ['-m', 'sh', '-ec', `${setup}\nexec ${process.execPath} ${file}`], {
    encoding: 'utf8',
    cwd: root,
  })
  return JSON.parse(output) as { rows: [string, string][]; errors: number }
}

describe.runIf(canMount)('walkTree over mounts', () => {
  it.each([{ readerMode: 'native' }, { readerMode: 'fs' }] as const)(
    'indexes what bind mounts repeat once, the real place first %j',
    options => {
      const root = freshDirectory()
      mkdirSync(join(root, 'z-real/sub'), { recursive: true })
      writeFileSync(join(root, 'z-real/sub/f'), '')
      for (const name of ['a-bind', 'loop', 'other']) mkdirSync(join(root, name))
      const outside = freshDirectory()
      writeFileSync(join(outside, 'from-outside'), '')
      const { rows } = walkMounted(
        `mount --bind z-real a-bind; mount --bind . loop; mount --bind ${outside} other`,
        root,
        { ...options, threads: 2 },
      )
      const paths = rows.map(([path]) => path)
      expect(paths).toEqual([
        '',
        '/a-bind',
        '/loop',
        '/other',
        '/other/from-outside',
        '/z-real',
        '/z-real/sub',
        '/z-real/sub/f',
      ])
      // Two places never have the same ref: a ref of a directory stands for one place.
      expect(new Set(rows.map(([, ref]) => ref)).size).toBe(rows.length)
    },
  )

  it('enters a bind mount of a directory above the root, but not the root in it again', () => {
    const above = freshDirectory()
    const root = join(above, 'root')
    mkdirSync(join(root, 'm'), { recursive: true })
    writeFileSync(join(above, 'beside'), '')
    const { rows } = walkMounted(`mount --bind ${above} m`, root)
    expect(rows.map(([path]) => path)).toEqual(['', '/m', '/m/beside', '/m/root'])
    expect(new Set(rows.map(([, ref]) => ref)).size).toBe(rows.length)
  })

  it('leaves other file systems alone unless it is asked to cross, and pseudo file systems always', () => {
    const root = freshDirectory()
    for (const name of ['t1', 't2', 'p']) mkdirSync(join(root, name))
    const setup =
      'mount -t tmpfs tmpfs t1; mount -t tmpfs tmpfs t2; mkdir t1/d t2/d; touch t1/d/f t2/d/f; mount -t proc proc p'
    const stay = walkMounted(setup, root)
    expect(stay.rows.map(([path]) => path)).toEqual(['', '/p', '/t1', '/t2'])
    const cross = walkMounted(setup, root, { crossDevices: true })
    expect(cross.rows.map(([path]) => path)).toEqual(['', '/p', '/t1', '/t1/d', '/t1/d/f', '/t2', '/t2/d', '/t2/d/f'])
    // The two have the same inode numbers.
    expect(new Set(cross.rows.map(([, ref]) => ref)).size).toBe(cross.rows.length)
  })
})

it('finds the tree of this package itself, root included', async () => {
  const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '')
  const { result } = await walk({ root })
  expect(result.paths).toContain('src/walk/walk-tree.test.ts')
  expect(lstatSync(root).isDirectory()).toBe(true)
})
