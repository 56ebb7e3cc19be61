import { readdirSync, statSync } from 'node:fs'
import type { FollowedTable } from '@hotpath/model'
import type { ChangeLogOptions, FreshStart } from './change-log.js'
import { LogFile, logFileName, RecordReader } from './log-file.js'
import { RecordFlag } from './log-file-format.js'
import type { LogMark } from './log-mark.js'
import { decodeCatalogue, decodeHead, type TransactionHead } from './transaction-head.js'

export interface RecoveredLog {
  readonly epoch: string
  /** Oldest first; those that hold no transaction are left out. */
  readonly files: LogFile[]
  readonly sequence: number
  readonly position: Uint8Array
  readonly tables: readonly FollowedTable[]
}

/** What an earlier process left of a log, or why it cannot be continued. */
export function recoverFiles(
  directory: string,
  mark: LogMark | undefined,
  boot: string,
  { encryptionKey }: Pick<ChangeLogOptions, 'encryptionKey'>,
): RecoveredLog | NonNullable<FreshStart> {
  if (mark === undefined) return readdirSync(directory).length === 0 ? 'new' : 'damage'
  // Another boot: whether the disk has all that was told, nobody can say.
  if (!mark.closed && mark.boot !== boot) return 'power-loss'
  const opened: LogFile[] = []
  for (const number of numbersIn(directory)) {
    const file = LogFile.open(directory, number, encryptionKey)
    if (file === undefined) return encryptionKey === undefined ? 'damage' : 'key'
    opened.push(file)
  }
  const last = opened.at(-1)
  if (last === undefined) return 'damage'
  for (const [i, file] of opened.entries()) {
    if (file.header.epoch !== mark.epoch) return 'damage'
    const next = opened[i + 1]
    if (next === undefined) break
    if (next.header.number !== file.header.number + 1) return 'damage'
    // Another file follows only a whole one; what it holds is read when somebody asks for it.
    file.commitTo(statSync(file.path).size, next.header.firstSequence - 1, next.header.created)
  }
  const state = readToEnd(last)
  if (state === undefined || (mark.closed && mark.sequence !== last.lastSequence)) return 'damage'
  if (last.isEmpty) {
    last.remove()
    opened.pop()
  }
  return { epoch: mark.epoch, files: opened, sequence: last.lastSequence, ...state }
}

/** Reads a file to the end of its last whole transaction, which is where it ends from now on. Undefined: it does not even say its tables. */
function readToEnd(file: LogFile): Pick<RecoveredLog, 'position' | 'tables'> | undefined {
  const { size } = statSync(file.path)
  const records = new RecordReader(file)
  const catalogue = records.next(size)
  if (catalogue === undefined || (catalogue.flags & RecordFlag.catalogue) === 0) return undefined
  const known = decodeCatalogue(catalogue.content)
  const tables = new Map(known.tables.map(table => [table.name, table]))
  let { position } = known
  let { lastSequence, lastAt } = file
  let end = records.offset
  let open: TransactionHead | undefined
  for (let record = records.next(size); record !== undefined; record = records.next(size)) {
    const { flags, content } = record
    if ((flags & RecordFlag.first) !== 0) open = decodeHead(content, (flags & RecordFlag.hasTables) !== 0).head
    if (open === undefined || record.sequence !== lastSequence + 1) break
    if ((flags & RecordFlag.last) === 0) continue
    for (const table of open.tables) tables.set(table.name, table)
    position = open.position
    lastAt = open.committed
    lastSequence = record.sequence
    end = records.offset
    open = undefined
  }
  file.endsAt(end, lastSequence, lastAt)
  return { position, tables: [...tables.values()] }
}

/** Numbers of the files, rising. */
function numbersIn(directory: string): number[] {
  return readdirSync(directory)
    .map(name => ({ name, number: Number(/^changes-(\d{12})\.log$/.exec(name)?.[1] ?? Number.NaN) }))
    .filter(({ name, number }) => number > 0 && name === logFileName(number))
    .map(({ number }) => number)
    .sort((a, b) => a - b)
}
