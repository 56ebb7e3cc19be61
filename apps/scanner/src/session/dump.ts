import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { type EntryColumns, Kind, type RootSpec, type TimeColumn } from '@hotpath/model'
import { escapeBytesForTerminal, escapeForTerminal } from '@hotpath/service'
import type { ScanSource } from './scan-source.js'

const KINDS = new Map<number, string>(Object.entries(Kind).map(([name, value]) => [value, name]))
const STUB_BIT = 0x80

/**
 * Writes what a scan would send as text, fields separated by tabs:
 *
 *     begin  tree|list|volume  root  volume  prefix
 *     listed directory  observed (µs)
 *     row    parent  directory  kind  size  modified  changed  created  ref  name
 *     end    entries  directories  errors
 *
 * Names are escaped for terminals; unknown values are `-`. Waits where the reader is slower.
 */
export async function dumpScan(root: RootSpec, source: ScanSource, out: Writable): Promise<void> {
  const write = async (text: string) => {
    if (text === '' || out.write(text) || out.destroyed) return
    const waited = new AbortController()
    const { signal } = waited
    await Promise.race([once(out, 'drain', { signal }), once(out, 'close', { signal })]).finally(() => waited.abort())
  }
  await write(
    line('begin', root.kind, escapeForTerminal(root.path), source.volume, escapeBytesForTerminal(source.prefix)),
  )
  for await (const { entries, listedDirectory, listedObserved } of source.batches()) {
    let text = ''
    for (let i = 0; i < listedDirectory.length; i++) text += line('listed', listedDirectory[i]!, listedObserved[i]!)
    for (let row = 0; row < entries.count; row++) text += rowLine(entries, row)
    await write(text)
  }
  const { entries, directories, errors } = source.progress()
  for (const { line: number, path, message } of source.problems())
    await write(line('problem', number, escapeBytesForTerminal(path), escapeForTerminal(message)))
  await write(line('end', entries, directories, errors))
}

function line(...fields: (string | number)[]): string {
  return `${fields.join('\t')}\n`
}

function rowLine(entries: EntryColumns, row: number): string {
  const { kind, size, ref } = entries
  const isStub = (kind[row]! & STUB_BIT) !== 0
  const word = KINDS.get(kind[row]! & ~STUB_BIT) ?? String(kind[row])
  const name = entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!)
  return line(
    'row',
    entries.parent[row]!,
    entries.directory[row]!,
    isStub ? `${word}(stub)` : word,
    Number.isNaN(size[row]!) ? '-' : size[row]!,
    timeText(entries.modified, row),
    timeText(entries.changed, row),
    timeText(entries.created, row),
    ref === undefined
      ? '-'
      : `${(BigInt(ref.high[row]!) << 32n) | BigInt(ref.low[row]!)}.${ref.birth[row]!.toString(16)}`,
    escapeBytesForTerminal(name),
  )
}

function timeText(column: TimeColumn | undefined, row: number): string {
  const seconds = column?.seconds[row]
  if (column === undefined || seconds === undefined || Number.isNaN(seconds)) return '-'
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return `${seconds}s`
  return date.toISOString().replace('.000Z', `.${String(column.ticks[row]).padStart(7, '0')}Z`)
}
