import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Hit } from '@hotpath/client'
import { randomOf } from '@hotpath/query/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { System } from './system.js'

const CLI = fileURLToPath(new URL('../../apps/cli/bin/hotpath.mjs', import.meta.url))
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const CHANGES = process.env.SOAK === '1' ? 20_000 : 400
/** A change is seen within some hundred milliseconds; a machine that is busy with other tests may take longer. */
const SEEN_MS = 20_000

describe('a search that is watched', () => {
  let system: System
  let root: string
  const children: ChildProcess[] = []

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'hotpath-watch-'))
    mkdirSync(join(root, 'sub'))
    writeFileSync(join(root, 'note-1.txt'), '1')
    system = await System.start(['--root', root])
    await system.settled()
  }, 120_000)

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  afterAll(async () => {
    await system.stop()
    rmSync(root, { recursive: true, force: true })
  })

  /** `hotpath watch …`: its lines without the root, and its end. */
  function watch(...argv: string[]) {
    const child = spawn(process.execPath, [CLI, 'watch', ...argv, '--data', system.dataDir], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, XDG_RUNTIME_DIR: '', XDG_CONFIG_HOME: join(system.dataDir, 'no-config') },
      cwd: root,
    })
    children.push(child)
    let out = ''
    let err = ''
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString()
    })
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString()
    })
    const lines = () => out.replaceAll(`${root}/`, '').split('\n').slice(0, -1)
    let told = 0
    /** What is printed next, in any order: the two names of a rename may be seen one after the other. */
    const shows = async (...expected: string[]) => {
      const since = told
      told += expected.length
      const next = () => lines().slice(since).sort()
      await expect.poll(next, { timeout: SEEN_MS, message: `${err}\n${system.log}` }).toEqual(expected.sort())
    }
    const has = (line: RegExp) =>
      expect.poll(() => out, { timeout: SEEN_MS, message: `${err}\n${system.log}` }).toMatch(line)
    return { child, shows, has, ended: once(child, 'close'), err: () => err }
  }

  it('says what is made, changed, renamed, moved with its directory and deleted, and ends at Ctrl-C', async () => {
    const { child, shows, ended, err } = watch('note', '--wait-clock', '--sort', 'name')
    await shows('note-1.txt')
    writeFileSync(join(root, 'sub/note-2.txt'), '')
    await shows('+ sub/note-2.txt')
    appendFileSync(join(root, 'note-1.txt'), 'longer')
    await shows('~ note-1.txt')
    renameSync(join(root, 'note-1.txt'), join(root, 'note-3.txt'))
    await shows('- note-1.txt', '+ note-3.txt')
    renameSync(join(root, 'sub'), join(root, 'other'))
    await shows('~ other/note-2.txt')
    renameSync(join(root, 'note-3.txt'), join(root, 'elsewhere.txt'))
    await shows('- note-3.txt')
    rmSync(join(root, 'other'), { recursive: true })
    await shows('- other/note-2.txt')
    child.kill('SIGINT')
    expect(await ended).toEqual([0, null])
    expect(err()).toBe('')
  })

  it('goes on when the gateway and the store were killed', async () => {
    const { child, has, ended } = watch('kept', '--ndjson', '--under', root)
    writeFileSync(join(root, 'kept-1'), '')
    await has(/"change":"(hit|added)".*"name":"kept-1"/)
    await system.restarted('gateway', system.kill('gateway'))
    writeFileSync(join(root, 'kept-2'), '')
    await has(/"change":"added".*"name":"kept-2"/)
    const killed = system.kill('store')
    rmSync(join(root, 'kept-1'))
    await system.restarted('store', killed)
    await has(/"change":"removed".*"name":"kept-1"/)
    writeFileSync(join(root, 'kept-3'), '')
    await has(/"change":"added".*"name":"kept-3"/)
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  it('goes on in a program whose gateway is killed, and so do its searches', async () => {
    const { client } = system
    const folder = join(root, 'program')
    mkdirSync(folder)
    writeFileSync(join(folder, 'kept-a'), '')
    const query = { query: 'kept', under: folder } as const
    const { clock } = await client.clock()
    let page: readonly Hit[] = []
    const take = ({ hits }: { readonly hits: readonly Hit[] }) => {
      page = hits
    }
    const watching = await client.live(
      { ...query, minClock: clock },
      { onHits: take, onResync: take, onChange: change => take({ hits: change.apply(page) }) },
    )
    expect(page.map(({ name }) => name)).toEqual(['kept-a'])
    await system.until('the answer is kept', SEEN_MS, async () => (await client.search(query)).cached)
    const killed = system.kill('gateway')
    // Asked while nobody is there: it is answered by the next gateway, which knows nothing of what the client has.
    const { total, cached, hits } = await client.search({ ...query, timeoutMs: SEEN_MS })
    expect([total, cached, hits.map(({ name }) => name)]).toEqual([1, false, ['kept-a']])
    writeFileSync(join(folder, 'kept-b'), '')
    await expect.poll(() => page.map(({ name }) => name).sort(), { timeout: SEEN_MS }).toEqual(['kept-a', 'kept-b'])
    // No answer of before is given where the clock says that there is more.
    writeFileSync(join(folder, 'kept-c'), '')
    expect((await client.search({ ...query, minClock: (await client.clock()).clock })).total).toBe(3)
    expect(system.pidOf('gateway')).not.toBe(killed)
    watching.close()
    await watching.ended
  })

  it('ends quietly when its reader leaves', async () => {
    writeFileSync(join(root, 'pipe-1'), '')
    const { child, ended, err } = watch('pipe', '--wait-clock')
    await once(child.stdout!, 'data')
    child.stdout!.destroy()
    writeFileSync(join(root, 'pipe-2'), '')
    expect(await ended).toEqual([0, null])
    expect(err()).toBe('')
  })

  it(`is equal to a fresh search after many changes, whatever the consumer takes (seed ${SEED})`, async () => {
    const random = randomOf(SEED)
    const folder = join(root, 'many')
    mkdirSync(folder)
    const query = { query: 'file', under: folder, limit: 1_000, sort: 'name' } as const
    let page: readonly Hit[] = []
    let clock = ''
    const pause = () => (random.chance(0.1) ? new Promise<void>(resolve => setTimeout(resolve, 300)) : undefined)
    const watching = await system.client.live(query, {
      onHits: result => {
        ;({ hits: page, clock } = result)
      },
      onChange: change => {
        page = change.apply(page)
        ;({ clock } = change)
        return pause()
      },
      onResync: result => {
        ;({ hits: page, clock } = result)
        return pause()
      },
    })
    const names = new Set<string>()
    for (let i = 0; i < CHANGES; i++) {
      const [some] = names
      const step = random.below(4)
      if (some === undefined || step < 2) {
        const name = `file-${random.below(100_000)}`
        writeFileSync(join(folder, name), 'x'.repeat(random.below(50)))
        names.add(name)
      } else if (step === 2) {
        renameSync(join(folder, some), join(folder, `${some}-r`))
        names.delete(some)
        names.add(`${some}-r`)
      } else {
        rmSync(join(folder, some))
        names.delete(some)
      }
      if (random.chance(0.05)) await new Promise(resolve => setTimeout(resolve, random.below(60)))
    }
    const looks = (hits: readonly Hit[]) =>
      JSON.stringify(hits.map(({ id, path, sizeBytes, modified }) => [id, path, sizeBytes, modified]))
    const { clock: covered } = await system.client.clock()
    await system.until('the watch has the page of a fresh search', SEEN_MS, async () => {
      const fresh = await system.client.search({ ...query, minClock: covered })
      expect(fresh.total).toBe(names.size)
      return clock === fresh.clock && looks(page) === looks(fresh.hits)
    })
    watching.close()
    await watching.ended
  })
})
