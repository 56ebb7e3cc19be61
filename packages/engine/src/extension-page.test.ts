import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSegment, MemorySink, SegmentReader } from '@hotpath/index-format'
import { loadWasm } from '@hotpath/kernels'
import { type EngineOp, type EntryColumns, Kind } from '@hotpath/model'
import { compareEntries, type Entry, matchesNaively, naiveContext, parseQuery } from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Engine } from './engine.js'
import { KernelSegmentOpener } from './kernel-segment-opener.js'
import { PlainNameMatcher } from './plain-name-matcher.js'

const NOW_MS = Date.UTC(2026, 5, 15, 12)
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const ROUNDS = process.env.SOAK === '1' ? 40 : 1

/** Files of a segment: enough for walks that are broken off, and for those that are not begun. */
const FILES = 6_000
const DIRECTORIES = 40

const BASES = ['a', 'lib', 'Main', 'größe', '日本語', 'README', 'İ', 'py', 'x.y']
const COMMON = ['html', 'PNG', 'h', 'py', 'c', 'gz', 'tar.gz', 'ÄÖ', 'txt']
/** Of all their files. */
const SIZES: Readonly<Record<string, number>> = { '.txt': 1_000_000, '.py': 2_000_000 }
const ODD = ['', '.', '..', '.日本', '.c~', '.C ', '.a.', '.ß', '.\u0301']

interface File {
  readonly directory: number
  readonly name: string
  readonly size: number
}

/**
 * Names with frequent, rare and no extensions, the same name in many directories; and what walks in vain look for: `late`
 * is in names of some extensions alone, first or last of all, and only files of some are large.
 */
function randomFiles(random: Random): File[] {
  const files: File[] = []
  const seen = new Set<string>()
  while (files.length < FILES) {
    const base = `${random.pick(BASES)}${random.chance(0.5) ? random.below(40) : random.below(4_000)}`
    const extension = random.chance(0.7)
      ? `.${random.pick(COMMON)}`
      : random.chance(0.5)
        ? random.pick(ODD)
        : `.${random.below(3_000).toString(36)}`
    const isLate = random.chance(0.05)
    const end = isLate ? random.pick(['late.zzz', 'late.zz', 'late', '-late.0']) : extension
    const file = {
      directory: random.below(DIRECTORIES),
      name: base + end,
      size: (isLate ? 1_000_000 : (SIZES[end] ?? 0)) + random.below(1_000),
    }
    const path = `${file.directory}/${file.name}`
    if (!seen.has(path)) files.push(file)
    seen.add(path)
  }
  return files
}

/** Rows of a segment: the root, its directories, their files. */
function columnsOf(files: readonly File[]): EntryColumns {
  const directories = ['root', ...Array.from({ length: DIRECTORIES }, (_, i) => `d${i}`)]
  const names = [...directories, ...files.map(({ name }) => name)].map(name => Buffer.from(name))
  const nameOffsets = new Uint32Array(names.length + 1)
  names.forEach((name, i) => {
    nameOffsets[i + 1] = nameOffsets[i] + name.length
  })
  const isDirectory = (row: number): boolean => row < directories.length
  const file = (row: number): File => files[row - directories.length]
  const zeros = () => ({ seconds: new Float64Array(names.length), ticks: new Uint32Array(names.length) })
  return {
    count: names.length,
    parent: Uint32Array.from(names, (_, row) => (row === 0 ? 0 : isDirectory(row) ? 1 : file(row).directory + 2)),
    directory: Uint32Array.from(names, (_, row) => (isDirectory(row) ? row + 1 : 0)),
    kind: Uint8Array.from(names, (_, row) => (isDirectory(row) ? Kind.directory : Kind.file)),
    nameOffsets,
    names: Buffer.concat(names),
    size: Float64Array.from(names, (_, row) => (isDirectory(row) ? Number.NaN : file(row).size)),
    modified: zeros(),
    changed: zeros(),
    attributes: new Uint32Array(names.length),
  }
}

function entriesOf(files: readonly File[]): Entry[] {
  const time = { seconds: 0, ticks: 0 }
  const rest = { modified: time, changed: time, attributes: 0, root: 1, volume: 'v' }
  const components = (...parts: string[]) => ['', 'home', 'root', ...parts].map(part => Buffer.from(part))
  const directories = [components(), ...Array.from({ length: DIRECTORIES }, (_, i) => components(`d${i}`))]
  return [
    ...directories.map(path => ({ components: path, kind: Kind.directory, size: Number.NaN, ...rest })),
    ...files.map(({ directory, name, size }) => ({
      components: components(`d${directory}`, name),
      kind: Kind.file,
      size,
      ...rest,
    })),
  ]
}

const QUERIES = [
  ...['', 'a', '!a', 'lib', 'late', 'late1', 'late d:', 'main3', '.py', '.p', 'gz', 'html', 'h', 'file:', 'nowhere'],
  ...['ext:py', 'ext:py;c;html', 'ext:tar.gz;gz', 'ext:py;nowhere', 'ext:zzz;0 late', 'ext:c;h lib', '!ext:html'],
  ...['*.txt', '*.', '*.gz', 'a*.h', '*.t?t', 'regex:\\.py$', '*.py | *.c', 'a | ext:h', 'case:*.PNG', 'endwith:.c'],
  ...['size:>=1000000', 'size:>=1000000 lib', 'size:<500', 'size:<20 ext:c;h', 'late size:>1000500', 'd1\\', 'd1\\ a'],
  ...[
    'a size:<900',
    'a size:>=1000000',
    'html size:<900',
    'ext:c;h;txt size:>=900000',
    'late size:<900 d:',
    'py size:>3',
  ],
  ...['size:>=2000000', 'size:>=2000100', 'size:2000000..2000900', 'size:>=2000000 a'],
]

