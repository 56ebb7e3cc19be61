import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeAcl, writeAcl } from '@hotpath/platform'
import { otherUserProblem } from '@hotpath/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { System } from './system.js'
import { ExpectedAnswers, type Question } from './users/expected-answer.js'
import { aclOf, makePermissionTree } from './users/permission-tree.js'
import { askAs, type SocketAnswer, type SocketRequest, type TestUser, walkAs } from './users/user-process.js'

const isRoot = process.getuid?.() === 0
if (!isRoot) console.log('answers for several users are not tested here: only root can be all of them')

const CLI = fileURLToPath(new URL('../../apps/cli/bin/hotpath.mjs', import.meta.url))
const cliProblem = otherUserProblem(CLI)
if (cliProblem !== '') console.log(`the command of another user is not tested here: ${cliProblem}`)

const ANN: TestUser = { name: 'ann', user: 54_321, groups: [54_400] }
const BOB: TestUser = { name: 'bob', user: 54_322, groups: [55_000, 54_401] }
const ROOT: TestUser = { name: 'root', user: 0, groups: [0] }
const OWNERS = { first: { user: 54_321, group: 54_401 }, second: { user: 54_323, group: 54_400 } }
const NAMED = { user: BOB.user, group: ANN.groups[0] }
/** A change of permissions is to be seen within a second; the machine may be busy. */
const SEEN_MS = 20_000

const QUERIES = [
  '',
  'report',
  'repotr',
  'unique',
  'größe md',
  'ext:gz size:>20',
  '!report',
  'mode-0 report',
  'child:report.txt',
  'childcount:>2',
  'childfilecount:0 folder:',
  'empty: folder:',
  'runcount:>0',
  'runcount:0 unique',
  'root:',
  'depth:>4',
  'regex:^inner-[0-9]+$',
  'path:nest unique',
  'len:<8',
  'u',
] as const
const SORTS = [
  'hot',
  'name',
  'path-desc',
  'size-desc',
  'modified',
  'ext',
  'opened',
  'hot-desc',
  'created-desc',
] as const

function questions(): Question[] {
  const every = QUERIES.flatMap((q, i) => [
    { q, sort: SORTS[i % SORTS.length]!, limit: 1000, offset: 0 },
    { q, sort: SORTS[(i * 5 + 3) % SORTS.length]!, limit: 7, offset: (i * 3) % 11 },
  ])
  return [
    ...every,
    { q: 'repotr', sort: 'hot', limit: 1000, offset: 0, fuzzy: true },
    { q: 'uniqe gz', sort: 'name', limit: 20, offset: 5, fuzzy: true },
    { q: 'nest report', sort: 'hot', limit: 50, offset: 0, auto: true },
    { q: 'acl', sort: 'path', limit: 1000, offset: 0, auto: true },
    ...SORTS.map(sort => ({ q: 'o', sort, limit: 40, offset: 3 })),
  ]
}

/** A third of them, for states of which the others say no more. */
const someQuestions = () => questions().filter((_, i) => i % 3 === 0)

function targetOf({ q, sort, limit, offset, fuzzy, auto }: Question): string {
  const parameters = new URLSearchParams({ q, sort, limit: String(limit), offset: String(offset) })
  if (fuzzy) parameters.set('fuzzy', 'auto')
  if (auto) parameters.set('match', 'auto')
  return `/api/search?${parameters}`
}

