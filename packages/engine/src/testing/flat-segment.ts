import { writeFileSync } from 'node:fs'
import type { Scoring } from '@hotpath/hot-score'
import { buildSegment, MemorySink } from '@hotpath/index-format'
import { type EntryColumns, Kind } from '@hotpath/model'
import type { Entry } from '@hotpath/query'
import { Engine } from '../engine.js'
import type { SegmentOpener } from '../segment-opener.js'

/** Row 0 is a root directory without a name, row i + 1 the i-th file in it; every size is 0. */
export function flatColumns(names: readonly Uint8Array[]): EntryColumns {
  const all = [new Uint8Array(0), ...names]
  const nameOffsets = new Uint32Array(all.length + 1)
  all.forEach((name, i) => {
    nameOffsets[i + 1] = nameOffsets[i] + name.length
  })
  return {
    count: all.length,
    parent: Uint32Array.from(all, (_, i) => (i === 0 ? 0 : 1)),
    directory: Uint32Array.from(all, (_, i) => (i === 0 ? 1 : 0)),
    kind: Uint8Array.from(all, (_, i) => (i === 0 ? Kind.directory : Kind.file)),
    nameOffsets,
    names: Buffer.concat(all),
    size: new Float64Array(all.length),
  }
}

export function writeSegment(columns: EntryColumns, file: string): void {
  const sink = new MemorySink()
  buildSegment(columns, sink)
  writeFileSync(file, sink.bytes())
}

/** An engine with one view (1, of the volume `v`) that has one segment. Damage is thrown. */
export function engineOver(file: string, opener: SegmentOpener, scoring?: Scoring): Engine {
  const fail = (_view: number, _segment: number, error: Error): never => {
    throw error
  }
  const engine = new Engine(opener, () => {}, fail, scoring)
  engine.apply([
    { op: 'createView', view: 1, root: 'r', volume: 'v', prefix: new Uint8Array(0), virtualRoot: false },
    { op: 'addSegment', view: 1, segment: 1, file, dead: new Uint8Array(0), origin: 'scan' },
    { op: 'activateView', view: 1, root: 'r', partial: false },
  ])
  return engine
}

/** Last components as text. */
export function namesOf(entries: readonly Pick<Entry, 'components'>[]): string[] {
  return entries.map(({ components }) => Buffer.from(components[components.length - 1]).toString())
}
