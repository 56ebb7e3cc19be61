import { kernel32, type VolumeCalls, type VolumeControl, VolumeHandle, type VolumeName } from '@hotpath/platform'
import { VolumeFile } from '@hotpath/scanner'
import { VolumeImage } from './volume-image.js'

/**
 * A volume of Windows that is read and whose journal is asked for, through one handle. It is open only while it is looked at: a handle that
 * stays open would keep others from locking the volume, as who ejects or checks it does.
 */
export class WindowsVolume extends VolumeImage implements VolumeControl {
  #handle: VolumeHandle | undefined

  constructor(
    path: string,
    readonly volume: VolumeName,
    private readonly calls: VolumeCalls = kernel32(),
  ) {
    super(path)
  }

  /** Throws WindowsCallError, also if the volume cannot be opened. */
  control(call: string, code: number, input: Uint8Array | null, output: Uint8Array): Uint8Array {
    return this.#opened().control(call, code, input, output)
  }

  override close(): void {
    super.close()
    this.#handle?.close()
    this.#handle = undefined
  }

  /** Nothing says so but its journal. */
  override mayHaveChanged(): boolean {
    return true
  }

  protected override open(): VolumeFile {
    return new VolumeFile(this.path, this.#opened())
  }

  #opened(): VolumeHandle {
    this.#handle ??= VolumeHandle.toRead(this.volume, this.calls)
    return this.#handle
  }
}
