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
import { openRawFile, type RawVolume } from './raw-file.js'
import { VolumeFile } from './volume-file.js'

/** Throws the error of node:fs, or WindowsCallError. */
export function openRaw(path: string): RawVolume {
  const volume = windowsVolume(path)
  return volume === undefined ? openRawFile(path) : VolumeHandle.toRead(volume)
}

/** Throws the error of node:fs, or WindowsCallError. */
export function openVolumeFile(path: string): VolumeFile {
  return new VolumeFile(path, openRaw(path))
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
