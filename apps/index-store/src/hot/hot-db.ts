import { basename, dirname } from 'node:path'
import { encodeHotHeader, type HotPage, HotTable, type Scoring } from '@hotpath/hot-score'
import { CorruptFileError, type Lack, lackOf, systemFailureOf } from '@hotpath/model'
import { type FileSystem, NodeFileSystem, type PageFile, publishFile } from '@hotpath/store'

/** Pages in one call: copies of 256 KiB, made in some ten microseconds. */
const MAX_RUN = 64
/** 64 million records: 200 times what a table may hold. */
const MAX_FILE_BYTES = 2 ** 31

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
  /** The first write that failed: nothing is written after it, until `tryAgain`. Ranking goes on from memory. */
  failure: Error | undefined
  private pages: PageFile | undefined
  private writing: Promise<void> | undefined

  private constructor(
    private readonly fs: FileSystem,
    private readonly file: string,
    private readonly table: HotTable,
    private readonly onFailure: (error: Error) => void,
    /** What is to be done before the file can be written. */
    private readonly todo: { setAside: boolean; begin: boolean },
  ) {}

  /**
   * Opens the file, or begins one. A file whose header is damaged is set aside. Where the disk takes nothing (it is full, or
   * read-only) nothing is written from the start, and `failure` says why.
   * @throws UnsupportedVersionError for a file of another version, or the error of a file call that was to read
   */
  static async open(
    file: string,
    scoring: Scoring,
    onFailure: (error: Error) => void,
    fs: FileSystem = new NodeFileSystem(),
  ): Promise<OpenedHotDb> {
    const loaded = (await fs.size(file)) < 0 ? undefined : await load(fs, file, scoring)
    const setAside = loaded instanceof CorruptFileError ? loaded : undefined
    const { table, damaged } =
      loaded === undefined || loaded instanceof CorruptFileError ? { table: new HotTable(scoring), damaged: 0 } : loaded
    const db = new HotDb(fs, file, table, onFailure, {
      setAside: setAside !== undefined,
      begin: loaded === undefined || setAside !== undefined,
    })
    try {
      await db.openPages()
    } catch (error) {
      if (!(error instanceof Error) || systemFailureOf(error) === undefined) throw error
      db.fail(error)
    }
    return { db, table, damaged, setAside }
  }

  /** Resolves when all that has changed in the table is on disk, or writing has failed. */
  write(): Promise<void> {
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined
    })
    return this.writing
  }

  /**
   * What was missing, where every page that was to be written can be written again. Not so after a failed sync: the next one
   * may succeed for pages that are gone.
   */
  get lack(): Lack | undefined {
    return lackOf(this.failure)
  }

  /** Writes what was held back, once what was missing is there. Does nothing after another failure. */
  async tryAgain(): Promise<void> {
    if (this.lack === undefined) return
    this.failure = undefined
    await this.write()
  }

  private async writeAll(): Promise<void> {
    try {
      while (this.failure === undefined) {
        this.pages ?? (await this.openPages())
        const { pages } = this
        const unwritten = this.table.takeUnwritten()
        if (pages === undefined || unwritten.length === 0) return
        for (const run of neighbours(unwritten)) {
          await this.writeRun(
            pages,
            run.map(page => this.table.page(page)),
          )
        }
        await pages.sync()
      }
    } catch (error) {
      this.table.putBackUnwritten()
      this.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Opens the file for writing; a new one is there whole or not at all. */
  private async openPages(): Promise<void> {
    const { fs, file, todo } = this
    const directory = dirname(file)
    if (todo.setAside) await fs.rename(file, `${file}.damaged`)
    todo.setAside = false
    if (todo.begin) {
      try {
        await publishFile(fs, directory, basename(file), encodeHotHeader())
      } catch (error) {
        await fs.remove(`${file}.tmp`).catch(() => {})
        throw error
      }
      todo.begin = false
    }
    const pages = await fs.openInPlace(file)
    try {
      // What a killed process has left may be in the page cache only, and so may the file's name.
      await pages.sync()
      await fs.syncDirectory(directory)
    } catch (error) {
      await pages.close()
      throw error
    }
    this.pages = pages
  }

  private fail(error: Error): void {
    this.failure = error
    this.onFailure(error)
  }

  private async writeRun(file: PageFile, pages: readonly HotPage[]): Promise<void> {
    const [{ bytes, offset }] = pages
    await file.write(pages.length === 1 ? bytes : Buffer.concat(pages.map(page => page.bytes)), offset)
  }

  /** Removes a damaged file that was set aside: it may still say what was opened. */
  async removeSetAside(): Promise<void> {
    const damaged = `${this.file}.damaged`
    if ((await this.fs.size(damaged)) >= 0) await this.fs.remove(damaged)
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.writing
    await this.pages?.close()
  }
}

/** @returns what the file holds, or why it cannot be read at all */
async function load(
  fs: FileSystem,
  file: string,
  scoring: Scoring,
): Promise<{ table: HotTable; damaged: number } | CorruptFileError> {
  try {
    return HotTable.load(await fs.read(file, MAX_FILE_BYTES), file, scoring)
  } catch (error) {
    if (error instanceof CorruptFileError) return error
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
