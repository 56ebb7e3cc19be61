import { type EntryRow, Kind, Op } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import { Random } from '@hotpath/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RepairRig } from '../testing/repair-rig.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const SEQUENCES = process.env.SOAK ? Number(process.env.SOAK) : 12

let rig: RepairRig

beforeEach(() => {
  rig = new RepairRig()
  const { disk } = rig
  for (const path of ['/a', '/a/b', '/a/b/c', '/d', '/e', '/e/f']) disk.make(path)
  for (const path of ['/x', '/a/x', '/a/b/x', '/a/b/y', '/d/x', '/d/y', '/e/f/x']) disk.write(path, 5)
  disk.now += 1_000
})

afterEach(() => rig.remove())

async function live(): Promise<void> {
  await expect.poll(() => rig.state, { timeout: 10_000 }).toBe('live')
}

/** A store whose root is live, after which everything is forgotten that was counted. */
async function started(options: Parameters<RepairRig['open']>[0] = {}): Promise<void> {
  await rig.open(options)
  rig.keeper.scannerCame()
  rig.sources.watch('w/1')
  await live()
  expect(rig.difference()).toBe('')
  expect(rig.sources.scans).toBe(1)
  if (options.verify === undefined) expect(rig.sources.checks).toEqual([])
  rig.forget()
}

let watchers = 0

/** Everything ends; `happen` is what nobody sees; then everything is there again. */
async function downtime(happen: () => void | Promise<void>): Promise<void> {
  rig.disk.now += 1_000
  rig.sources.leave()
  await rig.closeStore()
  await happen()
  rig.disk.now += 1_000
  await rig.open()
  rig.keeper.scannerCame()
  rig.sources.watch(`w/later/${++watchers}`)
}

describe('nothing is read again', () => {
  it('when the store alone is started again', async () => {
    await started()
    rig.disk.write('/d/z', 1)
    await rig.closeStore()
    // What happens now the watcher remembers.
    rig.disk.write('/d/w', 1)
    await rig.open()
    rig.keeper.scannerCame()
    rig.keeper.watcherCame(rig.sources.watchers()[0])
    await live()
    await rig.sources.flush()
    expect(rig.difference()).toBe('')
    expect(rig.sources).toMatchObject({ scans: 0, checks: [] })
    expect(rig.gaps).toEqual([])
  })

  it('when the watcher alone is started again, and another one goes on where it ended', async () => {
    await started()
    rig.sources.leave({ remembers: true })
    expect(rig.state).toBe('catching-up')
    rig.disk.write('/a/new', 7)
    await expect.poll(() => rig.keeper.fresh().lagMs).toBeGreaterThan(0)
    rig.sources.watch('w/2', { continuesSource: 'w/1', continuesTerm: 1 })
    await live()
    await rig.sources.flush()
    expect(rig.difference()).toBe('')
    expect(rig.sources).toMatchObject({ scans: 0, checks: [] })
    expect(rig.gaps).toEqual([])
    // A store that starts later knows the one that follows now.
    await rig.closeStore()
    await rig.open()
    rig.keeper.scannerCame()
    rig.keeper.watcherCame(rig.sources.watchers()[0])
    await live()
    expect(rig.sources).toMatchObject({ scans: 0, checks: [] })
  })

  it('of what a source says that was replaced', async () => {
    await started()
    rig.sources.leave()
    rig.sources.watch('w/2')
    await live()
    const row: EntryRow = { kind: Kind.file, size: 1, ref: { low: 4_711, high: 0, birth: 7 } }
    const change = { op: Op.present, parentRef: rig.disk.root.ref, name: 'ghost', row, observed: 1e15 }
    await rig.sources.send([change], 'w/1', 1_000)
    expect(rig.difference()).toBe('')
    expect(rig.keeper.isReplaced('root', 'w/1')).toBe(true)
    expect(rig.keeper.isReplaced('root', 'w/2')).toBe(false)
  })
})

it('what is heard of a watcher that is gone counts for nothing', async () => {
  await started()
  const { watcher } = rig.sources
  rig.sources.leave()
  rig.sources.watcher = watcher
  const tell = () => rig.sources.tell('armed')
  rig.sources.watchers = () => []
  tell()
  expect(rig.state).toBe('catching-up')
})

