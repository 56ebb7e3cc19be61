import { Random } from '@hotpath/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { VolumeRig } from '../testing/volume-rig.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const SEQUENCES = process.env.SEED ? 1 : Number(process.env.SOAK ?? 12)
const STEPS = 30

let random: Random
let rig: VolumeRig

async function started(seed: number): Promise<void> {
  random = new Random(seed)
  rig = new VolumeRig(random)
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
    expect(rig.indexed().size).toBeGreaterThan(10)
  })
})

describe(`after any sequence of journal states the index equals a fresh read of the image`, () => {
  it.each(Array.from({ length: SEQUENCES }, (_, i) => SEED + i))('SEED=%i', { timeout: 60_000 }, async seed => {
    await started(seed)
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
