import { type FileHandle, open, rename } from 'node:fs/promises'
import { encodeHotHeader, HotTable, type HotWrite, type Scoring } from '@hotpath/hot-score'
import { CorruptFileError } from '@hotpath/model'

/** Owner only: what was opened is nobody else's business. */
const MODE = 0o600

export interface OpenedHotDb {
  readonly db: HotDb
  readonly table: HotTable
  /** Records that were lost to damage. */
  readonly damaged: number
  /** Why the former file was set aside as `hot.db.damaged`. */
  readonly setAside: CorruptFileError | undefined
}

/**
 * `hot.db` on disk (docs/formats/hot.md). Pages are written in place with `pwrite` and then synced; what is handed over while that
 * goes on waits, the last version of each page. Records never cross a sector, so a write that is torn costs at most the
 * record that it was in, and a killed process nothing of what was handed over to the kernel.
 */
export class HotDb {
  /** The first write that failed: nothing is written after it. Ranking goes on from memory. */
  failure: Error | undefined
  private readonly waiting = new Map<number, Uint8Array>()
  private writing: Promise<void> | undefined

  private constructor(
    private readonly handle: FileHandle,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /**
   * Opens the file, or begins one. A file whose header is damaged is set aside.
   * @throws UnsupportedVersionError for a file of another version, or the error of a file call
   */
  static async open(file: string, scoring: Scoring, onFailure: (error: Error) => void): Promise<OpenedHotDb> {
    const existing = await openExisting(file)
    if (existing === undefined) return HotDb.begin(file, scoring, onFailure, undefined)
    try {
      const { table, damaged } = HotTable.load(await existing.readFile(), file, scoring)
      return { db: new HotDb(existing, onFailure), table, damaged, setAside: undefined }
    } catch (error) {
      await existing.close()
      if (!(error instanceof CorruptFileError)) throw error
      await rename(file, `${file}.damaged`)
      return HotDb.begin(file, scoring, onFailure, error)
    }
  }

  private static async begin(
    file: string,
    scoring: Scoring,
    onFailure: (error: Error) => void,
    setAside: CorruptFileError | undefined,
  ): Promise<OpenedHotDb> {
    const handle = await open(file, 'wx+', MODE)
    await handle.write(encodeHotHeader(), 0, undefined, 0)
    return { db: new HotDb(handle, onFailure), table: new HotTable(scoring), damaged: 0, setAside }
  }

  /** Resolves when the pages are on disk, or writing has failed. */
  write(pages: readonly HotWrite[]): Promise<void> {
    for (const { offset, bytes } of pages) this.waiting.set(offset, bytes)
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined
    })
    return this.writing
  }

  private async writeAll(): Promise<void> {
    try {
      while (this.waiting.size > 0 && this.failure === undefined) {
        const runs = neighbours([...this.waiting].sort((a, b) => a[0] - b[0]))
        this.waiting.clear()
        for (const [offset, pages] of runs) {
          const { bytesWritten } = await this.handle.writev(pages, offset)
          const expected = pages.reduce((sum, page) => sum + page.length, 0)
          if (bytesWritten !== expected) throw new Error(`wrote ${bytesWritten} of ${expected} bytes`)
        }
        await this.handle.datasync()
      }
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error))
      this.onFailure(this.failure)
    }
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.writing
    await this.handle.close()
  }
}

async function openExisting(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r+')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Pages that follow each other, to be written at once. */
function neighbours(pages: readonly [number, Uint8Array][]): [number, Uint8Array[]][] {
  const runs: [number, Uint8Array[]][] = []
  let end = -1
  for (const [offset, bytes] of pages) {
    if (offset === end) runs.at(-1)?.[1].push(bytes)
    else runs.push([offset, [bytes]])
    end = offset + bytes.length
  }
  return runs
}