it('a root whose watcher stays away is unwatched', async () => {
  await started({ absenceMs: 50 })
  rig.sources.leave()
  expect(rig.state).toBe('catching-up')
  await expect.poll(() => rig.state).toBe('unwatched')
})

describe('after a time in which nobody watched the index becomes equal to the disk without a scan', () => {
  const changes: Record<string, () => void> = {
    nothing: () => {},
    'files made, written and removed': () => {
      rig.disk.write('/a/new', 1)
      rig.disk.write('/d/x', 99)
      rig.disk.remove('/a/b/y')
    },
    'a file written in place, whose time was set back': () => rig.disk.write('/a/b/x', 77, { keepModified: true }),
    'times set back': () => rig.disk.setModified('/e/f/x', 1_000_000_000),
    'times of a directory set back': () => {
      rig.disk.write('/d/new', 1)
      rig.disk.setModified('/d', 1_600_000_000)
    },
    'directories renamed and moved': () => {
      rig.disk.rename('/a/b', '/e/moved')
      rig.disk.rename('/d', '/d2')
      rig.disk.write('/e/moved/c/deep', 3)
    },
    'trees made and removed': () => {
      for (const path of ['/n', '/n/o', '/n/o/p']) rig.disk.make(path)
      rig.disk.write('/n/o/p/file', 1)
      rig.disk.remove('/a')
    },
    'a directory replaced by another one, and by a file': () => {
      rig.disk.remove('/e/f')
      rig.disk.make('/e/f')
      rig.disk.remove('/d')
      rig.disk.write('/d', 4)
    },
    'a directory saved from one that was removed': () => {
      rig.disk.rename('/a/b/c', '/saved')
      rig.disk.remove('/a')
    },
    'the clock set back': () => {
      rig.disk.now -= 1_000_000
      rig.disk.write('/d/new', 1)
      rig.disk.remove('/a/b/x')
      rig.disk.write('/x', 1_234)
      rig.disk.now += 1_000_000
    },
  }

  it.each(Object.entries(changes))('%s', async (_, happen) => {
    await started()
    await downtime(happen)
    expect(rig.state).toBe('catching-up')
    await live()
    expect(rig.difference()).toBe('')
    expect(rig.sources).toMatchObject({ scans: 0, checks: ['directories', 'full'] })
    expect(rig.gaps).toEqual(['downtime'])
    expect(rig.counts.checked).toBeGreaterThan(5)
  })

  it('says how far it is behind, and where', async () => {
    await started()
    let open = (): void => {}
    rig.sources.gate = new Promise(resolve => {
      open = resolve
    })
    await downtime(() => {})
    await expect.poll(() => rig.sources.checks).toEqual(['directories'])
    const fresh = rig.keeper.fresh()
    expect(fresh).toMatchObject({ state: 'catching-up', dirty: 1 })
    expect(fresh.dirtySubtrees.map(path => Buffer.from(path).toString())).toEqual(['/r'])
    // The index is of the last manifest before the end, by the clock of the disk.
    expect(fresh.lagMs).toBeGreaterThan(1_000_000)
    expect(rig.keeper.uncoveredRoots()).toEqual(['root'])
    open()
    await live()
    expect(rig.keeper.fresh()).toMatchObject({ lagMs: 0, dirty: 0, dirtySubtrees: [] })
    expect(rig.keeper.uncoveredRoots()).toEqual([])
  })

  it('also where a directory changed again within one tick of its clock', async () => {
    await started()
    rig.disk.stands = true
    rig.disk.write('/d/seen', 1)
    await rig.sources.flush()
    expect(rig.difference()).toBe('')
    rig.sources.leave()
    await rig.closeStore()
    rig.disk.write('/d/unseen', 1)
    rig.disk.stands = false
    await rig.open()
    rig.keeper.scannerCame()
    rig.sources.watch('w/later')
    await expect.poll(() => rig.sources.checks).toEqual(['directories', 'full'])
    // Found by the times of directories alone: the digests have nothing to say.
    await live()
    expect(rig.difference()).toBe('')
    expect(rig.counts.wrong).toBe(0)
  })

  it('but scans where most of it is another one', async () => {
    for (let i = 0; i < 300; i++) rig.disk.make(`/e/f/${i}`)
    rig.disk.now += 1_000
    await started()
    await downtime(() => {
      for (let i = 0; i < 300; i++) rig.disk.write(`/e/f/${i}/new`, 1)
    })
    await live()
    expect(rig.difference()).toBe('')
    expect(rig.sources).toMatchObject({ scans: 1, checks: ['directories'] })
  })

  it(`whatever happened (seed ${SEED})`, async () => {
    const random = new Random(SEED)
    await started()
    for (let sequence = 0; sequence < SEQUENCES; sequence++) {
      await downtime(() => {
        for (let step = 0; step < 15; step++) randomStep(random)
      })
      await live()
      expect(rig.difference(), `seed ${SEED}, ${sequence}`).toBe('')
      for (let step = 0; step < 5; step++) randomStep(random)
      await rig.sources.flush()
      expect(rig.difference(), `seed ${SEED}, ${sequence}, followed`).toBe('')
    }
    expect(rig.sources.scans).toBe(0)
  }, 60_000)
})

