import { EventEmitter } from 'node:events'
import type { VolumeCalls } from '@hotpath/platform'
import { afterEach, describe, expect, it } from 'vitest'
import { JournalFollower } from './journal-follower.js'
import type { FollowJob, FollowReply, FollowRequest } from './journal-messages.js'
import { serveJournal } from './journal-service.js'

const ID = '00000000000001d5'
const RECORD_BYTES = 64

/** A driver with a journal of records of 64 bytes, and what a test makes of it. */
class Driver {
  id = BigInt(`0x${ID}`)
  first = 0
  lowest = 0
  records = 0
  /** Error of each code, while it lasts. */
  readonly errors = new Map<number, number>()
  #error = 0
  reads = 0

  readonly calls: VolumeCalls = {
    CreateFileW: () => 7,
    ReadFile: () => 0,
    SetFilePointerEx: () => 0,
    CloseHandle: () => 1,
    GetVolumeInformationW: () => 0,
    GetLastError: () => this.#error,
    DeviceIoControl: (_handle, code, input, _inputBytes, output, outputBytes, count) => {
      const error = this.errors.get(code)
      if (error !== undefined) return this.#fail(error)
      const view = new DataView(output.buffer, output.byteOffset, outputBytes)
      if (code === 0x900f4) {
        view.setBigUint64(0, this.id, true)
        for (const [at, value] of [
          [8, this.first],
          [16, this.records * RECORD_BYTES],
          [24, this.lowest],
        ] as const)
          view.setBigInt64(at, BigInt(value), true)
        count[0] = 56
        return 1
      }
      return this.#read(new DataView(input!.buffer), view, count)
    },
  }

  #read(request: DataView, view: DataView, count: Uint32Array): number {
    this.reads++
    if (request.getBigUint64(32, true) !== this.id) return this.#fail(87)
    expect(request.getBigUint64(24, true), 'bytes to wait for').toBe(0n)
    const start = Number(request.getBigInt64(0, true))
    if (start !== 0 && start < this.first) return this.#fail(1181)
    let at = 8
    let usn = Math.max(start, this.first)
    for (; usn < this.records * RECORD_BYTES && at + RECORD_BYTES <= view.byteLength; usn += RECORD_BYTES) {
      view.setUint32(at, RECORD_BYTES, true)
      view.setUint16(at + 4, 2, true)
      view.setUint32(at + 8, 30 + usn / RECORD_BYTES, true)
      view.setBigInt64(at + 24, BigInt(usn), true)
      view.setUint16(at + 56, 2, true)
      view.setUint16(at + 58, 60, true)
      view.setUint16(at + 60, 97, true)
      at += RECORD_BYTES
    }
    view.setBigInt64(0, BigInt(usn), true)
    count[0] = at
    return 1
  }

  #fail(error: number): 0 {
    this.#error = error
    return 0
  }
}

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
  ])('that cannot be asked says so: %i, %i', async (code, win32Code, call) => {
    const driver = new Driver()
    driver.records = 10
    driver.errors.set(code, win32Code)
    const follower = follow(driver)
    const next = () => follower.next({ id: ID, nextUsn: 64 }, JournalFollower.rows())
    await expect(next()).rejects.toMatchObject({ code: 'WIN32', volume: 'C:', call, win32Code })
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
