import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NativeUnavailableError } from '../errors.js'
import { isWindowsFailure, WindowsCallError } from './errors.js'
import { kernel32, type VolumeCalls } from './kernel32.js'
import {
  enumUsnData,
  ntfsFileRecord,
  ntfsVolumeData,
  queryUsnJournal,
  readUsnJournal,
  storageDeviceOfVolume,
} from './volume-control.js'
import { VolumeHandle, volumeInformation } from './volume-handle.js'
import { volumeNameOf } from './volume-name.js'

const C = volumeNameOf('C:')!

/** kernel32 with a volume of 8 KiB; what `control` returns for a code is the reply, or the error. */
function fakeCalls(sectorBytes: number, control: Record<number, Uint8Array | number> = {}, openError = 0) {
  const openedById: unknown[][] = []
  const listed: unknown[][] = []
  /** What a directory gives, call after call: entries, or the error. */
  const directory: (Uint8Array | number)[] = []
  const image = Uint8Array.from({ length: 8192 }, (_, i) => (i * 7) & 0xff)
  new DataView(image.buffer).setUint16(11, sectorBytes, true)
  let error = 0
  let position = 0
  const opened: [path: string, access: number, share: number][] = []
  const closed: number[] = []
  const fail = (code: number) => {
    error = code
    return 0
  }
  const calls: VolumeCalls = {
    CreateFileW(path, access, share) {
      opened.push([path, access, share])
      return openError === 0 ? 77 : fail(openError) - 1
    },
    SetFilePointerEx(_handle, distance) {
      position = Number(distance)
      return 1
    },
    ReadFile(_handle, into, length, count) {
      if (position % sectorBytes !== 0 || length % sectorBytes !== 0) return fail(87)
      const part = image.subarray(position, position + length)
      into.set(part)
      count[0] = part.length
      return 1
    },
    CloseHandle(handle) {
      closed.push(handle)
      return 1
    },
    OpenFileById(volume, id, access, share, _security, flags) {
      openedById.push([volume, Buffer.from(id).toString('hex'), access, share, flags])
      return openError === 0 ? 78 : fail(openError) - 1
    },
    GetFileInformationByHandleEx(handle, kind, into, bytes) {
      listed.push([handle, kind, bytes])
      const [entries] = directory.splice(0, 1)
      if (typeof entries !== 'object') return fail(entries ?? 18)
      into.set(entries)
      return 1
    },
    GetVolumeInformationW(_root, label, _units, _serial, _longest, _flags, fileSystem) {
      label.set([...'Daten'].map(unit => unit.charCodeAt(0)))
      fileSystem.set([...'NTFS'].map(unit => unit.charCodeAt(0)))
      return 1
    },
    DeviceIoControl(_handle, code, _input, _inputBytes, output, _outputBytes, count) {
      const reply = control[code] ?? 50
      if (typeof reply === 'number') return fail(reply)
      output.set(reply)
      count[0] = reply.length
      return 1
    },
    GetLastError: () => error,
  }
  return { calls, image, opened, closed, openedById, listed, directory }
}