describe.runIf(isRoot)('answers for several users', () => {
  let folder: string
  let root: string
  let socket: string
  let system: System

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hotpath-users-'))
    chmodSync(folder, 0o755)
    root = join(folder, 'root')
    mkdirSync(root)
    mkdirSync(join(folder, 'public'))
    socket = join(folder, 'public/search.sock')
    makePermissionTree(root, OWNERS, NAMED)
    system = await System.start(['--root', root, '--users-listen', socket], join(folder, 'data'))
    await system.settled()
  })

  afterAll(async () => {
    await system?.stop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  const paths = (user: TestUser) => walkAs(user, root).map(({ path }) => path)

  /** Compares every answer with what a walk of that user says. */
  function compare(
    user: TestUser,
    everything: readonly string[],
    asked = questions(),
  ): { asked: number; seen: number } {
    const walked = walkAs(user, root)
    const expected = new ExpectedAnswers(walked)
    const answers = askAs(user, socket, asked.map(targetOf))
    const visible = new Set(walked.map(({ path }) => path))
    const hidden = everything.filter(path => !visible.has(path)).map(path => path.slice(path.lastIndexOf('/')))
    // Names that occur once.
    const hiddenNames = hidden.filter(name => /^\/(Unique-|größe-|inner-)\d/.test(name))
    for (const [i, question] of asked.entries()) {
      const { status, text } = answers[i]!
      const what = `${JSON.stringify(question)} for ${user.name}`
      expect(status, `${what}: ${text}`).toBe(200)
      const { total, fuzzyTotal, hits, fresh } = JSON.parse(text)
      expect({ total, fuzzyTotal, paths: hits.map((hit: { path: string }) => hit.path) }, what).toEqual(
        expected.of(question),
      )
      if (user === ROOT) continue
      for (const hit of hits) expect(hit.hot, what).toBe(0)
      expect(fresh).toMatchObject({ dirty: [], dirtyCount: 0 })
      const leaked = hiddenNames.filter(name => text.includes(`${name}"`) || text.includes(`${name}/`))
      expect(leaked, what).toEqual([])
    }
    expect(user === ROOT || hiddenNames.length > 50).toBe(true)
    return { asked: asked.length, seen: walked.length }
  }

  const answerOf = (user: TestUser, target: string): SocketAnswer => askAs(user, socket, [target])[0]!

  async function sees(user: TestUser, q: string, total: number): Promise<void> {
    await system.until(`${user.name} sees ${total} of ${q}`, SEEN_MS, async () => {
      const { text } = answerOf(user, `/api/search?q=${encodeURIComponent(q)}&count=1`)
      return JSON.parse(text).total === total
    })
  }

  it('are what each of them can list, whatever is asked', { timeout: 120_000 }, async () => {
    expect(statSync(socket).mode & 0o777).toBe(0o666)
    const everything = paths(ROOT)
    // What one of them opens is nobody else's business, and none of theirs.
    for (const path of everything.filter(one => /report|mode-0-|Unique-1/.test(one)).slice(0, 40)) {
      await system.client.recordOpen({ path })
    }
    await system.until('opens are ranked', SEEN_MS, async () => {
      return (await system.client.search({ query: 'runcount:>0', limit: 0 })).total >= 40
    })
    const seen = [ANN, BOB].map(user => compare(user, everything).seen)
    for (const count of seen) {
      expect(count).toBeGreaterThan(everything.length / 10)
      expect(count).toBeLessThan(everything.length * 0.9)
    }
    expect(seen[0]).not.toBe(seen[1])
    const all = answerOf(ROOT, '/api/search?q=&count=1')
    expect(JSON.parse(all.text).total).toBe(everything.length)
    expect(JSON.parse(answerOf(ROOT, '/api/search?q=runcount:%3E0&count=1').text).total).toBeGreaterThanOrEqual(40)
  })

  it('follow permissions as they change', { timeout: 120_000 }, async () => {
    const path = join(root, 'changing')
    const inner = join(path, 'inside')
    mkdirSync(inner, { recursive: true })
    writeFileSync(join(inner, 'changeling-file'), '')
    for (const user of [ANN, BOB]) await sees(user, 'changeling', 1)
    chmodSync(inner, 0o700)
    for (const user of [ANN, BOB]) await sees(user, 'changeling', 0)
    chownSync(inner, ANN.user, 0)
    await sees(ANN, 'changeling', 1)
    await sees(BOB, 'changeling', 0)
    // The mode stays as it is, with the list's mask for the group.
    chmodSync(inner, 0o750)
    chownSync(inner, 0, 0)
    for (const user of [ANN, BOB]) await sees(user, 'changeling', 0)
    writeAcl(Buffer.from(inner), encodeAcl(aclOf({ user: BOB.user, group: 1 }, 5, 5)))
    await sees(BOB, 'changeling', 1)
    await sees(ANN, 'changeling', 0)
    writeAcl(Buffer.from(inner), encodeAcl(aclOf({ user: ANN.user, group: 1 }, 5, 5)))
    await sees(ANN, 'changeling', 1)
    await sees(BOB, 'changeling', 0)
    // A move under a closed directory takes everything below with it.
    chmodSync(inner, 0o755)
    await sees(BOB, 'changeling', 1)
    renameSync(path, join(root, 'mode-0-000/changing'))
    for (const user of [ANN, BOB]) await sees(user, 'changeling', 0)
    renameSync(join(root, 'mode-0-000/changing'), path)
    for (const user of [ANN, BOB]) await sees(user, 'changeling', 1)
    // Above the root nothing is indexed or watched.
    chmodSync(folder, 0o711)
    await sees(ANN, '', 0)
    chmodSync(folder, 0o755)
    await sees(ANN, 'changeling', 1)
    const everything = paths(ROOT)
    for (const user of [ANN, BOB]) compare(user, everything, someQuestions())
  })

  it('come after the store was killed, and from segments', { timeout: 120_000 }, async () => {
    await system.client.flush()
    const everything = paths(ROOT)
    await system.restarted('store', system.kill('store'))
    await system.settled()
    for (const user of [ANN, BOB]) compare(user, everything, someQuestions())
  })

  it('are all that others can ask for', () => {
    const asked: SocketRequest[] = [
      { path: '/api/status' },
      { path: '/metrics' },
      { path: '/api/events' },
      { path: '/api/live' },
      { path: '/' },
      { path: '/api/rescan', method: 'POST' },
      { path: '/api/open', method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"path":"/x"}' },
      { path: '/api/search?q=dupe:' },
      { path: '/api/search?q=sizedupe:%20report' },
      { path: '/api/search?q=report&explain=1' },
      { path: '/api/search?q=report&viewer=0' },
      { path: '/api/search?q=%3C' },
      { path: `/api/search?q=${'%3C'.repeat(2_000)}a${'%3E'.repeat(2_000)}` },
      { path: '/api/search?q=report', headers: { origin: 'http://localhost' } },
      { path: `/api/search?q=${'x'.repeat(17_000)}` },
      { path: '/api/search?q=report', method: 'GET', headers: { 'content-length': '5' }, body: 'xxxxx' },
    ]
    expect(askAs(BOB, socket, asked).map(({ status }) => status)).toEqual([
      404, 404, 404, 404, 404, 405, 405, 400, 400, 400, 400, 400, 400, 403, 414, 413,
    ])
    const clock = answerOf(BOB, '/api/clock')
    expect(Object.keys(JSON.parse(clock.text))).toEqual(['clock'])
  })

  it.runIf(cliProblem === '')('are what the command prints where no service of their own runs', () => {
    const { user, groups } = ANN
    const { stdout, stderr, status } = spawnSync(process.execPath, [CLI, 'search', 'report', '--sort', 'path'], {
      uid: user,
      gid: groups[0],
      cwd: '/',
      encoding: 'utf8',
      env: { HOME: '/nonexistent', HOTPATH_USERS_LISTEN: socket },
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const expected = new ExpectedAnswers(walkAs(ANN, root)).of({ q: 'report', sort: 'path', limit: 1e6, offset: 0 })
    expect(stdout.trimEnd().split('\n')).toEqual(expected.paths)
  })

  it('come from an index that knew nothing of users, once it was scanned again', { timeout: 120_000 }, async () => {
    const [old, data, later] = ['old', 'old-data', 'public/later.sock'].map(name => join(folder, name)) as [
      string,
      string,
      string,
    ]
    mkdirSync(old)
    writeFileSync(join(old, 'heirloom'), '')
    const scansAfter = async (flags: readonly string[], total: number | undefined): Promise<number> => {
      const one = await System.start(['--root', old, ...flags], data)
      await one.settled()
      if (total !== undefined) {
        const { text } = askAs(BOB, later, ['/api/search?q=heirloom&count=1'])[0]!
        expect(JSON.parse(text).total).toBe(total)
      }
      await one.stop(true)
      return readFileSync(join(data, 'logs/scanner.log'), 'utf8').split('"scan commanded"').length - 1
    }
    const scans = [await scansAfter([], undefined)]
    for (let i = 0; i < 2; i++) scans.push(await scansAfter(['--users-listen', later], 1))
    expect(scans).toEqual([1, 2, 2])
  })
})
