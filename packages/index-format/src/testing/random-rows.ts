import { Kind, NO_DIRECTORY, type NodeRef, TIME_COLUMNS, type Time, type TimeColumnName } from '@hotpath/model'
import { MAX_NAME_BYTES } from '../names-block.js'
import { bytesOfText, directoryRow, fileRow, type ModelRow } from './model-rows.js'

/** Random numbers that a seed repeats (mulberry32). */
export class Random {
  constructor(private state: number) {}

  /** 0 … 2^32 - 1. */
  u32(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }

  /** 0 … limit - 1. */
  below(limit: number): number {
    return this.u32() % limit
  }

  chance(share: number): boolean {
    return this.u32() < share * 0x1_0000_0000
  }

  pick<T>(values: ArrayLike<T>): T {
    return values[this.below(values.length)]
  }
}

/** Names that have broken indexes before: twins under the key, bytes that are not text, long shared prefixes. */
export const NASTY_NAMES: readonly Uint8Array[] = [
  ...[
    ...['a', 'A', 'aa', 'AA', 'ab', 'b', 'ä', 'a\u0308', 'Ä', 'A\u0308', 'ß', 'ẞ', 'ss', 'SS', 'Ss', 'sS'],
    ...[
      'i',
      'I',
      'ı',
      'İ',
      'I\u0307',
      'σ',
      'ς',
      'Σ',
      'ΟΔΟΣ',
      'οδος',
      'οδοσ',
      'ﬁ',
      'fi',
      'FI',
      'ﬃx',
      'K',
      'k',
      'Å',
      'Å',
    ],
    ...[
      '日本語',
      '日本',
      'ガ',
      'カ\u3099',
      '한글',
      'Ꭰ',
      'ꭰ',
      '😀',
      '😀😀',
      '\u{1d160}',
      '\u0301',
      'e\u0301',
      'é',
      'É',
      'e',
    ],
    ...[
      '.',
      '..',
      '...',
      '.git',
      '.gitignore',
      ' ',
      '  ',
      ' a',
      'a ',
      '\t',
      '\n',
      '\u0001',
      '\u007f',
      '-',
      '--',
      '*',
      '?',
    ],
    ...[
      'README.md',
      'readme.md',
      'Readme.MD',
      'file.TXT',
      'file.txt',
      'file.txt~',
      'C:',
      'a\\b',
      '"q"',
      '%41',
      '&#65;',
    ],
    ...[
      'x'.repeat(MAX_NAME_BYTES),
      'x'.repeat(MAX_NAME_BYTES - 1),
      `${'X'.repeat(255)}`,
      'x'.repeat(256),
      'x'.repeat(257),
    ],
    ...[
      `${'p'.repeat(255)}1`,
      `${'p'.repeat(255)}2`,
      `${'p'.repeat(300)}a`,
      `${'p'.repeat(300)}b`,
      `${'P'.repeat(300)}b`,
    ],
    ...['\u{1d160}'.repeat(MAX_NAME_BYTES / 4), 'ü'.repeat(MAX_NAME_BYTES / 2)],
  ].map(bytesOfText),
  ...[
    [0xff],
    [0xfe, 0xff],
    [0xc3],
    [0xc3, 0x28],
    [0xed, 0xa0, 0x80],
    [0xed, 0xb0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0x61, 0x80, 0x62],
    [0x41, 0x80, 0x42],
    [0xe2, 0x82, 0xcc, 0x81, 0xac],
    [0xc3, 0xa4, 0xff],
    [0x61, 0xcc, 0x88, 0xff],
  ].map(bytes => Uint8Array.from(bytes)),
]

export function randomName(random: Random): Uint8Array {
  if (random.chance(0.35)) return random.pick(NASTY_NAMES)
  if (random.chance(0.1)) {
    return Uint8Array.from({ length: 1 + random.below(12) }, () => {
      const byte = 1 + random.below(255)
      return byte === 0x2f ? 0x30 : byte
    })
  }
  const parts = ['lib', 'test', 'index', 'Makefile', 'img', 'Über', 'naïve', 'v', '-', '_', '.', '0', '12', 'é', 'ÉT']
  let name = ''
  for (let i = 1 + random.below(4); i > 0; i--) name += random.pick(parts)
  if (random.chance(0.5)) name += random.pick(['.c', '.h', '.TS', '.png', '.tar.gz', '.H'])
  return bytesOfText(name)
}

