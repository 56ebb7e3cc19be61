import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type StageName, System } from './system.js'
import { firstDifference, makeTree, TreeChanger, walk } from './tree.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const LONG = process.env.SOAK === '1'
const ENTRIES = LONG ? 200_000 : 6_000
const STAGES: readonly StageName[] = ['scanner', 'watcher', 'store', 'gateway']

describe('four processes', () => {
  const folders: string[] = []
  const systems: System[] = []

  afterEach(async () => {
    for (const system of systems.splice(0)) await system.stop()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  function tree(): string {
    const folder = mkdtempSync(join(tmpdir(), 'hotpath-tree-'))
    folders.push(folder)
    const root = join(folder, 'root')
    mkdirSync(root)
    makeTree(root, ENTRIES, SEED)
    return root
  }

  async function start(flags: readonly string[], dataDir?: string): Promise<System> {
    const system = await System.start(flags, dataDir)
    systems.push(system)
    return system
  }

  /** The index equals a fresh walk, once the barrier says that everything is in it. */
  async function expectEqualToWalk(system: System, root: string, label: string): Promise<void> {
    await system.settled()
    let difference: unknown
    try {
      await system.until('equal to a walk', 30_000, async () => {
        await system.client.clock()
        const expected = walk(root)
        const found = await system.listing()
        difference = firstDifference(expected, found)
        return difference === undefined
      })
    } catch (error) {
      throw new Error(`${label}: ${JSON.stringify(difference)} ${error}`)
    }
  }

  it('index a tree, follow its changes, and are there again after a restart', async () => {
    const root = tree()
    const first = await start(['--root', root])
    await expectEqualToWalk(first, root, `seed ${SEED}`)
    const changer = new TreeChanger(root, SEED)
    for (let i = 0; i < 300; i++) changer.step()
    await expectEqualToWalk(first, root, `seed ${SEED} after changes`)
    const { dataDir } = first
    systems.splice(systems.indexOf(first), 1)
    expect(await first.stop(true)).toBe(0)
    const second = await start(['--root', root, '--no-scan', '--no-watch'], dataDir)
    expect(firstDifference(walk(root), await second.listing())).toBeUndefined()
  })

  it.each(STAGES)('lose nothing when the %s is killed during a scan', async stage => {
    const root = tree()
    const system = await start(['--root', root])
    // Sources start when what answers is ready.
    while (!system.runs(stage)) await new Promise(resolve => setTimeout(resolve, 5))
    system.kill(stage)
    await expectEqualToWalk(system, root, `seed ${SEED}`)
  })

  it.each(STAGES)('lose nothing when the %s is killed during changes and queries', async stage => {
    const root = tree()
    const system = await start(['--root', root])
    await system.settled()
    const changer = new TreeChanger(root, SEED)
    let asking = true
    let answers = 0
    const asker = (async () => {
      while (asking) {
        try {
          await system.client.search({ query: 'readme', limit: 10 })
          answers++
        } catch (error) {
          // While a part is away, a typed refusal is the right answer.
          if (!(error instanceof Error && 'code' in error)) throw error
        }
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    })()
    for (let round = 0; round < (LONG ? 10 : 1); round++) {
      for (let i = 0; i < 100; i++) changer.step()
      const killed = system.kill(stage)
      for (let i = 0; i < 100; i++) changer.step()
      await system.restarted(stage, killed)
    }
    // Who asked while a part was away is answered again.
    const before = answers
    await expect.poll(() => answers).toBeGreaterThan(before)
    asking = false
    await asker
    await expectEqualToWalk(system, root, `seed ${SEED}`)
  })
})
