import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { encodeHotHeader, type HotPage, HotTable, type Scoring } from '@hotpath/hot-score'
import { CorruptFileError, systemFailureOf } from '@hotpath/model'

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
    /** Undefined where the disk takes nothing: nothing is written then. */
    private readonly handle: FileHandle | undefined,
    private readonly table: HotTable,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /**
   * Opens the file, or begins one. A file whose header is damaged is set aside. Where the disk takes nothing (it is full, or
   * read-only) nothing is written from the start, and `failure` says why.
   * @throws UnsupportedVersionError for a file of another version, or the error of a file call that was to read
   */
  static async open(file: string, scoring: Scoring, onFailure: (error: Error) => void): Promise<OpenedHotDb> {
    const existing = await openExisting(file)
    if (existing === undefined) return HotDb.begin(file, scoring, onFailure, undefined)
    const { handle, refusal } = existing
    try {
      const { table, damaged } = HotTable.load(await handle.readFile(), file, scoring)
      const db = new HotDb(refusal ? undefined : handle, table, onFailure)
      if (refusal) {
        await handle.close()
        db.fail(refusal)
      }
      return { db, table, damaged, setAside: undefined }
    } catch (error) {
      await handle.close()
      if (!(error instanceof CorruptFileError)) throw error
      return HotDb.begin(file, scoring, onFailure, error)
    }
  }

  /** @param setAside what is wrong with a file that is there */
  private static async begin(
    file: string,
    scoring: Scoring,
    onFailure: (error: Error) => void,
    setAside: CorruptFileError | undefined,
  ): Promise<OpenedHotDb> {
    const table = new HotTable(scoring)
    try {
      if (setAside) await rename(file, `${file}.damaged`)
      return { db: new HotDb(await makeFile(file), table, onFailure), table, damaged: 0, setAside }
    } catch (error) {
      if (!(error instanceof Error) || systemFailureOf(error) === undefined) throw error
      const db = new HotDb(undefined, table, onFailure)
      db.fail(error)
      return { db, table, damaged: 0, setAside }
    }
  }

  /** Resolves when all that has changed in the table is on disk, or writing has failed. */
  write(): Promise<void> {
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined
    })
    return this.writing
  }

  private async writeAll(): Promise<void> {
    const { handle } = this
    try {
      for (let pages = this.table.takeUnwritten(); pages.length > 0; pages = this.table.takeUnwritten()) {
        if (handle === undefined || this.failure !== undefined) return
        for (const run of neighbours(pages)) {
          const copies = run.map(page => this.table.page(page))
          await this.writeRun(handle, copies)
        }
        await handle.datasync()
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  private fail(error: Error): void {
    this.failure = error
    this.onFailure(error)
  }

  private async writeRun(handle: FileHandle, pages: readonly HotPage[]): Promise<void> {
    const expected = pages.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const { bytesWritten } = await handle.writev(
      pages.map(({ bytes }) => bytes),
      pages[0].offset,
    )
    if (bytesWritten !== expected) throw new Error(`wrote ${bytesWritten} of ${expected} bytes`)
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.writing
    await this.handle?.close()
  }
}

/** A file that is there; with `refusal` it is open for reading only. */
async function openExisting(file: string): Promise<{ handle: FileHandle; refusal?: Error } | undefined> {
  try {
    return { handle: await open(file, 'r+') }
  } catch (error) {
    const code = systemFailureOf(error)?.code
    if (code === 'ENOENT') return undefined
    if (code === 'EROFS' && error instanceof Error) return { handle: await open(file, 'r'), refusal: error }
    throw error
  }
}

/** A new file that holds nothing. One that cannot be begun is not left behind. */
async function makeFile(file: string): Promise<FileHandle> {
  const handle = await open(file, 'wx+', MODE)
  try {
    await handle.write(encodeHotHeader(), 0, undefined, 0)
    return handle
  } catch (error) {
    await handle.close()
    await unlink(file)
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
