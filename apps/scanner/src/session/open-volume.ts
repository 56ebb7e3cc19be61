import type { RootSpec } from '@hotpath/model'
import { isWindowsFailure, WindowsCode } from '@hotpath/platform'
import { windowsVolume } from '../volume/raw-volume.js'
import { openNames } from '../volume/volume-names.js'
import type { ScanSource, SourceOptions } from './scan-source.js'
import { VolumeNamesSource } from './volume-names-source.js'
import { VolumeSource } from './volume-source.js'

/** Opens a volume; where Windows refuses to have it read, the names that Windows tells. Throws as VolumeSource. */
export function openVolume(root: RootSpec, options: SourceOptions, namesOf = openNames): ScanSource {
  const volume = windowsVolume(root.path)
  try {
    return new VolumeSource(root, options)
  } catch (refused) {
    if (volume === undefined || !isWindowsFailure(refused, WindowsCode.accessDenied)) throw refused
    try {
      return new VolumeNamesSource(root, options, namesOf(volume))
    } catch {
      // That the volume may not be read is what there is to be done about.
      throw refused
    }
  }
}
