import { closeSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isRoomy, type Room } from './disk-room.js'
import { isThere, LackWatch } from './lack-watch.js'

const MIB = 1024 * 1024
const LARGE: Room = { bsize: 4096, blocks: 2 ** 28, bavail: 64 * (MIB / 4096), files: 1000, ffree: 64 }

describe('room on a disk', () => {
  it('is a log, or an eighth of a small disk', () => {
    expect(isRoomy(LARGE)).toBe(true)
    expect(isRoomy({ ...LARGE, bavail: LARGE.bavail - 1 })).toBe(false)
    const small = { ...LARGE, blocks: 1024 }
    expect(isRoomy({ ...small, bavail: 128 })).toBe(true)
    expect(isRoomy({ ...small, bavail: 127 })).toBe(false)
  })

  it('is inodes, too, where they are counted', () => {
    expect(isRoomy({ ...LARGE, ffree: 63 })).toBe(false)
    expect(isRoomy({ ...LARGE, files: 0, ffree: 0 })).toBe(true)
  })
})

it('sees free descriptors, and lets go of those that it looked with', async () => {
  const first = openSync(tmpdir(), 'r')
  closeSync(first)
  for (let i = 0; i < 3; i++) expect(await isThere('descriptors', tmpdir())).toBe(true)
  const again = openSync(tmpdir(), 'r')
  closeSync(again)
  expect(again).toBeLessThan(first + 64)
  await expect(isThere('descriptors', '/nowhere/to/be/found')).rejects.toMatchObject({ code: 'ENOENT' })
})

describe('waiting for what is missing', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('goes on while it is not there or nobody knows, and says it once', async () => {
    const answers: (boolean | Error)[] = [false, new Error('EIO'), true, true]
    let looks = 0
    let times = 0
    const look = async (): Promise<boolean> => {
      const answer = answers[looks++]
      if (answer instanceof Error || answer === undefined) throw answer
      return answer
    }
    const watch = new LackWatch('room', () => times++, look)
    watch.start()
    await vi.advanceTimersByTimeAsync(6_000)
    expect([looks, times]).toEqual([2, 0])
    await vi.advanceTimersByTimeAsync(60_000)
    expect([looks, times]).toEqual([3, 1])
  })

  it.each([
    ['room', 0, 20],
    ['descriptors', 1, 10],
    ['memory', 1, 10],
  ] as const)('for %s is given up %i times in a minute, after %i looks', async (lack, expected, expectedLooks) => {
    let looks = 0
    let times = 0
    const watch = new LackWatch(
      lack,
      () => times++,
      async () => ++looks < 0,
    )
    watch.start()
    await vi.advanceTimersByTimeAsync(60_000)
    watch.stop()
    expect([times, looks]).toEqual([expected, expectedLooks])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends when it is stopped, also while it looks', async () => {
    let answer = (_isBack: boolean): void => {}
    let times = 0
    const look = (): Promise<boolean> => new Promise(resolve => (answer = resolve))
    const watch = new LackWatch('room', () => times++, look)
    watch.start()
    await vi.advanceTimersByTimeAsync(3_000)
    watch.stop()
    answer(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(times).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})
