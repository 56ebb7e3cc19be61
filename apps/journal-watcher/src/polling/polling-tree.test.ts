import {
  appendFileSync,
  closeSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { inotifyInit } from '@hotpath/platform'
import { afterEach, describe, expect, it } from 'vitest'
import { plainWalk } from '../testing/model-store.js'
import { doSomething, randomOf } from '../testing/random-operations.js'
import { WatchedStore, type WatchedStoreOptions } from '../testing/watched-store.js'
import type { PollingPace } from './polling-pace.js'

const soak = process.env.SOAK === undefined ? 1 : 20
/** Every directory with its files, all the time. */
const EAGER: PollingPace = { shortest: 1, longest: 20, filesEvery: 1, share: 1 }

let open: WatchedStore | undefined
let descriptor: number | undefined
afterEach(() => {
  open?.close()
  open = undefined
  if (descriptor !== undefined) closeSync(descriptor)
  descriptor = undefined
})

/** A descriptor that can be read like a fanotify group, but refuses every mark. */
function noGroup(): number {
  descriptor = inotifyInit()
  return descriptor
}

async function watched(
  options: Partial<WatchedStoreOptions> = {},
  prepare = (_at: WatchedStore) => {},
): Promise<WatchedStore> {
  open = new WatchedStore({ mechanism: 'polling', pace: EAGER, inMemory: true, ...options })
  prepare(open)
  await open.start()
  return open
}

/** Waits until the store holds what a walk finds; a test that never gets there ends by its time limit with the difference. */
async function untilEqual(at: WatchedStore, history: readonly string[] = []): Promise<void> {
  const endsAt = performance.now() + 20_000
  for (;;) {
    await at.settle()
    const held = JSON.stringify([...at.store.entries()].sort())
    if (held === JSON.stringify([...plainWalk(at.root)].sort())) return
    if (performance.now() > endsAt) break
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  expect(at.store.entries(), history.slice(-12).join(', ')).toEqual(plainWalk(at.root))
}

describe('a polled root', () => {
  it('is named by barriers, because nobody can say that nothing has changed', async () => {
    const at = await watched()
    expect(at.states.map(({ state, mechanism }) => `${state} ${mechanism}`)).toEqual(['armed polling'])
    expect(await at.barrier()).toEqual(['root'])
  })

  it('tells what comes, goes, moves and is written', async () => {
    const at = await watched({}, ({ root }) => {
      mkdirSync(join(root, 'a/b/c'), { recursive: true })
      writeFileSync(join(root, 'a/b/file'), 'x')
    })
    const steps = [
      () => writeFileSync(join(at.root, 'a/b/c/new'), 'new'),
      () => appendFileSync(join(at.root, 'a/b/file'), 'in place'),
      () => renameSync(join(at.root, 'a/b'), join(at.root, 'moved')),
      () => writeFileSync(join(at.root, 'moved/c/again'), 'again'),
      () => utimesSync(join(at.root, 'moved/c'), 1, 1),
      () => symlinkSync('x', join(at.root, 'link')),
      () => rmSync(join(at.root, 'a'), { recursive: true }),
      () => writeFileSync(join(at.root, 'a'), 'a file now'),
    ]
    for (const step of steps) {
      step()
      await untilEqual(at)
    }
  })

  it('says nothing while nothing changes, and does not list what did not change', async () => {
    const at = await watched({}, ({ root }) => {
      for (let i = 0; i < 20; i++) mkdirSync(join(root, `${i}`))
      for (let i = 0; i < 20; i++) writeFileSync(join(root, `${i}/file`), 'x')
    })
    await new Promise(resolve => setTimeout(resolve, 200))
    expect(at.store.rows).toBe(0)
    writeFileSync(join(at.root, '7/file'), 'longer')
    await untilEqual(at)
    const names = new Set(
      at.batches.flatMap(({ entries }) =>
        Array.from({ length: entries.count }, (_, row) =>
          Buffer.from(entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!)).toString(),
        ),
      ),
    )
    // The directory's own row, its file, and the listing, which has no name.
    expect([...names].sort()).toEqual(['', '7', 'file'])
  })

  it('obeys ignore files that come, change and go', async () => {
    const at = await watched({}, ({ root }) => {
      mkdirSync(join(root, 'a/b'), { recursive: true })
      for (const path of ['a/one', 'a/two', 'a/b/one', 'a/b/two']) writeFileSync(join(root, path), path)
    })
    const untilFiles = async (...expected: string[]) => {
      const files = () => [...at.store.entries().keys()].filter(path => !['', 'a', 'a/b'].includes(path)).sort()
      const endsAt = performance.now() + 10_000
      while (performance.now() < endsAt && files().join() !== expected.join()) {
        await at.settle()
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      expect(files()).toEqual(expected)
    }
    writeFileSync(join(at.root, 'a/.hotpathignore'), 'one\n')
    await untilFiles('a/.hotpathignore', 'a/b/two', 'a/two')
    writeFileSync(join(at.root, 'a/.hotpathignore'), 'two\n')
    await untilFiles('a/.hotpathignore', 'a/b/one', 'a/one')
    rmSync(join(at.root, 'a/.hotpathignore'))
    await untilEqual(at)
  })

  it('says nothing of the data directory', async () => {
    const at = await watched({ dataDir: 'root/data', enters: path => !/^data/.test(path) }, ({ root }) =>
      mkdirSync(join(root, 'data/wal'), { recursive: true }),
    )
    writeFileSync(join(at.root, 'data/wal/1'), 'x')
    writeFileSync(join(at.root, 'data/more'), 'x')
    await new Promise(resolve => setTimeout(resolve, 100))
    // The root's own times do not change by it.
    expect(at.store.rows).toBe(0)
  })

  it('is lost when it goes, and polled again when one comes in its place', async () => {
    const at = await watched()
    renameSync(at.root, join(at.base, 'elsewhere'))
    await at.barrier()
    expect(at.states.map(({ state }) => state)).toEqual(['armed', 'lost', 'unwatched'])
    mkdirSync(at.root)
    await at.until(() => at.states.at(-1)?.state === 'armed')
    at.scan()
    writeFileSync(join(at.root, 'file'), 'x')
    await untilEqual(at)
  })

  it('is what becomes of one that has more directories than may be watched', async () => {
    const at = await watched({ mechanism: 'auto', fanotifyFd: noGroup(), bounds: { watches: 3 } }, ({ root }) =>
      mkdirSync(join(root, 'a/b/c'), { recursive: true }),
    )
    expect(at.states.map(({ state, mechanism }) => `${state} ${mechanism}`)).toEqual(['armed polling'])
    expect(at.states[0]!.reason).toContain('fs.inotify.max_user_watches')
    writeFileSync(join(at.root, 'a/b/c/file'), 'x')
    await untilEqual(at)
  })

  it('also if directories come later', async () => {
    const at = await watched({ mechanism: 'auto', fanotifyFd: noGroup(), bounds: { watches: 3 } })
    expect(at.states[0]).toMatchObject({ state: 'armed', mechanism: 'inotify', reason: '' })
    mkdirSync(join(at.root, 'a/b/c'), { recursive: true })
    await at.until(() => at.states.length === 3)
    expect(at.states.map(({ state, mechanism }) => `${state} ${mechanism}`)).toEqual([
      'armed inotify',
      'lost inotify',
      'armed polling',
    ])
    at.scan()
    writeFileSync(join(at.root, 'a/b/c/file'), 'x')
    await untilEqual(at)
  })

  it.each(Array.from({ length: 6 * soak }, (_, i) => i + 1))(
    'agrees with a walk after random operations, seed %i',
    async seed => {
      const at = await watched({}, ({ root, outside }) => {
        const random = randomOf(seed + 1_000)
        for (let i = 0; i < 40; i++) doSomething(root, outside, random)
      })
      const random = randomOf(seed)
      const history: string[] = []
      for (let step = 0; step < 25; step++) {
        for (let i = 1 + random(seed % 2 === 0 ? 3 : 25); i > 0; i--)
          history.push(doSomething(at.root, at.outside, random))
        await untilEqual(at, history)
      }
      expect(at.states.map(({ state }) => state)).toEqual(['armed'])
    },
  )
})
