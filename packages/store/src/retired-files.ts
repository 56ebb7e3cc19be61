import type { FileSystem } from './file-system.js'

/** A query worker (or another reader of segment files) that the store knows. */
export interface ReaderHandle {
  /** The reader has let go of a segment that it was told to drop. */
  confirmDropped(segment: number): void
  /** The reader is gone: nothing waits for it any more. Safe to call again. */
  close(): void
}

interface Retired {
  /** Undefined while the manifest names the segment. */
  files: readonly string[] | undefined
  /** Those that have not let go. */
  readonly readers: Set<object>
}

/** Segments that no view needs any more: their files are removed when every reader has let go. */
export class RetiredFiles {
  private readonly readers = new Set<object>()
  private readonly retired = new Map<number, Retired>()
  private removing: Promise<void> = Promise.resolve()

  constructor(
    private readonly fs: FileSystem,
    private readonly onError: (error: Error) => void,
  ) {}

  register(): ReaderHandle {
    const reader = {}
    this.readers.add(reader)
    return {
      confirmDropped: segment => {
        const waiting = this.retired.get(segment)
        if (waiting?.readers.delete(reader)) this.removeIfFree(segment, waiting)
      },
      close: () => {
        this.readers.delete(reader)
        for (const [segment, waiting] of this.retired) {
          if (waiting.readers.delete(reader)) this.removeIfFree(segment, waiting)
        }
      },
    }
  }

  /** Segments whose files have not been removed. */
  get waiting(): number[] {
    return [...this.retired.keys()]
  }

  /** Readers are told right after this to drop the segment: what they confirm counts from now on. */
  announce(segment: number): void {
    if (!this.retired.has(segment)) this.retired.set(segment, { files: undefined, readers: new Set(this.readers) })
  }

  /** The manifest names the segment no more: its files go when all readers have let go that were told to. */
  retire(segment: number, files: readonly string[]): void {
    const retired = this.retired.get(segment) ?? { files, readers: new Set() }
    retired.files = files
    this.retired.set(segment, retired)
    this.removeIfFree(segment, retired)
  }

  /** Resolves when every removal that was begun is done. */
  settled(): Promise<void> {
    return this.removing
  }

  private removeIfFree(segment: number, { files, readers }: Retired): void {
    if (files === undefined || readers.size > 0) return
    this.retired.delete(segment)
    this.removing = this.removing.then(async () => {
      try {
        for (const file of files) await this.fs.remove(file)
      } catch (error) {
        // What is left over is an orphan, which the next opening removes.
        this.onError(error instanceof Error ? error : new Error(String(error)))
      }
    })
  }
}
