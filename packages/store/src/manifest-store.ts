import { encodeManifest, type Manifest } from '@hotpath/index-format'
import { type FileSystem, publishFile } from './file-system.js'
import { MANIFEST_NAME } from './store-files.js'

/** Replaces the manifest, one write at a time; requests that come while one runs share the next. */
export class ManifestStore {
  private next: Promise<void> | undefined
  private last: Promise<void> = Promise.resolve()

  constructor(
    private readonly fs: FileSystem,
    private readonly directory: string,
    /** The manifest as of now. Throws if none may be written any more. */
    private readonly snapshot: () => Manifest,
  ) {}

  /** Resolves when a manifest is on disk that says at least what was true at the call. */
  write(): Promise<void> {
    this.next ??= this.last.then(() => {
      this.next = undefined
      return publishFile(this.fs, this.directory, MANIFEST_NAME, encodeManifest(this.snapshot()))
    })
    this.last = this.next
    return this.next
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    for (let seen: Promise<void> | undefined; seen !== this.last; ) {
      seen = this.last
      // Whoever asked for it is told.
      await seen.catch(() => {})
    }
  }
}
