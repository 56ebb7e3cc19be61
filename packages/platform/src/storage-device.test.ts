import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { storageDeviceOf } from './storage-device.js'

describe('the device behind a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hotpath-sysfs-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** A sysfs in which the file system of `folder` lies on a partition. */
  function sysfs(name: string, rotational: string, isPartition: boolean): string {
    const sys = join(folder, `${name}-${isPartition}`)
    const disk = join(sys, 'devices/virtual/block', name)
    const device = isPartition ? join(disk, `${name}1`) : disk
    mkdirSync(join(disk, 'queue'), { recursive: true })
    mkdirSync(device, { recursive: true })
    writeFileSync(join(disk, 'queue/rotational'), `${rotational}\n`)
    if (isPartition) writeFileSync(join(device, 'partition'), '1\n')
    mkdirSync(join(sys, 'dev/block'), { recursive: true })
    const { dev } = statSync(folder, { bigint: true })
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n)
    const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n)
    symlinkSync(device, join(sys, 'dev/block', `${major}:${minor}`))
    return sys
  }

  it.each([
    ['sda', '1', true, true],
    ['nvme0n1', '0', true, false],
    ['dm-0', '1', false, true],
  ])('%s', (name, written, isPartition, rotational) => {
    expect(storageDeviceOf(folder, sysfs(name, written, isPartition))).toEqual({ name, rotational })
  })

  it('is not known where there is none', () => {
    expect(storageDeviceOf(join(folder, 'nothing'))).toBeUndefined()
    expect(storageDeviceOf(folder, join(folder, 'no-sysfs'))).toBeUndefined()
    expect(storageDeviceOf('/proc/self/stat')).toBeUndefined()
  })
})