function randomStep(random: Random): void {
  const { disk } = rig
  const pick = (): string => random.pick([...disk.directories().keys()]).slice('/r'.length)
  const entries = [...disk.directories()].flatMap(([path, node]) =>
    [...(node.children?.keys() ?? [])].map(name => `${path}/${name}`.slice('/r'.length)),
  )
  const to = `${pick()}/${random.pick(['x', 'y', 'z', 'w'])}`
  const from = entries.length > 0 ? random.pick(entries) : ''
  const roll = random.below(10)
  if (disk.find(to)?.children) return
  if (roll < 3) disk.write(to, random.below(1_000), { keepModified: random.chance(0.3) })
  else if (roll < 5 && !disk.find(to)) disk.make(to)
  else if (roll < 7 && from !== '' && !disk.find(to) && !`${to}/`.startsWith(`${from}/`)) disk.rename(from, to)
  else if (roll < 9 && from !== '' && entries.length > 6) disk.remove(from)
  else if (from !== '') disk.setModified(from, 1_500_000_000 + random.below(1_000))
}

describe('after a loss', () => {
  it('what differs is listed again, and the root says that it is being repaired', async () => {
    await started()
    rig.sources.stopLooking()
    rig.disk.remove('/a/b/x')
    rig.disk.write('/d/x', 55, { keepModified: true })
    rig.disk.now += 100
    rig.sources.tell('lost', { wholeUntil: Date.now() / 1_000 - 60 })
    expect(rig.state).toBe('repairing')
    expect(rig.keeper.fresh().lagMs).toBeGreaterThan(59_000)
    rig.sources.state = { ...rig.sources.state, term: 2 }
    rig.sources.tell('armed')
    expect(rig.state).toBe('repairing')
    await live()
    expect(rig.difference()).toBe('')
    expect(rig.sources).toMatchObject({ scans: 0, checks: ['directories', 'full'] })
    expect(rig.gaps).toEqual(['loss'])
    expect(rig.counts).toMatchObject({ losses: 1, wrong: 1, repaired: 1 })
  })

  it('that happened while nobody listened, the term shows it', async () => {
    await started()
    rig.sources.stopLooking()
    rig.disk.remove('/a')
    rig.sources.state = { ...rig.sources.state, term: 2 }
    rig.sources.tell('armed')
    await live()
    expect(rig.difference()).toBe('')
    expect(rig.gaps).toEqual(['loss'])
    expect(rig.counts.losses).toBe(1)
  })

  it('of a batch, which its number shows', async () => {
    await started()
    rig.sources.sequence += 3
    rig.disk.write('/d/new', 1)
    await rig.sources.flush()
    expect(rig.state).toBe('live')
    rig.sources.sequence += 3
    rig.disk.write('/d/newer', 1)
    await rig.sources.flush()
    expect(rig.state).toBe('repairing')
    await live()
    expect(rig.difference()).toBe('')
    expect(rig.gaps).toEqual(['loss'])
  })

  it('nothing is believed that was checked before it', async () => {
    await started()
    let open = (): void => {}
    rig.sources.gate = new Promise(resolve => {
      open = resolve
    })
    await downtime(() => {})
    await expect.poll(() => rig.sources.checks).toEqual(['directories'])
    rig.sources.tell('lost')
    rig.sources.state = { ...rig.sources.state, term: 2 }
    rig.sources.tell('armed')
    open()
    await live()
    expect(rig.sources.checks).toEqual(['directories', 'directories', 'full'])
    expect(rig.gaps).toEqual(['downtime', 'loss'])
  })
})

