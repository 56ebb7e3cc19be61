import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SystemCallError } from './errors.js'
import { createEventJournal, EventJournal, type EventSlot, RESUMABLE_STREAM } from './event-journal.js'
import { EventPump, type EventPumpOptions } from './event-pump.js'
import { Fanotify, fanotifyInit, fanotifyMarkFileSystem, isFanotifyMarked, parseFanotifyEvents } from './fanotify.js'
import { Inotify, inotifyAdd, inotifyInit, parseInotifyEvents } from './inotify.js'

const LIBRARY = JSON.stringify(new URL('../dist/index.js', import.meta.url).href)
const SMALL_RING = 256 * 1024
const soak = process.env.SOAK !== undefined

let dir: string
const closing: (() => unknown)[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'platform-pump-'))
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  rmSync(dir, { recursive: true, force: true })
})

function problemOfFanotify(): string {
  try {
    const fd = fanotifyInit({ unlimited: true })
    try {
      fanotifyMarkFileSystem(fd, tmpdir(), Fanotify.create)
    } finally {
      closeSync(fd)
    }
    return ''
  } catch (error) {
    if (error instanceof SystemCallError) return error.message
    throw error
  }
}
const problem = problemOfFanotify()
if (problem !== '') console.log(`pumping fanotify is not tested here: ${problem}`)

function pumpOf(options: Partial<EventPumpOptions> = {}): EventPump {
  const pump = new EventPump({
    keepFrom: () => Number.POSITIVE_INFINITY,
    onFull: () => {},
    onEvents: () => {},
    onMounts: () => {},
    ...options,
  })
  closing.push(() => pump.close())
  return pump
}

function smallJournal(): number {
  const fd = createEventJournal(SMALL_RING)
  closing.push(() => closeSync(fd))
  return fd
}

function watchedDirectories(...names: string[]): { fd: number; watches: Map<number, string> } {
  const fd = inotifyInit()
  closing.push(() => closeSync(fd))
  const watches = new Map<number, string>()
  for (const name of names) {
    mkdirSync(join(dir, name))
    watches.set(inotifyAdd(fd, join(dir, name), Inotify.create), name)
  }
  return { fd, watches }
}

