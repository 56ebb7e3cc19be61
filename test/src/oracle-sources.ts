import { type BigIntStats, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { Kind } from '@hotpath/model'
import { EntryTable, type Moment, UNKNOWN } from './oracle-table.js'

const SLASH = Buffer.from('/')
const NANOSECONDS = 1_000_000_000n
/** Seconds from 1601, where FILETIME begins, to 1970. */
const FILETIME_EPOCH_SECONDS = 11_644_473_600
const TICK_DIGITS = 7

/** What a tree holds now: a walk with `lstat` that stays in the root's file system, as a scan does. */
export function readTree(root: string): EntryTable {
  const table = new EntryTable()
  const { dev } = lstatSync(root, { bigint: true })
  const visit = (path: Buffer): void => {
    const stats = lstatSync(path, { bigint: true })
    const kind = kindOf(stats)
    table.set(path.toString('latin1'), {
      kind,
      size: Number(stats.size),
      modified: momentOf(stats.mtimeNs),
      created: stats.birthtimeNs === 0n ? UNKNOWN : momentOf(stats.birthtimeNs),
      accessed: UNKNOWN,
      changed: momentOf(stats.ctimeNs),
      attributes: 0,
    })
    if (kind !== Kind.directory || stats.dev !== dev) return
    for (const name of readdirSync(path, { encoding: 'buffer' })) visit(Buffer.concat([path, SLASH, name]))
  }
  visit(Buffer.from(root))
  return table
}

function kindOf(stats: BigIntStats): Kind {
  if (stats.isDirectory()) return Kind.directory
  if (stats.isSymbolicLink()) return Kind.symlink
  return stats.isFile() ? Kind.file : Kind.other
}

function momentOf(nanoseconds: bigint): Moment {
  const rest = ((nanoseconds % NANOSECONDS) + NANOSECONDS) % NANOSECONDS
  return { seconds: Number((nanoseconds - rest) / NANOSECONDS), ticks: Number(rest / 100n) }
}

/**
 * What a list in EFU holds, read in the plainest way: fields of the columns that tests write, times as FILETIME, no line
 * ends in names. A directory that is listed twice counts as first listed, anything else as last listed, and a
 * directory wins over what else has its path.
 */
export function readList(file: string): EntryTable {
  const table = new EntryTable()
  const bytes = readFileSync(file)
  let columns: readonly string[] | undefined
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(0x0a, start)
    const end = found < 0 ? bytes.length : found
    const line = bytes.toString('latin1', start, end).replace(/\r$/, '')
    start = end + 1
    if (line === '') continue
    const values = fieldsOf(line)
    if (columns === undefined) {
      columns = values
      continue
    }
    const names = columns
    const field = (column: string) => values[names.indexOf(column)] ?? ''
    const written = field('Filename')
    const path = pathOf(written)
    const attributes = Number(field('Attributes') || '0')
    const isDirectory = (attributes & 0x10) !== 0 || /\/$/.test(written)
    const kind = isDirectory
      ? Kind.directory
      : (attributes & 0x400) !== 0
        ? Kind.symlink
        : (attributes & 0x40) !== 0
          ? Kind.other
          : Kind.file
    const known = table.find(path)
    if (known !== undefined && table.isDirectory(known)) continue
    table.set(path, {
      kind,
      size: field('Size') === '' ? Number.NaN : Number(field('Size')),
      modified: fileTime(field('Date Modified')),
      created: fileTime(field('Date Created')),
      accessed: fileTime(field('Date Accessed')),
      changed: UNKNOWN,
      attributes,
    })
  }
  return table
}

function fieldsOf(line: string): string[] {
  const fields: string[] = []
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
  }
  return fields
}

/** A path as the index shows it: `/` between components, also where a drive or a server is written with `\`. */
function pathOf(written: string): string {
  const server = written.startsWith('\\\\') ? '\\\\' : ''
  const isWindows = server !== '' || /^[a-z]:(?:[\\/]|$)/i.test(written)
  const path = isWindows ? server + written.slice(server.length).replaceAll('\\', '/') : written
  const kept = path.split('/').filter((part, index) => part !== '.' && (part !== '' || index === 0))
  return kept.length === 1 && kept[0] === '' ? '/' : kept.join('/')
}

function fileTime(digits: string): Moment {
  if (digits === '' || digits === '0') return UNKNOWN
  const ticks = Number(digits.slice(-TICK_DIGITS))
  return { seconds: Number(digits.slice(0, -TICK_DIGITS)) - FILETIME_EPOCH_SECONDS, ticks }
}
