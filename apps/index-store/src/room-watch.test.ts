import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isRoomy, type Room, RoomWatch } from './room-watch.js'

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

describe('waiting for room', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('goes on while there is none or nobody knows, and says it once', async () => {
    const answers: (Room | Error)[] = [{ ...LARGE, bavail: 0 }, new Error('EIO'), LARGE, LARGE]
    let looks = 0
    let times = 0
    const look = async (): Promise<Room> => {
      const answer = answers[looks++]
      if (answer instanceof Error || answer === undefined) throw answer
      return answer
    }
    const watch = new RoomWatch('/data', () => times++, look)
    watch.start()
    await vi.advanceTimersByTimeAsync(6_000)
    expect([looks, times]).toEqual([2, 0])
    await vi.advanceTimersByTimeAsync(60_000)
    expect([looks, times]).toEqual([3, 1])
  })

  it('ends when it is stopped, also while it looks', async () => {
    let answer = (_room: Room): void => {}
    let times = 0
    const look = (): Promise<Room> => new Promise(resolve => (answer = resolve))
    const watch = new RoomWatch('/data', () => times++, look)
    watch.start()
    await vi.advanceTimersByTimeAsync(3_000)
    watch.stop()
    answer(LARGE)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(times).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})
