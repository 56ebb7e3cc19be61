import type { FileSystem } from './file-system.js'

/** A query worker (or another reader of segment files) that the store knows. */
export interface ReaderHandle {
  /** The reader has let go of a segment that it was told to drop. */
  confirmDropped(segment: number): void
  /** The reader is gone: nothing waits for it any more. Safe to call again. */
  close(): void
}

interface Retired {
  readonly files: readonly string[]
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

  /** Segments whose readers have not all let go. */
  get waiting(): number[] {
    return [...this.retired.keys()]
  }

  /** The manifest names the segment no more. `announced`: readers knew it and were told to drop it. */
  retire(segment: number, files: readonly string[], announced: boolean): void {
    const waiting = { files, readers: new Set(announced ? this.readers : []) }
    this.retired.set(segment, waiting)
    this.removeIfFree(segment, waiting)
  }

  /** Resolves when every removal that was begun is done. */
  settled(): Promise<void> {
    return this.removing
  }

  private removeIfFree(segment: number, { files, readers }: Retired): void {
    if (readers.size > 0) return
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
