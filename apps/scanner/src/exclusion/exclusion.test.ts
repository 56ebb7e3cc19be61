import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExclusionRules, joinText } from './exclusion-rules.js'
import { IGNORE_FILE_NAME, IgnoreScope, scopeOfChain } from './ignore-scope.js'
import { PathExclusion } from './path-exclusion.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const rules = (excludes: string[], directories: string[] = [], root = '/home/me') =>
  new ExclusionRules({ root: bytes(root), excludes, directories })

function excluded(of: ExclusionRules, path: string, scope: IgnoreScope | null = null): boolean {
  const isDirectory = path.endsWith('/')
  const plain = isDirectory ? path.slice(0, -1) : path
  const slash = plain.lastIndexOf('/')
  return of.excludes(scope, bytes(plain.slice(0, Math.max(0, slash))), bytes(plain.slice(slash + 1)), isDirectory)
}

describe('ExclusionRules', () => {
  it.each([
    ['*.o', ['a.o', 'x/y/.o', 'x/b.o/'], ['a.oo', 'o']],
    ['node_modules', ['node_modules/', 'a/b/node_modules/', 'node_modules'], ['node_modules2/', 'a/my_node_modules/']],
    ['.git/', ['.git/', 'a/.git/'], ['.git', 'a/.gitignore']],
    ['build/out', ['build/out', 'build/out/'], ['x/build/out', 'build/out2']],
    ['**/build/out', ['build/out', 'x/y/build/out/'], ['build/x/out']],
    ['/home/me/tmp', ['tmp', 'tmp/'], ['x/tmp', 'tmp2']],
    ['/home/*/tmp/', ['tmp/'], ['tmp']],
    ['!a', ['!a'], ['a', 'b']],
    ['Foo', ['Foo'], ['foo']],
    ['{a,b}?', ['a1', 'bx'], ['a', 'c1', 'a12']],
  ])('%s leaves out %j and not %j', (glob, out, kept) => {
    for (const path of out) expect([path, excluded(rules([glob]), path)]).toEqual([path, true])
    for (const path of kept) expect([path, excluded(rules([glob]), path)]).toEqual([path, false])
  })

  it('leaves out the data directory where it lies in the root, and nothing of like name', () => {
    const of = rules([], ['/home/me/.local/share/hotpath', '/var/x', '/home/melon', '/home/me'])
    expect(of.hasRules).toBe(true)
    expect(excluded(of, '.local/share/hotpath/')).toBe(true)
    expect(excluded(of, 'hotpath/')).toBe(false)
    expect(excluded(of, 'x/')).toBe(false)
    expect(excluded(of, 'lon/')).toBe(false)
    expect(excluded(rules([], ['/data'], '/'), 'data/')).toBe(true)
    expect(rules([], ['/elsewhere']).hasRules).toBe(false)
  })

  it('refuses what is no glob', () => {
    for (const glob of ['', '/', '//']) expect(() => rules([glob])).toThrow(/exclude/)
  })

  it('matches paths below / as absolute', () => expect(excluded(rules(['/etc'], [], '/'), 'etc/')).toBe(true))
})

describe('IgnoreScope', () => {
  it('lets the innermost file that speaks decide', () => {
    const outer = new IgnoreScope(null, '', '*.log\nbuild/\n!keep.log\n')
    const inner = new IgnoreScope(outer, 'sub', '!*.log\n/only-here\nkeep.log')
    const none = rules([])
    expect(excluded(none, 'a.log', outer)).toBe(true)
    expect(excluded(none, 'keep.log', outer)).toBe(false)
    expect(excluded(none, 'build/', outer)).toBe(true)
    expect(excluded(none, 'build', outer)).toBe(false)
    expect(excluded(none, 'sub/a.log', inner)).toBe(false)
    expect(excluded(none, 'sub/keep.log', inner)).toBe(true)
    expect(excluded(none, 'sub/only-here', inner)).toBe(true)
    expect(excluded(none, 'sub/x/only-here', inner)).toBe(false)
    expect(excluded(none, 'sub/build/', inner)).toBe(true)
  })

  it('does not apply to what is below a directory that an inner file let in again', () => {
    const outer = new IgnoreScope(null, '', 'a/build\n')
    const inner = new IgnoreScope(outer, 'a', '!build\n')
    expect(excluded(rules([]), 'a/build/', inner)).toBe(false)
    expect(excluded(rules([]), 'a/build/x', inner)).toBe(false)
  })

  it('gives the same answers after it was asked many times, and in another thread', () => {
    const scope = new IgnoreScope(new IgnoreScope(null, '', '*.tmp'), 'd', '!a.tmp')
    const copy = scopeOfChain(structuredClone(scope.chain()))!
    for (let i = 0; i < 10_000; i++) expect(scope.excludes(`d/${i}.tmp`, false)).toBe(true)
    for (const of of [scope, copy]) {
      expect(of.excludes('d/a.tmp', false)).toBe(false)
      expect(of.excludes('d/b.tmp', false)).toBe(true)
    }
    expect(scopeOfChain([])).toBeNull()
  })
})

