import { type FileHandle, open, rename } from 'node:fs/promises'
import { encodeHotHeader, type HotPage, HotTable, type Scoring } from '@hotpath/hot-score'
import { CorruptFileError } from '@hotpath/model'

/** Owner only: what was opened is nobody else's business. */
const MODE = 0o600

/** Pages in one call: copies of 256 KiB, made in some ten microseconds. */
const MAX_RUN = 64

export interface OpenedHotDb {
  readonly db: HotDb
  readonly table: HotTable
  /** Records that were lost to damage. */
  readonly damaged: number
  /** Why the former file was set aside as `hot.db.damaged`. */
  readonly setAside: CorruptFileError | undefined
}

/**
 * `hot.db` on disk (docs/formats/hot.md). Pages are written in place with `pwrite` and then synced; what changes while that
 * goes on waits. Records never cross a sector, so a write that is torn costs at most the record that it was in, and a killed
 * process nothing of what was handed over to the kernel.
 */
export class HotDb {
  /** The first write that failed: nothing is written after it. Ranking goes on from memory. */
  failure: Error | undefined
  private writing: Promise<void> | undefined

  private constructor(
    private readonly handle: FileHandle,
    private readonly table: HotTable,
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
      return { db: new HotDb(existing, table, onFailure), table, damaged, setAside: undefined }
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
    const table = new HotTable(scoring)
    return { db: new HotDb(handle, table, onFailure), table, damaged: 0, setAside }
  }

  /** Resolves when all that has changed in the table is on disk, or writing has failed. */
  write(): Promise<void> {
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined
    })
    return this.writing
  }

  private async writeAll(): Promise<void> {
    try {
      for (let pages = this.table.takeUnwritten(); pages.length > 0; pages = this.table.takeUnwritten()) {
        if (this.failure !== undefined) return
        for (const run of neighbours(pages)) await this.writeRun(run.map(page => this.table.page(page)))
        await this.handle.datasync()
      }
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error))
      this.onFailure(this.failure)
    }
  }

  private async writeRun(pages: readonly HotPage[]): Promise<void> {
    const expected = pages.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const { bytesWritten } = await this.handle.writev(
      pages.map(({ bytes }) => bytes),
      pages[0].offset,
    )
    if (bytesWritten !== expected) throw new Error(`wrote ${bytesWritten} of ${expected} bytes`)
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

/** Pages that follow each other are written at once. */
function neighbours(pages: readonly number[]): number[][] {
  const runs: number[][] = []
  for (const page of pages) {
    const last = runs.at(-1)
    if (last?.at(-1) === page - 1 && last.length < MAX_RUN) last.push(page)
    else runs.push([page])
  }
  return runs
}
