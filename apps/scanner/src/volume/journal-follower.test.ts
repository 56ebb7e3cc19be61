import { EventEmitter } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { JournalDriver as Driver, JOURNAL_ID as ID } from '../testing/journal-driver.js'
import { JournalFollower } from './journal-follower.js'
import type { FollowJob, FollowReply, FollowRequest } from './journal-messages.js'
import { serveJournal } from './journal-service.js'

/** The thread, in this one: what would wait there is not asked for here. */
class FakeWorker extends EventEmitter {
  readonly #port = new EventEmitter()

  constructor(job: FollowJob, driver: Driver) {
    super()
    const port = {
      on: (event: 'message', listener: (request: FollowRequest) => void) => this.#port.on(event, listener),
      postMessage: (reply: FollowReply) => void queueMicrotask(() => this.emit('message', reply)),
      close: () => void queueMicrotask(() => this.emit('exit', 0)),
    }
    serveJournal(job, port, driver.calls)
  }

  postMessage(request: FollowRequest): void {
    queueMicrotask(() => this.#port.emit('message', request))
  }

  terminate(): Promise<number> {
    return Promise.resolve(0)
  }
}

describe('a change journal of Windows that is followed', () => {
  const followers: JournalFollower[] = []
  afterEach(() => Promise.all(followers.splice(0).map(follower => follower.close())))

  function follow(driver: Driver): JournalFollower {
    const follower = new JournalFollower('C:', job => new FakeWorker(job, driver) as never)
    followers.push(follower)
    return follower
  }

  it('gives all records, reply after reply', async () => {
    const driver = new Driver()
    driver.records = 10_000
    const follower = follow(driver)
    const rows = JournalFollower.rows()
    const seen: number[] = []
    let position = { id: ID, nextUsn: 0 }
    while (seen.length < driver.records) {
      const found = await follower.next(position, rows)
      if (found.kind !== 'records') throw new Error(found.reason)
      position = found.position
      seen.push(...rows.record.subarray(0, rows.count))
    }
    expect(seen).toEqual(Array.from({ length: 10_000 }, (_, i) => 30 + i))
    expect(position).toEqual({ id: ID, nextUsn: 640_000 })
    expect(driver.reads).toBe(10)
  })

  const losses: [reason: string, change: (driver: Driver) => void, from: number][] = [
    ['wrapped', driver => Object.assign(driver, { first: 6400 }), 640],
    ['wrapped', driver => Object.assign(driver, { first: 6400 }), 0],
    ['recreated', driver => Object.assign(driver, { id: 9n }), 640],
    ['restamped', driver => Object.assign(driver, { id: 9n, lowest: 1280 }), 640],
    ['truncated', driver => Object.assign(driver, { records: 5 }), 640],
    ['deleted', driver => driver.errors.set(0x900f4, 1179), 640],
    ['inactive', driver => driver.errors.set(0x900f4, 1178), 640],
  ]

  it.each(losses)('is %s', async (reason, change, from) => {
    const driver = new Driver()
    driver.records = 1000
    change(driver)
    const found = await follow(driver).next({ id: ID, nextUsn: from }, JournalFollower.rows())
    expect(found).toEqual({ kind: 'rescan', reason })
  })

  it('may change between being looked at and being read', async () => {
    for (const [error, change, reason] of [
      [87, { id: 9n }, 'recreated'],
      [1181, { first: 6400 }, 'wrapped'],
    ] as const) {
      const driver = new Driver()
      driver.records = 1000
      const { DeviceIoControl } = driver.calls
      driver.calls.DeviceIoControl = (...args) => {
        if (args[1] === 0x900bb) Object.assign(driver, change)
        return DeviceIoControl(...args)
      }
      const found = await follow(driver).next({ id: ID, nextUsn: 640 }, JournalFollower.rows())
      expect(found, `${error}`).toEqual({ kind: 'rescan', reason })
    }
  })

  it.each([
    [0x900f4, 50, 'FSCTL_QUERY_USN_JOURNAL'],
    [0x900bb, 1117, 'FSCTL_READ_USN_JOURNAL'],
    // The journal is as it was: the call failed for a reason of its own.
    [0x900bb, 87, 'FSCTL_READ_USN_JOURNAL'],
  ])('that cannot be asked says so: %i, %i', async (code, windowsCode, call) => {
    const driver = new Driver()
    driver.records = 10
    driver.errors.set(code, windowsCode)
    const follower = follow(driver)
    const next = () => follower.next({ id: ID, nextUsn: 64 }, JournalFollower.rows())
    await expect(next()).rejects.toMatchObject({ code: 'WINDOWS_CALL', subject: 'C:', call, windowsCode })
    driver.errors.clear()
    await expect(next()).resolves.toMatchObject({ kind: 'records' })
  })

  it('is not followed after it was closed', async () => {
    const driver = new Driver()
    driver.records = 1
    const follower = follow(driver)
    await follower.close()
    followers.pop()
    await expect(follower.next({ id: ID, nextUsn: 0 }, JournalFollower.rows())).rejects.toMatchObject({
      code: 'CANCELLED',
    })
  })
})
