import { drive, type FoundFile, filesIn, type ReadRequest, type Volume } from '@hotpath/ntfs'
import { fileVersion } from '@hotpath/platform'
import { openVolumeFile, type VolumeFile } from '@hotpath/scanner'

/** The image or device of a volume: open only while it is read, so that what others write there is seen. */
export class VolumeImage {
  #file: VolumeFile | undefined
  #seen: string | undefined

  constructor(readonly path: string) {}

  /** Throws why it cannot be opened. */
  protected open(): VolumeFile {
    return openVolumeFile(this.path)
  }

  /** Reads a range whole. Throws the error of node:fs, or CorruptFileError where the file ends before it does. */
  readonly read = (request: ReadRequest): Uint8Array => this.readNow(request)

  /**
   * The files that a directory names, each once; undefined: more than `most`. Throws as `read`, and CorruptFileError if its index cannot be
   * read.
   *
   * @param volume as it was read by this
   */
  filesIn(volume: Volume, directory: FoundFile, most: number): FoundFile[] | undefined {
    return drive(filesIn(volume, directory.record, most), this.read)
  }

  protected readNow(request: ReadRequest): Uint8Array {
    this.#file ??= this.open()
    return this.#file.read(request)
  }

  /** The next read opens it anew. */
  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  /**
   * Whether it may be another one than when this was asked last: of a file, its times say so; a device has none that would. Cost: a
   * system call. Throws the error of node:fs if it is not there.
   */
  mayHaveChanged(): boolean {
    const now = fileVersion(this.path)
    const isSame = now !== undefined && now === this.#seen
    this.#seen = now
    return !isSame
  }
}