describe('a page by extension', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hotpath-extensions-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** An engine with the files in one segment, some of them deleted since. */
  function engineOf(files: readonly File[], gone: ReadonlySet<File>): Engine {
    const sink = new MemorySink()
    buildSegment(columnsOf(files), sink)
    const file = join(folder, 'files.seg')
    writeFileSync(file, sink.bytes())
    const opener = new KernelSegmentOpener(loadWasm())
    const { reader, close } = opener.open(file)
    const killed = [...gone].flatMap(({ directory, name }) => {
      const entry = reader.findChild(reader.findDir(directory + 2), Buffer.from(name))
      return [entry, entry + 1]
    })
    close()
    const engine = new Engine(
      opener,
      () => {},
      (_view, _segment, error) => {
        throw error
      },
    )
    const ops: EngineOp[] = [
      { op: 'createView', view: 1, root: 'r', volume: 'v', prefix: Buffer.from('/home/'), virtualRoot: false },
      { op: 'activateView', view: 1, root: 'r', partial: false },
      { op: 'addSegment', view: 1, segment: 1, file, dead: new Uint8Array(0), origin: 'scan' },
      { op: 'kill', view: 1, segment: 1, ranges: Uint32Array.from(killed) },
    ]
    engine.apply(ops)
    return engine
  }

  it('is what sorting all hits gives, whether extensions are known or not', () => {
    for (let round = 0; round < ROUNDS; round++) {
      const seed = SEED + round
      const random = randomOf(seed)
      const files = randomFiles(random)
      const gone = new Set(files.filter(() => random.chance(0.03)))
      const entries = entriesOf(files.filter(file => !gone.has(file)))
      const sorted = [false, true].map(descending =>
        entries.toSorted((a, b) => compareEntries({ column: 'ext', descending }, { needles: [], tolerant: [] }, a, b)),
      )
      const context = naiveContext(entries)
      const show = (entry: Pick<Entry, 'components'>) => Buffer.concat(entry.components.flatMap(part => [SLASH, part]))
      const shown = new Map(entries.map(entry => [entry, show(entry).toString()]))
      const engine = engineOf(files, gone)
      const answers = QUERIES.map(text => {
        const query = parseQuery(text, { now: NOW_MS, match: 'name' })
        if (query.kind !== 'query') throw new Error(`${text}: ${query.message}`)
        return { text, matching: new Set(entries.filter(entry => matchesNaively(query.predicate, entry, context))) }
      })
      for (const settled of [false, true]) {
        // Asked before, a search finds the extensions itself where hits are many.
        if (settled) while (!engine.settle(1));
        for (const { text, matching } of answers) {
          for (const descending of [false, true]) {
            const limit = random.pick([1, 1, 10, 100, 700])
            const offset = random.pick([0, 0, 5, 300])
            const sort = { column: 'ext', descending } as const
            const found = engine.search({ text, limit, offset, sort, match: 'name', nowMs: NOW_MS })
            const label = `seed ${seed} query ${JSON.stringify(text)} descending ${descending} settled ${settled}`
            if ('kind' in found) throw new Error(`${label}: ${found.message}`)
            const expected = sorted[Number(descending)].filter(entry => matching.has(entry))
            expect(
              found.hits.map(hit => show(hit).toString()),
              label,
            ).toEqual(expected.slice(offset, offset + limit).map(entry => shown.get(entry)))
            expect(found.total, label).toBe(matching.size)
          }
        }
      }
      engine.close()
    }
  })

  it('is partial once damaged names were met between searches', () => {
    const sink = new MemorySink()
    buildSegment(columnsOf(randomFiles(randomOf(SEED)).slice(0, 300)), sink)
    const bytes = sink.bytes()
    bytes[new SegmentReader('memory', bytes).files.names.offset] ^= 1
    const reader = new SegmentReader('memory', bytes)
    const matchers = { d: new PlainNameMatcher(reader, 'd'), f: new PlainNameMatcher(reader, 'f') }
    const damaged: Error[] = []
    const engine = new Engine(
      { open: () => ({ reader, matchers, close: () => {} }) },
      () => {},
      (_view, _segment, error) => damaged.push(error),
    )
    engine.apply([
      { op: 'createView', view: 1, root: 'r', volume: 'v', prefix: Buffer.from('/home/'), virtualRoot: false },
      { op: 'activateView', view: 1, root: 'r', partial: false },
      { op: 'addSegment', view: 1, segment: 1, file: 'memory', dead: new Uint8Array(0), origin: 'scan' },
    ])
    const sort = { column: 'ext', descending: false } as const
    const search = () => engine.search({ text: 'size:5gb', limit: 1, offset: 0, sort, match: 'name', nowMs: NOW_MS })
    expect(engine.settle(Number.POSITIVE_INFINITY)).toBe(true)
    expect(search()).toMatchObject({ partial: false, total: 0 })
    // Nobody looked at the names before somebody sorted by extension.
    expect(damaged).toEqual([])
    expect(engine.settle(Number.POSITIVE_INFINITY)).toBe(true)
    expect(damaged).toMatchObject([{ code: 'CORRUPT_FILE' }])
    expect(search()).toMatchObject({ partial: true, total: 0 })
    engine.close()
  })
})

const SLASH = Buffer.from('/')
