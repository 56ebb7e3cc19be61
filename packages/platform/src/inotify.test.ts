import { closeSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MalformedKernelDataError, SystemCallError } from './errors.js'
import { Inotify, inotifyAdd, inotifyInit, inotifyRemove, parseInotifyEvents } from './inotify.js'
import { EventQueue } from './testing/event-queue.js'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'platform-inotify-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

function encode(
  events: { watch: number; mask: number; cookie: number; name: Uint8Array; padding: number }[],
): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      events.map(({ watch, mask, cookie, name, padding }) => {
        const part = Buffer.alloc(16 + name.length + padding)
        part.writeInt32LE(watch, 0)
        part.writeUInt32LE(mask, 4)
        part.writeUInt32LE(cookie, 8)
        part.writeUInt32LE(name.length + padding, 12)
        part.set(name, 16)
        return part
      }),
    ),
  )
}

describe('inotify', () => {
  it('tells of creations and renames, then that the watch has ended', () => {
    const fd = inotifyInit()
    const queue = new EventQueue(fd)
    const watch = inotifyAdd(fd, dir, Inotify.create | Inotify.movedFrom | Inotify.movedTo | Inotify.onlyDirectory)
    expect(queue.read()).toBeNull()
    writeFileSync(join(dir, 'a'), '')
    renameSync(join(dir, 'a'), join(dir, 'name that is long enough for padding'))
    const [created, from, to, ...rest] = parseInotifyEvents(queue.read()!)
    expect([created!.watch, created!.mask, created!.cookie, text(created!.name)]).toEqual([
      watch,
      Inotify.create,
      0,
      'a',
    ])
    expect([from!.mask, text(from!.name)]).toEqual([Inotify.movedFrom, 'a'])
    expect([to!.mask, text(to!.name)]).toEqual([Inotify.movedTo, 'name that is long enough for padding'])
    expect(from!.cookie).toBe(to!.cookie)
    expect(rest).toEqual([])
    inotifyRemove(fd, watch)
    const [ended] = parseInotifyEvents(queue.read()!)
    expect([ended!.mask & Inotify.ignored, ended!.name.length]).toEqual([Inotify.ignored, 0])
    expect(() => inotifyRemove(fd, watch)).toThrow(SystemCallError)
    expect(() => inotifyAdd(fd, join(dir, 'absent'), Inotify.create)).toThrow(/ENOENT/)
    closeSync(fd)
    expect(() => queue.read()).toThrow(/EBADF/)
  })
})

describe('parseInotifyEvents', () => {
  const eventArb = fc.record({
    watch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
    mask: fc.nat(2 ** 32 - 1),
    cookie: fc.nat(2 ** 32 - 1),
    name: fc.uint8Array({ min: 1, maxLength: 60 }),
    padding: fc.nat(16),
  })

  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.array(eventArb, { maxLength: 10 }), events => {
        expect(parseInotifyEvents(encode(events))).toEqual(events.map(({ padding: _, ...event }) => event))
      }),
    )
  })

  it('parses or refuses whatever is changed or cut off', () => {
    const sample = encode([
      { watch: 1, mask: 2, cookie: 3, name: new Uint8Array([65, 66]), padding: 14 },
      { watch: -1, mask: Inotify.overflow, cookie: 0, name: new Uint8Array(0), padding: 0 },
    ])
    const attempt = (bytes: Uint8Array) => {
      try {
        for (const event of parseInotifyEvents(bytes)) expect(event.name.includes(0)).toBe(false)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedKernelDataError)
      }
    }
    for (let length = 0; length < sample.length; length++) attempt(sample.subarray(0, length))
    for (let at = 0; at < sample.length; at++)
      for (const value of [0, 1, 15, 16, 17, 0x7f, 0x80, 0xff]) {
        const bad = sample.slice()
        bad[at] = value
        attempt(bad)
      }
    expect(() => parseInotifyEvents(sample.subarray(0, 17))).toThrow(/cut off/)
  })
})
