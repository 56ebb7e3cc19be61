import { closeSync, mkdirSync, mkdtempSync, openSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MalformedKernelDataError, SystemCallError } from './errors.js'
import {
  Fanotify,
  type FanotifyEvent,
  fanotifyInit,
  fanotifyMarkDirectory,
  fanotifyMarkFileSystem,
  fanotifyUnmarkDirectory,
  handleOf,
  openByHandle,
  parseFanotifyEvents,
  pathOfDescriptor,
} from './fanotify.js'
import { fileSystemInfo } from './file-system-info.js'
import { EventQueue } from './testing/event-queue.js'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'platform-fanotify-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const text = (bytes: Uint8Array | undefined | null) => (bytes ? Buffer.from(bytes).toString('latin1') : undefined)

/** The errno of what the kernel refuses here (no privilege, file system without handles), or null. */
function refusal(work: () => void): string | null {
  try {
    work()
    return null
  } catch (error) {
    if (error instanceof SystemCallError) return error.errnoName
    throw error
  }
}

function drain(queue: EventQueue): FanotifyEvent[] {
  const events: FanotifyEvent[] = []
  for (let bytes = queue.read(); bytes !== null; bytes = queue.read()) events.push(...parseFanotifyEvents(bytes))
  return events
}

function handleOfPath(path: string) {
  const fd = openSync(path, 'r')
  try {
    return handleOf(fd, fileSystemInfo(fd).fsid)
  } finally {
    closeSync(fd)
  }
}

describe('marks of directories', () => {
  it('report names below a directory and, without a second mark, nothing of other directories', () => {
    const fd = fanotifyInit({ unlimited: false })
    const queue = new EventQueue(fd)
    mkdirSync(join(dir, 'in'))
    mkdirSync(join(dir, 'out'))
    const mask = Fanotify.create | Fanotify.delete | Fanotify.rename | Fanotify.onChild | Fanotify.onDirectory
    fanotifyMarkDirectory(fd, join(dir, 'in'), mask)
    writeFileSync(join(dir, 'in/a'), '')
    writeFileSync(join(dir, 'out/b'), '')
    const [created, ...rest] = drain(queue)
    expect(rest).toEqual([])
    expect(created!.mask).toBe(Fanotify.create)
    expect(created!.pid).toBe(process.pid)
    expect(text(created!.entry!.name)).toBe('a')
    expect(created!.entry!.directory.key).toBe(handleOfPath(join(dir, 'in')).key)

    renameSync(join(dir, 'in/a'), join(dir, 'in/c'))
    const [renamed] = drain(queue)
    expect(renamed!.mask & Fanotify.rename).toBe(Fanotify.rename)
    expect([text(renamed!.from!.name), text(renamed!.to!.name)]).toEqual(['a', 'c'])
    mkdirSync(join(dir, 'in/d'))
    const [made] = drain(queue)
    expect(made!.mask).toBe(Fanotify.create | Fanotify.onDirectory)

    fanotifyUnmarkDirectory(fd, join(dir, 'in'), mask)
    writeFileSync(join(dir, 'in/e'), '')
    expect(drain(queue)).toEqual([])
    expect(refusal(() => fanotifyMarkDirectory(fd, join(dir, 'in/c'), mask))).toBe('ENOTDIR')
    expect(refusal(() => fanotifyMarkDirectory(fd, join(dir, 'absent'), mask))).toBe('ENOENT')
    closeSync(fd)
  })
})

describe('marks of file systems', () => {
  it('report every directory with both ends of a rename, or are refused for a reason', () => {
    let fd = -1
    const reason = refusal(() => {
      fd = fanotifyInit({ unlimited: true })
      fanotifyMarkFileSystem(fd, dir, Fanotify.create | Fanotify.rename | Fanotify.onDirectory)
    })
    if (reason !== null) {
      expect(['EPERM', 'EOPNOTSUPP', 'ENODEV', 'EXDEV']).toContain(reason)
      if (fd !== -1) closeSync(fd)
      return
    }
    mkdirSync(join(dir, 'fs/deep'), { recursive: true })
    writeFileSync(join(dir, 'fs/x'), '')
    renameSync(join(dir, 'fs/x'), join(dir, 'fs/deep/y'))
    const renamed = drain(new EventQueue(fd)).find(event => text(event.from?.name) === 'x')!
    expect(renamed.from!.directory.key).toBe(handleOfPath(join(dir, 'fs')).key)
    expect(renamed.to!.directory.key).toBe(handleOfPath(join(dir, 'fs/deep')).key)
    expect(text(renamed.to!.name)).toBe('y')
    closeSync(fd)
  })
})

