export { DirectoryHandle } from './directory-handle.js'
export { isWindowsFailure, WindowsCallError, WindowsCode } from './errors.js'
export { kernel32, type VolumeCalls } from './kernel32.js'
export {
  enumUsnData,
  ntfsFileRecord,
  ntfsVolumeData,
  queryUsnJournal,
  readUsnJournal,
  storageDeviceOfVolume,
} from './volume-control.js'
export { type VolumeControl, VolumeHandle, volumeInformation } from './volume-handle.js'
export { type VolumeName, volumeNameOf } from './volume-name.js'