const SIZES = [0, 1, 254, 255, 256, 257, 65_533, 65_534, 65_535, 65_536, 0xfffffd, 0xfffffe, 0xffffff, 0x1000000]
const LARGE_SIZES = [2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53 - 3, 2 ** 53 - 2]

export function randomSize(random: Random): number {
  if (random.chance(0.1)) return Number.NaN
  if (random.chance(0.3)) return random.pick(SIZES)
  if (random.chance(0.1)) return random.pick(LARGE_SIZES)
  return random.below(1 << (1 + random.below(30)))
}

const SECONDS = [0, -1, -11_644_473_600, 0xfffffffe, 0xffffffff, 0x100000000, 253_402_300_799, 1]

export function randomTime(random: Random): Time {
  if (random.chance(0.1)) return { seconds: Number.NaN, ticks: 0 }
  if (random.chance(0.2)) return { seconds: random.pick(SECONDS), ticks: random.pick([0, 1, 9_999_999]) }
  const seconds = 1_600_000_000 + random.below(random.chance(0.5) ? 100 : 100_000_000)
  return { seconds, ticks: random.chance(0.5) ? 0 : random.below(10_000_000) }
}

export function randomRef(random: Random): NodeRef {
  if (random.chance(0.2)) return { low: random.below(4), high: random.below(2), birth: random.below(2) }
  return { low: random.u32(), high: random.chance(0.3) ? random.u32() : 0, birth: random.u32() }
}

export function randomTimes(random: Random): Partial<Record<TimeColumnName, Time>> {
  const times: Partial<Record<TimeColumnName, Time>> = {}
  for (const column of TIME_COLUMNS) times[column] = randomTime(random)
  return times
}

/** The metadata of any row. */
export function randomMetadata(random: Random): Pick<ModelRow, 'times' | 'attributes' | 'ref'> {
  const attributes = random.chance(0.7) ? random.below(64) : random.u32()
  return { times: randomTimes(random), attributes, ref: randomRef(random) }
}

export interface TreeShape {
  readonly directories: number
  readonly files: number
  /** Share of directories whose parent is the directory made just before: 1 gives one deep chain. */
  readonly depth: number
  /** Share of directories that are stubs. */
  readonly stubs: number
  /** Share of rows that repeat the place of an earlier row. */
  readonly repeats: number
}

/**
 * A tree in any order: parents may come after children, directories may come as a stub and as an entry, files of one
 * place may come several times.
 */
export function randomTree(random: Random, shape: TreeShape): ModelRow[] {
  const ids: number[] = [1 + random.below(1000)]
  const rows: ModelRow[] = [
    directoryRow(ids[0], NO_DIRECTORY, random.chance(0.5) ? '' : randomName(random), {
      ...randomMetadata(random),
      stub: random.chance(shape.stubs),
    }),
  ]
  // A few names for all, or another for each.
  const names = Array.from({ length: 1 + random.below(40) }, () => randomName(random))
  const few = random.chance(0.3)
  const name = (): Uint8Array => (few || random.chance(0.3) ? random.pick(names) : randomName(random))
  for (let i = 1; i < shape.directories; i++) {
    const id = ids[i - 1] + 1 + random.below(random.chance(0.01) ? 100_000 : 3)
    const parent = random.chance(shape.depth) ? ids[i - 1] : random.pick(ids)
    const row = directoryRow(id, parent, name(), { ...randomMetadata(random), stub: random.chance(shape.stubs) })
    rows.push(row)
    if (random.chance(shape.repeats)) {
      rows.push(directoryRow(id, parent, row.name, { ...randomMetadata(random), stub: random.chance(0.7) }))
    }
    ids.push(id)
  }
  for (let i = 0; i < shape.files; i++) {
    const parent = random.pick(ids)
    const kind = random.chance(0.8) ? Kind.file : random.pick([Kind.symlink, Kind.other])
    const row = fileRow(parent, name(), { ...randomMetadata(random), kind, size: randomSize(random) })
    rows.push(row)
    if (random.chance(shape.repeats)) {
      rows.push(fileRow(parent, row.name, { ...randomMetadata(random), size: randomSize(random) }))
    }
  }
  for (let i = rows.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const row = rows[i]
    rows[i] = rows[j]
    rows[j] = row
  }
  return rows
}