describe('a volume of Windows', () => {
  it.each([
    ['c:', 'C:', '\\\\.\\C:', 'C:\\'],
    ['D:\\', 'D:', '\\\\.\\D:', 'D:\\'],
    ['\\\\.\\w:', 'W:', '\\\\.\\W:', 'W:\\'],
    ['//./W:/', 'W:', '\\\\.\\W:', 'W:\\'],
    [
      '\\\\?\\Volume{0a1b2c3d-0000-0000-0000-100000000000}\\',
      'Volume{0a1b2c3d-0000-0000-0000-100000000000}',
      '\\\\?\\Volume{0a1b2c3d-0000-0000-0000-100000000000}',
      '\\\\?\\Volume{0a1b2c3d-0000-0000-0000-100000000000}\\',
    ],
  ])('is named by %s', (text, name, device, root) => {
    expect(volumeNameOf(text)).toEqual({ name, device, root })
  })

  it.each(['', 'C', 'CD:', 'C:\\x', '/dev/sda1', 'disk.img', '\\\\.\\PhysicalDrive0'])('is not named by %j', text => {
    expect(volumeNameOf(text)).toBeUndefined()
  })

  it.each([512, 4096])('is read at any place by sectors of %i bytes', sectorBytes => {
    const { calls, image, opened, closed } = fakeCalls(sectorBytes)
    const handle = VolumeHandle.toRead(C, calls)
    const into = new Uint8Array(600)
    expect(handle.read(3, into)).toBe(600)
    expect(into).toEqual(image.slice(3, 603))
    expect(handle.read(8190, into)).toBe(2)
    expect(opened).toEqual([['\\\\.\\C:', 0x8000_0000, 7]])
    handle.close()
    handle.close()
    expect(closed).toEqual([77])
  })

  it.each([
    [5, /CreateFileW of C: failed: access denied: .* administrator \(error 5\)/],
    [2, /it is not there \(error 2\)/],
    [1234, /\(error 1234\)/],
  ])('that is refused says why: %i', (code, message) => {
    const open = () => VolumeHandle.toRead(C, fakeCalls(512, {}, code).calls)
    expect(open).toThrow(message)
    expect(open).toThrow(
      expect.objectContaining({ code: 'WINDOWS_CALL', subject: 'C:', call: 'CreateFileW', windowsCode: code }),
    )
  })

  it('is asked with as little access as it takes', () => {
    const refusing = (least: number) => {
      const fake = fakeCalls(512, { 589924: new Uint8Array(96) })
      const { CreateFileW } = fake.calls
      fake.calls.GetLastError = () => 5
      fake.calls.CreateFileW = (...args) => (CreateFileW(...args) && args[1] >= least ? -1 : 77)
      const handle = VolumeHandle.toAsk(C, fake.calls)
      expect(ntfsVolumeData(handle)).toHaveLength(96)
      return fake.opened.map(([, access]) => access)
    }
    expect(refusing(0x40)).toEqual([0x20])
    expect(refusing(0x20)).toEqual([0x20, 0])
    expect(() => VolumeHandle.toAsk(C, fakeCalls(512, {}, 2).calls)).toThrow(/error 2/)
  })

  it('says what it is formatted with', () => {
    expect(volumeInformation(C, fakeCalls(512).calls)).toEqual({ fileSystem: 'NTFS', label: 'Daten' })
  })

  it('is asked by codes', () => {
    const reply = (byte: number) => new Uint8Array(16).fill(byte)
    const { calls } = fakeCalls(512, { 589924: reply(1), 590068: reply(2), 590011: reply(3), 590003: reply(4) })
    const handle = VolumeHandle.toAsk(C, calls)
    const [request, output] = [new Uint8Array(48), new Uint8Array(64)]
    expect(ntfsVolumeData(handle)).toEqual(reply(1))
    expect(queryUsnJournal(handle)).toEqual(reply(2))
    expect(readUsnJournal(handle, request, output)).toEqual(reply(3))
    expect(enumUsnData(handle, request, output)).toEqual(reply(4))
  })

  it('whose answer is an end or no journal does not fail', () => {
    const ask = (code: number, error: number) => VolumeHandle.toAsk(C, fakeCalls(512, { [code]: error }).calls)
    expect(queryUsnJournal(ask(0x900f4, 1179))).toBe('absent')
    expect(queryUsnJournal(ask(0x900f4, 1178))).toBe('inactive')
    expect(() => queryUsnJournal(ask(0x900f4, 50))).toThrow(WindowsCallError)
    expect(enumUsnData(ask(0x900b3, 38), new Uint8Array(32), new Uint8Array(64))).toBeUndefined()
    let error: unknown
    try {
      readUsnJournal(ask(0x900bb, 1181), new Uint8Array(48), new Uint8Array(64))
    } catch (caught) {
      error = caught
    }
    expect(isWindowsFailure(error, 1181)).toBe(true)
    expect(isWindowsFailure(error, 87)).toBe(false)
  })

  it('gives records of its table, or says that it gives none', () => {
    const ask = (reply: Uint8Array | number) => {
      const handle = VolumeHandle.toRead(C, fakeCalls(512, { 589928: reply }).calls)
      return ntfsFileRecord(handle, new Uint8Array(8), new Uint8Array(1039))
    }
    expect(ask(new Uint8Array(1036))).toHaveLength(1036)
    expect([1, 50].map(ask)).toEqual(['unsupported', 'unsupported'])
    expect([87, 38].map(ask)).toEqual(['outside', 'outside'])
    expect(() => ask(1117)).toThrow(/FSCTL_GET_NTFS_FILE_RECORD of C: failed: the device has failed/)
  })

  it('has directories that are listed by their references', () => {
    const fake = fakeCalls(512)
    const handle = VolumeHandle.toRead(C, fake.calls)
    const directory = handle.directory(0x0003_0000_0000_0029n)
    // FILE_ID_DESCRIPTOR; to be listed, shared with all, a directory, itself and not where it leads.
    const id = `${'18000000'}${'00000000'}${'2900000000000300'}${'00'.repeat(8)}`
    expect(fake.openedById).toEqual([[77, id, 1, 7, 0x0220_0000]])
    const into = new Uint8Array(256)
    fake.directory.push(new Uint8Array(8).fill(1), new Uint8Array(8).fill(2), 18)
    expect([directory.next(into), into[0]]).toEqual([true, 1])
    expect([directory.next(into), into[0]]).toEqual([true, 2])
    expect(directory.next(into)).toBe(false)
    fake.directory.push(2, 5)
    expect(directory.next(into)).toBe(false)
    expect(() => directory.next(into)).toThrow(/GetFileInformationByHandleEx of C: failed: access denied/)
    expect(new Set(fake.listed.map(call => call.join()))).toEqual(new Set(['78,10,256']))
    directory.close()
    directory.close()
    expect(fake.closed).toEqual([78])
    fake.calls.OpenFileById = () => -1
    fake.calls.GetLastError = () => 87
    expect(() => handle.directory(1n)).toThrow(/OpenFileById of C: failed: a parameter is wrong/)
  })

  it('does not believe a count beyond the array', () => {
    const { calls } = fakeCalls(512, { 590011: new Uint8Array(8) })
    const handle = VolumeHandle.toAsk(C, {
      ...calls,
      DeviceIoControl(...args) {
        args[6][0] = 0xffff_fff0
        return 1
      },
    })
    expect(readUsnJournal(handle, new Uint8Array(48), new Uint8Array(64))).toHaveLength(64)
  })

  it('lies on a disk', () => {
    const number = new Uint8Array(new Uint32Array([7, 3, 1]).buffer)
    const penalty = (byte: number) => Uint8Array.of(12, 0, 0, 0, 12, 0, 0, 0, byte, 0, 0, 0)
    const of = (control: Record<number, Uint8Array | number>, error = 0) => {
      const { calls, opened, closed } = fakeCalls(512, control, error)
      const device = storageDeviceOfVolume(C, calls)
      expect(closed).toHaveLength(error === 0 ? opened.length : 0)
      return device
    }
    expect(of({ 2953344: number, 2954240: penalty(1) })).toEqual({ name: 'PhysicalDrive3', rotational: true })
    expect(of({ 2953344: number, 2954240: penalty(0) })).toEqual({ name: 'PhysicalDrive3', rotational: false })
    expect(of({ 2953344: number })).toEqual({ name: 'PhysicalDrive3', rotational: true })
    expect(of({})).toBeUndefined()
    expect(of({}, 5)).toBeUndefined()
  })
})

describe('libraries of Windows', () => {
  it.runIf(process.platform !== 'win32')('are not loaded elsewhere', () => {
    expect(() => kernel32()).toThrow(NativeUnavailableError)
  })

  it('are loaded by name, from nowhere else; another is only for tests', () => {
    const sources = readdirSync(new URL('..', import.meta.url), { recursive: true, encoding: 'utf8' })
      .map(name => name.replaceAll('\\', '/'))
      .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    const loads = sources.flatMap(name =>
      [...readFileSync(new URL(`../${name}`, import.meta.url), 'utf8').matchAll(/koffi(?:\(\))?\.load\((.*?)\)/g)].map(
        ([, what]) => [name, what],
      ),
    )
    expect(loads).toContainEqual(['windows/library.ts', 'name'])
    expect(loads.filter(([name]) => name!.startsWith('testing/'))).toEqual([
      ['testing/simulated-control.ts', 'library'],
    ])
    const reaching = sources.filter(
      name =>
        !name.startsWith('testing/') &&
        readFileSync(new URL(`../${name}`, import.meta.url), 'utf8').includes('testing/'),
    )
    expect(reaching).toEqual([])
  })
})