describe('PathExclusion', () => {
  it('applies the rules of every directory on the way', () => {
    const files = new Map([
      ['', '*.o\n'],
      ['a', '!x.o\nsecret/\n'],
    ])
    const paths = new PathExclusion(
      rules(['cache/']),
      directory => files.get(Buffer.from(directory).toString()) ?? null,
    )
    const ask = (path: string) => paths.excludes(bytes(path.replace(/\/$/, '')), path.endsWith('/'))
    expect(ask('')).toBe(false)
    expect(ask('x.o')).toBe(true)
    expect(ask('a/x.o')).toBe(false)
    expect(ask('a/b/x.o')).toBe(false)
    expect(ask('a/secret/deep/file')).toBe(true)
    expect(ask('cache/file')).toBe(true)
    expect(ask('cache')).toBe(false)
    files.set('a', '')
    expect(ask('a/x.o')).toBe(false)
    paths.forget(bytes('a'))
    expect(ask('a/x.o')).toBe(true)
    files.delete('')
    paths.forget(bytes(''))
    expect(ask('x.o')).toBe(false)
  })

  it('a directory that is let in again further in lets in only what no rule names by itself', () => {
    const texts = new Map([
      ['', 'a/**\nlogs\n!kept\n'],
      ['a', '!*/\n'],
      ['b', '!logs/\n'],
    ])
    const paths = new PathExclusion(rules([]), directory => texts.get(Buffer.from(directory).toString()) ?? null)
    const ask = (path: string) => paths.excludes(bytes(path.replace(/\/$/, '')), path.endsWith('/'))
    // The rule names all that is below `a`, in whatever directory.
    expect([ask('a/x/'), ask('a/x/file'), ask('a/x/*[y] \n/'), ask('a/x/*[y] \n/file')]).toEqual([
      false,
      true,
      false,
      true,
    ])
    expect([ask('a/x/kept'), ask('a/x/*[y] \n/kept')]).toEqual([false, false])
    // The rule names the directory alone.
    expect([ask('logs/'), ask('b/logs/'), ask('b/logs/file'), ask('b/logs/logs'), ask('b/logs/x/')]).toEqual([
      true,
      false,
      false,
      true,
      false,
    ])
  })

  // But for one thing: `?` is a character here and a byte in git.
  it('agrees with git about ignore files', () => {
    const dir = mkdtempSync(join(tmpdir(), 'scanner-ignore-'))
    try {
      execFileSync('git', ['init', '-q'], { cwd: dir })
      const names = ['a', 'b', 'c.o', 'build', 'x y', '#z', 'éé']
      const pattern = fc.constantFrom(
        ...[
          'a',
          '/b',
          'b/',
          '*.o',
          '!a',
          '!*.o',
          'a/b',
          '**/c.o',
          'a/**',
          '?',
          'build/',
          '!build/',
          'x\\ y',
          '\\#z',
          'éé',
          '# note',
          '',
        ],
      )
      const layout = fc.record({
        paths: fc.uniqueArray(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }), {
          maxLength: 12,
          selector: p => p.join('/'),
        }),
        ignores: fc.array(fc.tuple(fc.constantFrom('', 'a', 'a/b', 'build'), fc.array(pattern, { maxLength: 4 })), {
          maxLength: 3,
        }),
      })
      fc.assert(
        fc.property(layout, ({ paths, ignores }) => {
          const tree = mkdtempSync(join(dir, 't'))
          const files: string[] = []
          const directories = new Set<string>()
          for (const parts of paths) {
            const path = parts.join('/')
            if (files.some(file => path === file || path.startsWith(`${file}/`)) || directories.has(path)) continue
            for (let i = 1; i < parts.length; i++) directories.add(parts.slice(0, i).join('/'))
            files.push(path)
            mkdirSync(join(tree, dirname(path)), { recursive: true })
            writeFileSync(join(tree, path), '')
          }
          const texts = new Map<string, string>()
          for (const [base, lines] of ignores) {
            if (base !== '' && !directories.has(base)) continue
            texts.set(base, lines.join('\n'))
            writeFileSync(join(tree, base, '.gitignore'), lines.join('\n'))
          }
          const exclusion = new PathExclusion(rules([]), d => texts.get(Buffer.from(d).toString()) ?? null)
          const listed = execFileSync(
            'git',
            ['-c', 'core.quotepath=false', 'ls-files', '-o', '-z', '--exclude-per-directory=.gitignore'],
            {
              cwd: tree,
              encoding: 'utf8',
            },
          )
          const kept = listed
            .split('\0')
            .filter(path => path !== '' && !path.endsWith('.gitignore'))
            .sort()
          expect(files.filter(path => !exclusion.excludes(bytes(path), false)).sort()).toEqual(kept)
        }),
        { numRuns: process.env.SOAK ? 1000 : 40 },
      )
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }, 1_800_000)
})

it('joins paths', () => {
  expect([joinText('', 'a'), joinText('a', 'b')]).toEqual(['a', 'a/b'])
  expect(IGNORE_FILE_NAME).toBe('.hotpathignore')
})
