export { kernel32, type VolumeCalls } from './kernel32.js'
export {
  enumUsnData,
  ntfsVolumeData,
  queryUsnJournal,
  readUsnJournal,
  storageDeviceOfVolume,
} from './volume-control.js'
export { VolumeHandle, volumeInformation } from './volume-handle.js'
export { type VolumeName, volumeNameOf } from './volume-name.js'
export { isWin32, Win32, Win32Error } from './win32-error.js'
