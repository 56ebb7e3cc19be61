import { setTimeout as sleep } from 'node:timers/promises'
import { CorruptFileError, UnavailableError } from '@hotpath/model'
import { nativeProblem } from '@hotpath/platform'
import {
  type ByteSource,
  LogOverwrittenError,
  type PageSource,
  pageCountOf,
  parseDatabaseHeader,
  parseWalHeader,
  readSchema,
  type SchemaObject,
  WAL_HEADER_BYTES,
  type WalHeader,
  WalPages,
  WalReader,
} from '@hotpath/sqlite'
import { type DatabaseKey, openCodec } from '../database-key.js'
import { share } from '../file-copy.js'
import { OpenFile } from '../open-file.js'
import type { PageCodec } from '../page-codec.js'
import { hasHotJournal } from '../rollback-journal.js'
import { unshare } from '../sqlite-locks.js'

/** A writer may change what is being read. */
const ATTEMPTS = 5
const RETRY_MS = 50

/**
 * The schema of a database that others may be writing, for who asks once: reads only its first pages and its log, and begins anew where something was
 * changed meanwhile. Throws CorruptFileError, WrongKeyError, UnavailableError, and what the system says.
 */
export async function schemaOf(path: string, key: DatabaseKey): Promise<readonly SchemaObject[]> {
  const file = OpenFile.open(path)
  if (file === undefined) throw new UnavailableError(`${JSON.stringify(path)}: there is no such file`)
  try {
    const codec = await openCodec(file, key)
    for (let attempt = 1; ; attempt++) {
      const read = attemptSchema(file, codec)
      if (Array.isArray(read)) return read
      if (attempt === ATTEMPTS) throw read
      await sleep(RETRY_MS)
    }
  } finally {
    file.close()
  }
}

/** An error where it may be different the next time. */
function attemptSchema(file: OpenFile, codec: PageCodec): readonly SchemaObject[] | Error {
  const log = OpenFile.open(`${file.path}-wal`)
  const busy = new UnavailableError(`${JSON.stringify(file.path)} is being changed all the time`)
  // As copies of databases are made (file-copy.ts); it takes less than a millisecond.
  const isLocked = log === undefined && nativeProblem() === null
  if (isLocked && !share(file)) return busy
  try {
    const before = stateOf(file, log)
    const { source, hasMore } = newestPages(file, log, codec)
    const found = readSchema(source)
    // What was committed meanwhile may be in the database already, by a checkpoint.
    if (!hasMore() && stateOf(file, log) === before && !hasHotJournal(file)) return found
    return busy
  } catch (error) {
    if (error instanceof CorruptFileError || error instanceof LogOverwrittenError) return error
    throw error
  } finally {
    if (isLocked) unshare(file.fd)
    log?.close()
  }
}

/** Other bytes where something was committed without a log, written back, or where the log began again. */
function stateOf(file: OpenFile, log: OpenFile | undefined): string {
  const parts = [file.read(0, 512), log?.read(0, WAL_HEADER_BYTES) ?? new Uint8Array(0)]
  return Buffer.concat(parts).toString('latin1')
}

/** Pages as the last commit in the log left them, in clear; and whether there is another commit now. */
function newestPages(
  file: OpenFile,
  log: OpenFile | undefined,
  codec: PageCodec,
): { readonly source: PageSource; hasMore(): boolean } {
  const { pageSize, usableSize } = codec
  const stored = (no: number): Uint8Array => file.read((no - 1) * pageSize, pageSize)
  const commits: WalPages[] = []
  let pageCount: number | undefined
  let reader: WalReader | undefined
  const header = log === undefined ? undefined : headerOfLog(log)
  if (log !== undefined && header?.pageSize === pageSize) {
    const source: ByteSource = { file: log.path, read: (offset, target) => log.readInto(target, offset) }
    reader = new WalReader(source, header)
    for (const commit of reader.commits(Number.MAX_SAFE_INTEGER)) {
      commits.unshift(new WalPages(source, header, commit.frames))
      pageCount = commit.pageCount
    }
  }
  const plain = (no: number): Uint8Array => codec.plain(no, commits.find(pages => pages.has(no))?.get(no) ?? stored(no))
  pageCount ??= pageCountOf(parseDatabaseHeader({ file: file.path, bytes: plain(1), offset: 0 }), file.sizeBytes)
  return {
    source: { file: file.path, pageSize, usableSize, pageCount, page: plain },
    hasMore: () => reader?.next(Number.MAX_SAFE_INTEGER).kind === 'commit',
  }
}

function headerOfLog(log: OpenFile): WalHeader | undefined {
  if (log.sizeBytes < WAL_HEADER_BYTES) return undefined
  try {
    return parseWalHeader({ file: log.path, bytes: log.read(0, WAL_HEADER_BYTES), offset: 0 })
  } catch (error) {
    if (error instanceof CorruptFileError) return undefined
    throw error
  }
}
