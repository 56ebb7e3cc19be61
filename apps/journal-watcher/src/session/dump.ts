import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { type ChangeColumns, Kind, type NodeRef, Op, type RootSpec, type TimeColumn } from '@hotpath/model'
import { escapeBytesForTerminal, escapeForTerminal } from '@hotpath/service'
import { ChangeWatcher, type ChangeWatcherOptions } from '../change-watcher.js'

const KINDS = new Map<number, string>(Object.entries(Kind).map(([name, value]) => [value, name]))

export type DumpOptions = Omit<ChangeWatcherOptions, 'sink' | 'source'>

/**
 * Follows roots without a store and writes what it would be sent as text, fields separated by tabs:
 *
 *     state    armed|unwatched|lost  mechanism  root  reason
 *     present  parent ref  kind  size  modified  ref  name
 *     absent   parent ref  name
 *     listed   directory ref
 *     part     directory ref  from  before
 *     named    ref
 *
 * Names are escaped for terminals; unknown values are `-`. Returns the function that ends it.
 */
export function dumpChanges(roots: readonly string[], options: DumpOptions, out: Writable): () => void {
  const write = (...fields: (string | number)[]) => void out.write(`${fields.join('\t')}\n`)
  const watcher = new ChangeWatcher({
    ...options,
    source: 'dump',
    sink: {
      get hasRoom() {
        return !out.writableNeedDrain
      },
      changes: (_root, _source, changes) => {
        for (let row = 0; row < changes.entries.count; row++) {
          // The second row of a part is told with the first.
          if (changes.op[row] !== Op.listedBefore) write(...rowFields(changes, row))
        }
      },
      state: ({ state, mechanism, root, reason }) =>
        write('state', state, mechanism, escapeForTerminal(root), escapeForTerminal(reason)),
      report: () => {},
      barrierDone: () => {},
    },
  })
  const resume = () => watcher.roomAvailable()
  out.on('drain', resume)
  for (const path of roots) {
    const spec: RootSpec = { id: resolve(path), kind: 'tree', path: resolve(path) }
    watcher.watch(spec, { excludes: [], crossFileSystems: false, threads: 0, namesOnly: false })
  }
  return () => {
    out.off('drain', resume)
    watcher.stop()
  }
}

function rowFields({ op, parentRef, entries }: ChangeColumns, row: number): (string | number)[] {
  const parent = refText({ low: parentRef.low[row]!, high: parentRef.high[row]!, birth: parentRef.birth[row]! })
  const nameAt = (at: number): string =>
    escapeBytesForTerminal(entries.names.subarray(entries.nameOffsets[at]!, entries.nameOffsets[at + 1]!))
  const name = nameAt(row)
  if (op[row] === Op.listed) return ['listed', parent]
  if (op[row] === Op.listedFrom) return ['part', parent, name, nameAt(row + 1)]
  if (op[row] === Op.absent) return ['absent', parent, name]
  const size = entries.size[row]!
  const ref = entries.ref!
  const node = refText({ low: ref.low[row]!, high: ref.high[row]!, birth: ref.birth[row]! })
  if (op[row] === Op.named) return ['named', node]
  return [
    'present',
    parent,
    KINDS.get(entries.kind[row]!) ?? 'unknown',
    Number.isNaN(size) ? '-' : size,
    timeText(entries.modified, row),
    node,
    name,
  ]
}

function refText({ low, high, birth }: NodeRef): string {
  return `${(BigInt(high) << 32n) | BigInt(low)}.${birth.toString(16)}`
}

function timeText(column: TimeColumn | undefined, row: number): string {
  const seconds = column?.seconds[row]
  if (column === undefined || seconds === undefined || Number.isNaN(seconds)) return '-'
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return `${seconds}s`
  return date.toISOString().replace('.000Z', `.${String(column.ticks[row]).padStart(7, '0')}Z`)
}