it('a check whose scanner is gone begins again with the next one', async () => {
  await started()
  let open = (): void => {}
  rig.sources.gate = new Promise(resolve => {
    open = resolve
  })
  await downtime(() => rig.disk.write('/a/b/x', 9, { keepModified: true }))
  await expect.poll(() => rig.sources.checks).toEqual(['directories'])
  rig.sources.hasScanner = false
  await rig.keeper.scannerLost('scanner-1')
  open()
  expect(rig.state).toBe('catching-up')
  rig.sources.hasScanner = true
  rig.keeper.scannerCame()
  await live()
  expect(rig.difference()).toBe('')
  expect(rig.sources.checks).toEqual(['directories', 'directories', 'full'])
})

describe('while all is live', () => {
  /** What no event tells: a bug, or a damaged page that looks like a good one. */
  function drift(): Promise<void> {
    const directory = rig.disk.find('/a/b')
    const file = directory?.children?.get('x')
    if (!directory || !file) throw new Error('the tree is another one')
    const wrong = { ...rig.disk.rowOf(file), size: 4_711 }
    const observed = monotonicMicros()
    return rig.sources.send(
      [
        { op: Op.present, parentRef: directory.ref, name: 'x', row: wrong, observed },
        { op: Op.absent, parentRef: directory.ref, name: 'y', observed },
        { op: Op.absent, parentRef: rig.disk.root.ref, name: 'e', observed },
      ],
      'drift',
      1,
    )
  }

  it('everything is compared with the disk, and what is wrong is found, counted and mended', async () => {
    await started({ verify: { rate: 500, settleMs: 10, roundMs: 10 } })
    await expect.poll(() => rig.counts.checked).toBeGreaterThan(20)
    expect(rig.counts).toMatchObject({ wrong: 0, repaired: 0 })
    await drift()
    expect(rig.difference()).not.toBe('')
    await rig.store.flush()
    await expect.poll(() => rig.counts, { timeout: 10_000 }).toMatchObject({ wrong: 3, repaired: 3 })
    await expect.poll(() => rig.difference()).toBe('')
    expect(rig.state).toBe('live')
    expect(rig.sources.scans).toBe(0)
    expect(rig.gaps).toEqual([])
  })

  it('nothing is compared where that is turned off', async () => {
    await started({ verify: { rate: 0, settleMs: 1, roundMs: 1 } })
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(rig.sources.checks).toEqual([])
  })

  it('what changes while it is compared is not wrong', async () => {
    await started({ verify: { rate: 500, settleMs: 5, roundMs: 5 } })
    // The time of the test is the limit.
    for (let i = 0; i < 50 || rig.counts.checked <= 20; i++) {
      rig.disk.write('/a/b/x', i)
      if (i % 7 === 0) await rig.sources.flush()
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    expect(rig.counts).toMatchObject({ wrong: 0 })
  })

  it('comparing stops where a root is not live any more, and goes on from there', async () => {
    await started({ verify: { rate: 500, settleMs: 20, roundMs: 1 } })
    let open = (): void => {}
    rig.sources.gate = new Promise(resolve => {
      open = resolve
    })
    await expect.poll(() => rig.counts.checked).toBeGreaterThan(0)
    const { checked } = rig.counts
    rig.sources.leave({ remembers: true })
    open()
    await new Promise(resolve => setTimeout(resolve, 60))
    expect(rig.counts.checked).toBe(checked)
    rig.sources.watch('w/2', { continuesSource: 'w/1', continuesTerm: 1 })
    await expect.poll(() => rig.counts.checked).toBeGreaterThan(checked)
  })
})