/** Makes files in another process, while this thread does nothing. */
function makeWhileBlocked(count: number, ...directories: string[]): void {
  const script = `const { symlinkSync } = require('node:fs')
    for (let i = 0; i < ${count}; i++) for (const at of process.argv.slice(1)) symlinkSync('x', at + '/' + i)`
  const { status, stderr } = spawnSync(process.execPath, ['-e', script, ...directories.map(name => join(dir, name))])
  expect(status, String(stderr)).toBe(0)
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

describe('EventPump', () => {
  it('reads while the thread that it belongs to is busy', () => {
    const { fd } = watchedDirectories('a')
    const names = new Set<string>()
    let lost = 0
    const pump = pumpOf()
    pump.add(
      fd,
      { isResumable: false, isLimited: true },
      {
        take: ({ bytes }) => {
          const events = parseInotifyEvents(bytes)
          for (const { mask, name } of events)
            if ((mask & Inotify.overflow) !== 0) lost++
            else if ((mask & Inotify.create) !== 0) names.add(text(name))
          return events.length
        },
      },
    )
    // The thread has to be there: what comes before that waits in the queue, which holds 16,384.
    makeWhileBlocked(10, 'a')
    while (pump.journal.head === 0) spawnSync('true')
    for (const name of readdirSync(join(dir, 'a'))) rmSync(join(dir, 'a', name))
    makeWhileBlocked(30_000, 'a')
    expect(pump.drain()).toBe(30_010)
    expect([names.size, lost]).toEqual([30_000, 0])
  })

  it('wakes its owner, at most once until that has looked', async () => {
    const { fd } = watchedDirectories('a')
    let wakes = 0
    let events = 0
    const pump = pumpOf({ onEvents: () => wakes++ })
    pump.add(
      fd,
      { isResumable: false, isLimited: true },
      {
        take: ({ bytes }) => {
          events += parseInotifyEvents(bytes).length
          return 1
        },
      },
    )
    symlinkSync('x', join(dir, 'a/first'))
    await expect.poll(() => events).toBe(1)
    makeWhileBlocked(1_000, 'a')
    await expect.poll(() => events).toBe(1_001)
    expect(wakes).toBeLessThanOrEqual(3)
  })

  it('keeps which directories were touched where the ring is full and the queue has a limit', () => {
    const { fd, watches } = watchedDirectories('a', 'b', 'c')
    const told = new Set<string>()
    const touched = new Set<string>()
    let lost = 0
    const pump = pumpOf({ journalFd: smallJournal() })
    pump.add(
      fd,
      { isResumable: false, isLimited: true },
      {
        take: ({ bytes }) => {
          const events = parseInotifyEvents(bytes)
          for (const { mask, watch, name } of events)
            if ((mask & Inotify.overflow) !== 0) lost++
            else told.add(`${watches.get(watch)}/${text(name)}`)
          return events.length
        },
        touched: list => {
          for (const watch of list) touched.add(watches.get(watch)!)
        },
        lost: () => lost++,
      },
    )
    makeWhileBlocked(1, 'a')
    while (pump.journal.head === 0) spawnSync('true')
    rmSync(join(dir, 'a/0'))
    // Some 32 bytes each: three times what the ring holds, and more than the queue does.
    makeWhileBlocked(7_000, 'a', 'b', 'c')
    const held = pump.journal.head - pump.journal.tail
    expect(held).toBeLessThanOrEqual(SMALL_RING)
    pump.drain()
    expect(lost).toBe(0)
    expect([...touched].sort()).toEqual(['a', 'b', 'c'])
    expect(told.size).toBeGreaterThan(1_000)
    expect(told.size).toBeLessThan(21_000)
    // And everything by name again.
    told.clear()
    touched.clear()
    writeFileSync(join(dir, 'a/last'), '')
    pump.drain()
    expect([[...told], [...touched]]).toEqual([['a/last'], []])
  })

  it('says that events are lost where the kernel says so', () => {
    const { fd } = watchedDirectories('a')
    let lost = 0
    const pump = pumpOf({ journalFd: smallJournal() })
    // Before the thread is there.
    for (let i = 0; i < 20_000; i++) symlinkSync('x', join(dir, 'a', `${i}`))
    pump.add(
      fd,
      { isResumable: false, isLimited: true },
      {
        take: ({ bytes }) =>
          parseInotifyEvents(bytes).filter(({ mask }) => (mask & Inotify.overflow) !== 0 && ++lost).length,
        lost: () => lost++,
      },
    )
    pump.drain()
    expect(lost).toBe(1)
  })

  it('reads and hands out nothing of a queue that is closed', async () => {
    const { fd } = watchedDirectories('a')
    let events = 0
    const pump = pumpOf()
    const queue = pump.add(fd, { isResumable: false, isLimited: true }, { take: () => ++events })
    queue.close()
    queue.close()
    symlinkSync('x', join(dir, 'a/first'))
    await sleep(50)
    expect(pump.drain()).toBe(0)
    expect(events).toBe(0)
    expect(pump.journal.head).toBe(0)
  })

  it('leaves nothing open', async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length
    const mappings = () => readFileSync('/proc/self/maps', 'latin1').split('hotpath-events').length
    const round = () =>
      new EventPump({ keepFrom: () => 0, onFull: () => {}, onEvents: () => {}, onMounts: () => {} }).close()
    // The first thread opens what the process keeps.
    await round()
    const before = [openFiles(), mappings()]
    for (let i = 0; i < 5; i++) await round()
    expect([openFiles(), mappings()]).toEqual(before)
  })

  it('leaves what comes again and again where it is for a while, so that it becomes one event', async () => {
    const { fd } = watchedDirectories('a')
    inotifyAdd(fd, join(dir, 'a'), Inotify.create | Inotify.modify)
    let events = 0
    const count = ({ bytes }: EventSlot): number => {
      events += parseInotifyEvents(bytes).length
      return 1
    }
    const pump = pumpOf()
    pump.add(fd, { isResumable: false, isLimited: true }, { take: count })
    const file = join(dir, 'a/file')
    writeFileSync(file, '')
    await expect.poll(() => events).toBe(1)
    const begin = performance.now()
    for (let i = 0; i < 300; i++) {
      appendFileSync(file, 'x')
      // Whoever is woken has time to read it.
      for (const until = performance.now() + 0.1; performance.now() < until; );
    }
    const rests = (performance.now() - begin) / 5
    await sleep(50)
    pump.drain()
    expect(events).toBeGreaterThan(1)
    // Of each rest all is one event, but for what comes while it is read.
    expect(events).toBeLessThan(5 + 3 * rests)
  })

  it('sleeps while nothing happens', async () => {
    const threads = () => readdirSync('/proc/self/task')
    const before = new Set(threads())
    const { fd } = watchedDirectories('a')
    let events = 0
    const pump = pumpOf()
    pump.add(fd, { isResumable: false, isLimited: true }, { take: () => ++events })
    symlinkSync('x', join(dir, 'a/first'))
    await expect.poll(() => events).toBe(1)
    const added = threads().filter(thread => !before.has(thread))
    const switches = () =>
      added.map(
        thread =>
          /^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/self/task/${thread}/status`, 'utf8'))?.[1],
      )
    await expect
      .poll(
        async () => {
          const now = switches().join()
          await sleep(300)
          return switches().join() === now
        },
        { timeout: 20_000 },
      )
      .toBe(true)
    expect(added.length).toBeGreaterThan(0)
  })

  it.each([
    ['process.exit(3)', 3, 300],
    ['throw new Error("bug")', 1, 300],
    // Before the thread has loaded what it needs.
    ['process.exit(3)', 3, 20],
    ['throw new Error("bug")', 1, 20],
  ])('lets its process end: %s, exit code %i, after %i ms', (ending, status, delayMs) => {
    const script = `const { EventPump } = await import(${LIBRARY})
      new EventPump({ keepFrom: () => Infinity, onFull() {}, onEvents() {}, onMounts() {} })
      setTimeout(() => { ${ending} }, ${delayMs})`
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 30_000 })
    expect(ended.status, String(ended.stderr)).toBe(status)
    expect(String(ended.stderr).includes('bug')).toBe(status === 1)
  })

  it('tells of mounts at once', async () => {
    let mounts = 0
    const pump = pumpOf({ onMounts: () => mounts++ })
    const { fd } = watchedDirectories('a')
    let events = 0
    pump.add(fd, { isResumable: false, isLimited: true }, { take: () => ++events })
    symlinkSync('x', join(dir, 'a/first'))
    await expect.poll(() => events).toBe(1)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', 'hotpath-test', join(dir, 'a')])
    if (mounted.status !== 0) return console.log(`mounts are not tested here: ${mounted.stderr}`)
    try {
      await expect.poll(() => mounts).toBeGreaterThan(0)
    } finally {
      spawnSync('umount', [join(dir, 'a')])
    }
  })
})

describe.runIf(problem === '')('EventPump of fanotify', () => {
  function group(): number {
    const fd = fanotifyInit({ unlimited: true })
    closing.push(() => closeSync(fd))
    expect(isFanotifyMarked(fd, dir)).toBe(false)
    fanotifyMarkFileSystem(fd, dir, Fanotify.create)
    expect(isFanotifyMarked(fd, dir)).toBe(true)
    return fd
  }

  /** Names that begin with `made-`: others are of whoever else uses the file system. */
  function madeIn(slots: Iterable<EventSlot>): string[] {
    return [...slots].flatMap(({ stream, bytes }) =>
      stream !== RESUMABLE_STREAM
        ? []
        : parseFanotifyEvents(bytes).flatMap(({ entry }) =>
            entry && text(entry.name).startsWith('made-') ? [text(entry.name)] : [],
          ),
    )
  }

  it('stops reading while the ring is full, and loses nothing', () => {
    const fd = group()
    const names = new Set<string>()
    const pump = pumpOf({ journalFd: smallJournal() })
    pump.add(
      fd,
      { isResumable: true, isLimited: false },
      {
        take: slot => {
          const found = madeIn([slot])
          for (const name of found) names.add(name)
          return found.length
        },
      },
    )
    const script = `const { symlinkSync } = require('node:fs')
      for (let i = 0; i < 6_000; i++) symlinkSync('x', process.argv[1] + '/made-' + i)`
    expect(spawnSync(process.execPath, ['-e', script, dir]).status).toBe(0)
    expect(pump.journal.head - pump.journal.tail).toBeLessThanOrEqual(SMALL_RING)
    pump.drain()
    expect(names.size).toBe(6_000)
  })

  it('asks for room where what it needs is more than the ring holds', async () => {
    const fd = group()
    let given = 0
    let keepsAll = true
    const pump: EventPump = pumpOf({
      journalFd: smallJournal(),
      keepFrom: () => (keepsAll ? given : pump.taken),
      onFull: () => {
        given = pump.taken
      },
    })
    const names = new Set<string>()
    const take = (slot: EventSlot) => {
      for (const name of madeIn([slot])) names.add(name)
      return 1
    }
    pump.add(fd, { isResumable: true, isLimited: false }, { take })
    for (let i = 0; i < 6_000; i++) {
      symlinkSync('x', join(dir, `made-${i}`))
      if (i % 100 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    // Nobody asks: the thread says that there is something, or no room for it.
    await expect.poll(() => names.size, { timeout: 20_000 }).toBe(6_000)
    expect(given).toBeGreaterThan(0)
    expect(pump.journal.tail).toBe(given)
    keepsAll = false
    pump.release()
    expect(pump.journal.tail).toBe(pump.taken)
  })

  /** A process whose main thread does nothing: only its pump reads. */
  function pumpProcess(fd: number, journalFd: number): ChildProcess {
    const script = `const { EventPump } = await import(${LIBRARY})
      const pump = new EventPump({ journalFd: 4, keepFrom: () => 0, onFull() {}, onEvents() {}, onMounts() {} })
      pump.add(3, { isResumable: true, isLimited: false }, { take: () => 1 })
      process.stdout.write('ready')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`
    return spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit', fd, journalFd],
    })
  }

  it('leaves everything to the next process when it is killed', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
    let state = seed
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % below
    }
    const fd = group()
    const journalFd = createEventJournal()
    closing.push(() => closeSync(journalFd))
    const journal = new EventJournal(journalFd)
    closing.push(() => journal.unmap())
    let made = 0
    let readByOthers = 0
    for (let kill = 0; kill < (soak ? 60 : 4); kill++) {
      const child = pumpProcess(fd, journalFd)
      await once(child.stdout!, 'data')
      const until = made + 1_000 + random(soak ? 1_000 : 8_000)
      while (made < until) symlinkSync('x', join(dir, `made-${made++}`))
      // One at least has read something; when the others are killed is chance.
      if (kill === 0) await expect.poll(() => journal.head, { timeout: 20_000 }).toBeGreaterThan(0)
      child.kill('SIGKILL')
      // Still running for a moment.
      for (let i = random(500); i > 0; i--) symlinkSync('x', join(dir, `made-${made++}`))
      await once(child, 'close')
    }
    const pump = pumpOf({ journalFd, keepFrom: () => 0 })
    const before = new Set(madeIn(pump.journal.slots(pump.journal.tail)))
    readByOthers = before.size
    pump.add(fd, { isResumable: true, isLimited: false }, { take: () => 1 })
    pump.drain()
    const found = madeIn(pump.journal.slots(pump.journal.tail))
    const known = new Set(found)
    const missing = Array.from({ length: made }, (_, i) => `made-${i}`).filter(name => !known.has(name))
    expect(missing.slice(0, 10), `seed ${seed}, ${made} made`).toEqual([])
    expect(found.length, `seed ${seed}`).toBe(made)
    expect(readByOthers).toBeGreaterThan(0)
  })
})