describe('openByHandle', () => {
  it('finds a directory after it was moved, and says when it is gone', () => {
    mkdirSync(join(dir, 'h1'))
    const handle = handleOfPath(join(dir, 'h1'))
    renameSync(join(dir, 'h1'), join(dir, 'h2'))
    const mountFd = openSync(dir, 'r')
    const reason = refusal(() => {
      const fd = openByHandle(mountFd, handle)
      expect(text(pathOfDescriptor(fd))).toBe(join(dir, 'h2'))
      rmdirSync(join(dir, 'h2'))
      expect(pathOfDescriptor(fd)).toBeNull()
      closeSync(fd)
      expect(refusal(() => openByHandle(mountFd, handle))).toBe('ESTALE')
    })
    expect([null, 'EPERM']).toContain(reason)
    closeSync(mountFd)
  })

  it('has no path for a descriptor that is no file', () => {
    const fd = fanotifyInit({ unlimited: false })
    expect(pathOfDescriptor(fd)).toBeNull()
    closeSync(fd)
  })
})

describe('parseFanotifyEvents', () => {
  const handle = (type: number, name: string) => {
    const part = Buffer.alloc((4 + 8 + 8 + 8 + name.length + 1 + 3) & ~3)
    part[0] = type
    part.writeUInt16LE(part.length, 2)
    part.write('0102030405060708', 4, 'hex')
    part.writeUInt32LE(8, 12)
    part.writeInt32LE(1, 16)
    part.write('aabbccddeeff0011', 20, 'hex')
    part.write(name, 28, 'latin1')
    return part
  }
  const event = (mask: number, pid: number, ...records: Buffer[]) => {
    const body = Buffer.concat(records)
    const head = Buffer.alloc(24)
    head.writeUInt32LE(24 + body.length, 0)
    head[4] = 3
    head.writeUInt16LE(24, 6)
    head.writeUInt32LE(mask, 8)
    head.writeInt32LE(-1, 16)
    head.writeInt32LE(pid, 20)
    return Buffer.concat([head, body])
  }
  const sample = new Uint8Array(
    Buffer.concat([
      event(Fanotify.create, 7, handle(2, 'some name')),
      event(Fanotify.rename, 8, handle(10, 'old'), handle(12, 'new')),
      event(Fanotify.attrib | Fanotify.onDirectory, 9, handle(3, '')),
      event(Fanotify.overflow, 0),
    ]),
  )

  it('reads names, renames, events without a name and overflows', () => {
    const [created, renamed, self, overflow] = parseFanotifyEvents(sample)
    expect(created!.entry!.directory).toEqual({
      fsid: '0102030405060708',
      type: 1,
      bytes: new Uint8Array([0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00, 0x11]),
      key: '0102030405060708:1:aabbccddeeff0011',
    })
    expect(text(created!.entry!.name)).toBe('some name')
    expect([text(renamed!.from!.name), text(renamed!.to!.name), renamed!.entry]).toEqual(['old', 'new', undefined])
    expect(text(self!.entry!.name)).toBe('.')
    expect(overflow).toEqual({ mask: Fanotify.overflow, pid: 0 })
  })

  it('parses or refuses whatever is changed or cut off', () => {
    const attempt = (bytes: Uint8Array) => {
      try {
        for (const { entry, from, to } of parseFanotifyEvents(bytes))
          for (const named of [entry, from, to]) if (named) expect(named.name.includes(0)).toBe(false)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedKernelDataError)
      }
    }
    for (let length = 0; length < sample.length; length++) attempt(sample.slice(0, length))
    for (let at = 0; at < sample.length; at++)
      for (const value of [0, 1, 3, 4, 8, 23, 24, 0x7f, 0x80, 0xff]) {
        const bad = sample.slice()
        bad[at] = value
        attempt(bad)
      }
    expect(() => parseFanotifyEvents(sample.slice(0, 30))).toThrow(MalformedKernelDataError)
    const version = sample.slice()
    version[4] = 4
    expect(() => parseFanotifyEvents(version)).toThrow(/version 4/)
  })
})
