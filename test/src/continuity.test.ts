import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { System } from './system.js'
import { makeTree, walk } from './tree.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const ENTRIES = process.env.SOAK === '1' ? 200_000 : 3_000

describe('an index that is there already', () => {
  let system: System | undefined
  let folder = ''

  afterEach(async () => {
    await system?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What the store has begun to read, as its log says. */
  function begun(): string[] {
    const log = readFileSync(join(system!.dataDir, 'logs/index-store.log'), 'utf8')
    return log
      .split('\n')
      .filter(line => /"event":"(scan|check) starts"/.test(line))
      .map(line => JSON.parse(line) as { event: string; mode?: string; reason?: string })
      .map(({ event, mode, reason }) => `${event} ${mode ?? reason}`)
  }

  async function expectEqualToWalk(root: string): Promise<void> {
    await system!.settled()
    await system!.client.clock()
    const found = await system!.listing()
    const text = (entries: typeof found) =>
      [...entries].map(([path, entry]) => `${path} ${JSON.stringify(entry)}`).sort()
    expect(text(found), `seed ${SEED}\n${system!.log}`).toEqual(text(walk(root)))
  }

  it('is neither scanned nor checked when the watcher or the store was killed, and checked after a time without them', async () => {
    folder = mkdtempSync(join(tmpdir(), 'hotpath-tree-'))
    const root = join(folder, 'root')
    mkdirSync(root)
    makeTree(root, ENTRIES, SEED)
    const flags = ['--root', root, '--verify-rate', '0']
    system = await System.start(flags)
    await expectEqualToWalk(root)
    expect(begun()).toEqual(['scan starts first'])
    let made = 0
    const change = (): void => {
      const directory = join(root, `made-${made++}`)
      mkdirSync(directory)
      for (let i = 0; i < 30; i++) writeFileSync(join(directory, `file-${i}`), 'x'.repeat(i))
      rmSync(join(directory, 'file-3'))
      appendFileSync(join(directory, 'file-4'), 'more')
      renameSync(directory, `${directory}-renamed`)
      if (made > 2) rmSync(join(root, `made-${made - 3}-renamed`), { recursive: true })
    }
    // What a watcher without fanotify had read goes with it.
    const [status] = (await system.client.status()).roots
    const killed = status?.mechanism === 'fanotify' ? (['watcher', 'store', 'watcher'] as const) : (['store'] as const)
    for (const stage of killed) {
      change()
      const pid = system.kill(stage)
      change()
      await system.restarted(stage, pid)
      await expectEqualToWalk(root)
      expect(begun(), `${stage}, seed ${SEED}`).toEqual(['scan starts first'])
    }
    const { dataDir } = system
    expect(await system.stop(true)).toBe(0)
    change()
    system = await System.start(flags, dataDir)
    await expectEqualToWalk(root)
    expect(begun()).toEqual(['scan starts first', 'check starts directories', 'check starts full'])
  })
})
