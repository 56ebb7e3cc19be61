import { closeSync, openSync, readSync } from 'node:fs'
import { platform } from 'node:os'
import { basename } from 'node:path'
import {
  type StorageDevice,
  storageDeviceOf,
  storageDeviceOfVolume,
  VolumeHandle,
  type VolumeName,
  volumeNameOf,
} from '@hotpath/platform'

/** An image, a device or a volume of Windows that is open. */
export interface RawVolume {
  /** Fills an array with bytes from `offset` on, any place and length. Returns how many there were: 0 at the end. */
  read(offset: number, into: Uint8Array): number
  close(): void
}

/** Throws the error of node:fs, or WindowsCallError. */
export function openRaw(path: string): RawVolume {
  const volume = windowsVolume(path)
  if (volume !== undefined) return VolumeHandle.toRead(volume)
  const fd = openSync(path, 'r')
  return {
    read: (offset, into) => readSync(fd, into, 0, into.length, offset),
    close: () => closeSync(fd),
  }
}

/** The volume of Windows that a root names; undefined: it is a file. */
export function windowsVolume(path: string): VolumeName | undefined {
  return platform() === 'win32' ? volumeNameOf(path) : undefined
}

/** What paths in a volume begin with: the name of the file, `C:` on Windows. */
export function rootNameOf(path: string): string {
  return windowsVolume(path)?.name ?? basename(path)
}

/** The disk that an image, a device or a volume of Windows lies on. */
export function deviceBehind(path: string): StorageDevice | undefined {
  const volume = windowsVolume(path)
  return volume === undefined ? storageDeviceOf(path) : storageDeviceOfVolume(volume)
}
