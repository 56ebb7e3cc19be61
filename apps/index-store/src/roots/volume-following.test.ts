import { readFileSync, writeFileSync } from 'node:fs'
import { Random } from '@hotpath/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { VolumeRig, type VolumeRigOptions } from '../testing/volume-rig.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const SEQUENCES = process.env.SEED ? 1 : Number(process.env.SOAK ?? 4)
const STEPS = 30

let random: Random
let rig: VolumeRig

async function started(seed: number, options?: VolumeRigOptions): Promise<void> {
  random = new Random(seed)
  rig = new VolumeRig(random, options)
  rig.image.change(40)
  rig.image.log()
  rig.image.write()
  await rig.openStore()
  rig.startWatcher()
  expect(await rig.settle()).toBe('live')
  expectEqual()
}

function expectEqual(): void {
  expect(rig.indexed()).toEqual(rig.listed())
}

/** The journal tells all that happened, also while a scan ran. */
async function settled(): Promise<'live' | 'unwatched'> {
  for (;;) {
    rig.image.log()
    rig.image.write()
    const state = await rig.settle()
    if (rig.image.waiting === 0) return state
  }
}

afterEach(() => rig.close())

describe('a volume that is followed by its change journal', () => {
  beforeEach(() => started(SEED))

  it('is live after one scan, and covered by clocks', () => {
    expect(rig.scans).toBe(1)
    expect(rig.status).toMatchObject({ mechanism: 'journal', reason: '', losses: 0 })
    expect(rig.uncovered).toEqual([])
    expect(rig.gaps).toEqual([])
    // Some 27; of 2,500 volumes the smallest had 12.
    expect(rig.indexed().size).toBeGreaterThan(5)
  })

  it('is as the image is whenever a barrier has passed', async () => {
    for (let round = 0; round < 10; round++) {
      rig.image.change(10)
      expect(await settled()).toBe('live')
      expectEqual()
    }
    expect(rig).toMatchObject({ scans: 1, gaps: [] })
  })

  it('is gone on with by another watcher, and by another store', async () => {
    const first = rig.journal!.next
    rig.image.change(10)
    await settled()
    await expect.poll(() => rig.journal!.next).toBeGreaterThan(first)
    rig.stopWatcher()
    expect(rig.state).toBe('catching-up')
    for (const restart of [() => rig.startWatcher(), () => rig.restartStore(false), () => rig.restartStore(true)]) {
      rig.image.change(30)
      rig.image.log()
      rig.image.write()
      await restart()
      expect(await settled()).toBe('live')
      expectEqual()
    }
    expect(rig).toMatchObject({ scans: 1, gaps: [] })
  })

  it('shows what is moved with a directory at its new place, by rows of the directory alone', async () => {
    // The largest may be small, once in some thousand volumes: then there are more changes first.
    let rows = rig.toldRows
    let directory = rig.image.moveLargest()
    for (; directory.below <= 2; directory = rig.image.moveLargest()) {
      rig.image.change(20)
      await settled()
      rows = rig.toldRows
    }
    expect(await settled()).toBe('live')
    expectEqual()
    // Itself twice at most (by its name, as a place), and the directories above it.
    expect(rig.toldRows - rows).toBeLessThan(directory.below + 8)
    expect(rig.scans).toBe(1)
  })

  it('shows what has lost its directory below what stands for that, without a scan', async () => {
    const orphans = () => [...rig.listed().keys()].filter(path => path.startsWith('image/<orphaned>/'))
    for (let i = 0; i < 3; i++) rig.image.table.loseDirectory()
    expect(await settled()).toBe('live')
    // What stands for the directory, and what was in it.
    expect(orphans().length).toBeGreaterThan(1)
    expectEqual()
    for (let i = 0; i < 5; i++) {
      rig.image.change(20)
      expect(await settled()).toBe('live')
      expectEqual()
    }
    expect(rig).toMatchObject({ scans: 1, gaps: [] })
  })

  const losses: Record<string, () => void> = {
    'given another id': () => rig.image.restamp(),
    'begun anew': () => rig.image.create(),
    damaged: () => {
      rig.image.append(Array.from({ length: 200 }, () => ({ record: 5, sequence: 5, reasons: 1, name: 'n' })))
      rig.image.damage()
    },
  }
  it.each(Object.keys(losses))('is scanned when its journal is %s, and that is told', async loss => {
    const states = new Set<string>()
    rig.duringScan = () => void states.add(rig.state)
    rig.image.change(20)
    losses[loss]()
    expect(await settled()).toBe('live')
    expectEqual()
    expect([...states]).toEqual(['repairing'])
    expect(rig).toMatchObject({ scans: 2, gaps: ['loss'] })
    expect(rig.status.losses).toBe(1)
  })

  it('is scanned when its journal has given back what nobody had read', async () => {
    rig.stopWatcher()
    for (let i = 0; i < 8; i++) {
      rig.image.change(30)
      rig.image.log()
    }
    while (rig.image.firstUsn <= (rig.journal?.next ?? 0)) {
      rig.image.change(30)
      rig.image.log()
      rig.image.trim()
    }
    rig.image.write()
    rig.startWatcher()
    expect(await settled()).toBe('live')
    expectEqual()
    expect(rig).toMatchObject({ scans: 2, gaps: ['loss'] })
  })

  it('is scanned when it is an older copy', async () => {
    const older = readFileSync(rig.image.path)
    const before = rig.listed()
    rig.image.change(30)
    await settled()
    expectEqual()
    writeFileSync(rig.image.path, older)
    expect(await rig.settle()).toBe('live')
    expect(rig.indexed()).toEqual(before)
    expect(rig).toMatchObject({ scans: 2, gaps: ['loss'] })
  })

  it('is scanned when changes were lost on their way', async () => {
    rig.image.change(10)
    await rig.loseChanges()
    expect(await settled()).toBe('live')
    expectEqual()
    expect(rig).toMatchObject({ scans: 2, gaps: ['loss'] })
  })

  it.each([
    ['deleted', () => rig.image.delete()],
    ['being deleted', () => rig.image.deactivate()],
  ] as const)('is scanned once more and then unwatched while its journal is %s', async (_, act) => {
    rig.image.change(20)
    act()
    expect(await settled()).toBe('unwatched')
    expectEqual()
    expect(rig.status).toMatchObject({ mechanism: 'none', reason: 'it has no change journal' })
    expect(rig.uncovered).toEqual(['volume'])
    expect(rig).toMatchObject({ scans: 2, gaps: ['loss'] })
    rig.image.change(20)
    rig.image.create()
    expect(await settled()).toBe('live')
    expectEqual()
  })
})

