import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { System } from './system.js'

const CLI = fileURLToPath(new URL('../../apps/cli/bin/hotpath.mjs', import.meta.url))
/** The promise is a second; a machine that is busy with other tests may take longer. */
const VISIBLE_MS = 10_000

describe('opens', () => {
  let system: System
  let root: string
  let list: string

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'hotpath-opens-'))
    mkdirSync(join(root, 'deep/er'), { recursive: true })
    for (const name of ['note-a', 'note-b', 'note-c', 'note-d', 'note-e', 'deep/er/note-z']) {
      const file = join(root, `${name}.txt`)
      writeFileSync(file, name)
      // Of the same age: what was not opened stands by depth, then by name.
      utimesSync(file, 1_700_000_000, 1_700_000_000)
    }
    list = join(root, 'note-list.efu')
    const rows = ['/far/listed-1.txt', '/far/listed-2.txt', 'C:\\Users\\listed-3.txt']
    writeFileSync(list, `Filename\n${rows.map(path => `"${path}"\n`).join('')}`)
    system = await System.start(['--root', root, '--list', list])
    await system.settled()
  }, 120_000)

  afterAll(async () => {
    await system.stop()
    rmSync(root, { recursive: true, force: true })
  })

  async function http(body: object): Promise<{ status: number; reply: unknown }> {
    const token = readFileSync(join(system.dataDir, 'token'), 'latin1').trim()
    const response = await fetch(new URL('/api/open', system.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: response.status, reply: await response.json() }
  }

  async function cli(...argv: string[]): Promise<{ code: number | null; out: string }> {
    const child = spawn(process.execPath, [CLI, ...argv, '--data', system.dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, XDG_RUNTIME_DIR: '', XDG_CONFIG_HOME: join(system.dataDir, 'no-config') },
      cwd: root,
    })
    let out = ''
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString()
    })
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, out }
  }

  async function names(query: string, sort?: 'hot' | 'opened'): Promise<string[]> {
    const { hits } = await system.client.search({ query, ...(sort && { sort, descending: sort === 'opened' }) })
    return hits.map(hit => hit.name)
  }

  const first = (query: string, name: string) =>
    system.until(`${name} is first of ${query}`, VISIBLE_MS, async () => (await names(query))[0] === name)

  it('by HTTP and by the command line rank an entry first within a second', async () => {
    expect(await names('note txt')).toEqual([
      'note-a.txt',
      'note-b.txt',
      'note-c.txt',
      'note-d.txt',
      'note-e.txt',
      'note-z.txt',
    ])
    expect(await http({ path: join(root, 'note-c.txt') })).toEqual({ status: 200, reply: { recorded: true } })
    await first('note txt', 'note-c.txt')
    const [hit] = (await system.client.search({ query: 'note-e' })).hits
    for (let i = 0; i < 3; i++) expect((await http({ id: hit!.id })).status).toBe(200)
    await first('note txt', 'note-e.txt')
    // Times of opens are whole seconds.
    await new Promise(resolve => setTimeout(resolve, 1_000))
    expect((await cli('open', 'deep/er/note-z.txt')).code).toBe(0)
    await system.until(
      'note-z is opened last',
      VISIBLE_MS,
      async () => (await names('note txt', 'opened'))[0] === 'note-z.txt',
    )
    expect((await names('note txt')).slice(3)).toEqual(['note-a.txt', 'note-b.txt', 'note-d.txt'])
    expect((await system.client.search({ query: 'note-e' })).hits[0]?.hot).toBeCloseTo(3, 1)
    expect(await names('note runcount:3')).toEqual(['note-e.txt'])
    expect((await system.client.search({ query: 'note dr:today' })).total).toBe(3)
    expect((await cli('search', 'note txt', '-n', '1')).out).toBe(`${join(root, 'note-e.txt')}\n`)
  })

  it('are explained, natively, by HTTP and by the command line alike', async () => {
    const token = readFileSync(join(system.dataDir, 'token'), 'latin1').trim()
    const headers = { authorization: `Bearer ${token}` }
    const url = new URL(`/api/search?q=${encodeURIComponent('note txt')}&explain=1`, system.url)
    const asked = { query: 'note txt', explain: true }
    const explained = async () => {
      const http = (await (await fetch(url, { headers })).json()) as { hits: { path: string; rank: { hot: number } }[] }
      const printed = JSON.parse((await cli('search', 'note txt', '--explain', '--json')).out) as typeof http
      const { hits } = await system.client.search(asked)
      return [http.hits, printed.hits, hits].map(found =>
        // Heat falls from one question to the next.
        found.map(({ path, rank }) => ({ path, rank: { ...rank, hot: rank!.hot.toFixed(2) } })),
      )
    }
    const [byHttp, printed, native] = await explained()
    expect(byHttp?.map(({ path }) => path.slice(root.length + 1)).slice(0, 1)).toEqual(['note-e.txt'])
    expect(byHttp?.at(-1)).toEqual({
      path: join(root, 'note-d.txt'),
      rank: {
        hot: '0.00',
        nearness: 0,
        allTerms: true,
        place: 'start',
        characters: 10,
        depth: root.split('/').length,
      },
    })
    expect(printed).toEqual(byHttp)
    expect(native).toEqual(byHttp)
    expect((await system.client.search({ query: 'note txt' })).hits[0]?.rank).toBeUndefined()
  })

  it('of what is not indexed say so', async () => {
    expect((await http({ path: join(root, 'nothing') })).status).toBe(404)
    expect((await cli('open', 'nothing')).code).toBe(1)
  })

  it('of entries of a list count, whose nodes have no refs', async () => {
    expect(await names('listed')).toEqual(['listed-1.txt', 'listed-2.txt', 'listed-3.txt'])
    expect((await http({ path: '/far/listed-2.txt' })).status).toBe(200)
    await first('listed', 'listed-2.txt')
    const third = (await system.client.search({ query: 'listed-3' })).hits[0]!
    for (let i = 0; i < 2; i++) expect(await system.client.recordOpen({ id: third.id })).toBe(true)
    await first('listed', 'listed-3.txt')
    expect(await system.client.recordOpen({ path: 'C:\\Users\\listed-3.txt' })).toBe(true)
    await system.until(
      'it was opened three times',
      VISIBLE_MS,
      async () => (await names('listed runcount:3')).length === 1,
    )
  })

  it('go with the name when a file is saved by renaming another over it', async () => {
    writeFileSync(join(root, '.note-e.txt.swp'), 'new text')
    renameSync(join(root, '.note-e.txt.swp'), join(root, 'note-e.txt'))
    const { clock } = await system.client.clock()
    const after = await system.client.search({ query: 'note-e', minClock: clock })
    expect(after.hits[0]).toMatchObject({ name: 'note-e.txt', sizeBytes: 8 })
    await first('note txt', 'note-e.txt')
    expect(await names('note runcount:3')).toEqual(['note-e.txt'])
  })

  it('are still known after the store was killed', async () => {
    const written = () => statSync(join(system.dataDir, 'hot.db')).mtimeMs
    const before = written()
    expect((await cli('open', 'note-d.txt')).code).toBe(0)
    await system.until('note-d was opened', VISIBLE_MS, async () =>
      (await names('note runcount:1')).includes('note-d.txt'),
    )
    await system.until('that is written', VISIBLE_MS, async () => written() > before)
    await system.restarted('store', system.kill('store'))
    await system.settled()
    expect((await names('note txt'))[0]).toBe('note-e.txt')
    expect(await names('note runcount:3')).toEqual(['note-e.txt'])
    expect((await names('note runcount:1')).sort()).toEqual(['note-c.txt', 'note-d.txt', 'note-z.txt'])
    await first('listed', 'listed-3.txt')
  })

  it('are listed, and forgotten one by one', async () => {
    const listed = (await cli('opens')).out
      .trim()
      .split('\n')
      .map(line => line.split('\t'))
    const [opened, count] = listed.find(([, , path]) => path === join(root, 'note-e.txt')) ?? []
    expect(count).toBe('3')
    expect(Date.now() - Date.parse(opened ?? '')).toBeLessThan(120_000)
    expect((await cli('forget', 'note-e.txt')).code).toBe(0)
    await system.until('note-e was never opened', VISIBLE_MS, async () => (await names('note runcount:3')).length === 0)
    expect((await cli('opens', '--ndjson')).out).not.toContain('note-e.txt')
    expect((await cli('forget', 'note-e.txt')).code).toBe(1)
  })
})