it('what happens while a volume is scanned before a watcher comes is told from where the scan began', async () => {
  random = new Random(SEED)
  rig = new VolumeRig(random)
  rig.image.change(40)
  rig.image.log()
  rig.image.write()
  let isWatched = false
  rig.duringScan = () => {
    rig.image.change(10)
    rig.image.log()
    rig.image.write()
    if (isWatched) return
    isWatched = true
    rig.startWatcher()
  }
  await rig.openStore({ absenceMs: 1 })
  // It is waited for one that goes: then the scan begins without.
  rig.startWatcher()
  rig.stopWatcher()
  await expect.poll(() => rig.scans).toBe(1)
  expect(await settled()).toBe('live')
  expectEqual()
  expect(rig.scans).toBe(1)
})

describe.each([
  ['', {}],
  [', streams, too', { streams: true }],
  [', and what has lost its directory', { streams: true, orphans: true }],
] as const)('after any sequence of journal states the index equals a fresh read of the image%s', (_, options) => {
  it.each(Array.from({ length: SEQUENCES }, (_, i) => SEED + i))('SEED=%i', { timeout: 60_000 }, async seed => {
    await started(seed, options)
    const { image } = rig
    rig.duringScan = () => {
      if (random.below(3) > 0) return
      image.change(random.below(10))
      image.log(random.below(20))
      image.write()
    }
    for (let step = 0; step < STEPS; step++) {
      image.change(random.below(25))
      const roll = random.below(100)
      if (roll < 30) image.log()
      else if (roll < 45) image.log(random.below(10))
      else if (roll < 52) image.trim()
      else if (roll < 57) image.restamp()
      else if (roll < 62) image.create()
      else if (roll < 66) image.delete()
      else if (roll < 68) image.deactivate()
      else if (roll < 71) image.damage()
      image.write()
      const then = random.below(100)
      if (then < 8) {
        rig.stopWatcher()
        rig.startWatcher()
      } else if (then < 14) await rig.restartStore(random.below(2) === 0)
      else if (then < 17) await rig.loseChanges()
      else if (then < 60) await new Promise(resolve => setTimeout(resolve, random.below(12)))
      else if (then < 70 && (await settled()) === 'live') expectEqual()
    }
    image.log()
    if (!image.hasJournal) image.create()
    expect(await settled()).toBe('live')
    expectEqual()
    expect(rig.uncovered).toEqual([])
  })
})
