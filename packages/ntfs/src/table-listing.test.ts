import { Random } from '@hotpath/index-format/testing'
import { describe, expect, it } from 'vitest'
import { AttributeType } from './layout.js'
import { MftParser } from './mft-parser.js'
import { MftRows } from './mft-rows.js'
import { TableListing } from './table-listing.js'
import { damageIn } from './testing/failure.js'
import { listLines } from './testing/listing-lines.js'
import { randomVolume } from './testing/random-volume.js'
import { type RecordParts, type Reference, recordOf, resident } from './testing/record-builder.js'
import { buildVolume, directory, EXTEND, file, ROOT, readerOf } from './testing/volume-builder.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const VOLUMES = process.env.SOAK ? 20_000 : 150

/** Lines without the times. */
function linesOf(records: ReadonlyMap<number, RecordParts>, streams = false): string[] {
  const { bytes } = buildVolume(records)
  return listLines(readerOf(bytes), { streams }).lines.map(line => {
    const [path, size, , ...rest] = line.split('\t')
    return [path, size, ...rest].join('\t')
  })
}

type Nodes = readonly (readonly [number, RecordParts])[]
const pathsOf = (nodes: Nodes): string[] => linesOf(new Map(nodes)).map(line => line.split('\t')[0]!)
const ref = (record: number, sequence = 1): Reference => ({ record, sequence })
const dir = (record: number, parent: Reference, name: string) => [record, directory(ref(record), parent, name)] as const
const leaf = (record: number, ...names: readonly (readonly [Reference, string])[]) => [record, file(1, names)] as const

describe('listing a table', () => {
  it.each([
    ['nothing but the root', [], []],
    ['directories before what is in them', [dir(30, ROOT, 'd'), leaf(31, [ref(30), 'f'])], ['d', 'd/f']],
    [
      'directories behind what is in them',
      [
        leaf(30, [ref(32), 'f']),
        dir(31, ref(32), 'e'),
        dir(32, ref(33), 'd'),
        dir(33, ROOT, 'c'),
        leaf(34, [ref(31), 'g']),
      ],
      ['c', 'c/d', 'c/d/e', 'c/d/e/g', 'c/d/f'],
    ],
    [
      'files of which one name waits',
      [leaf(30, [ROOT, 'here'], [ref(31), 'there']), dir(31, ROOT, 'd')],
      ['d', 'd/there', 'here'],
    ],
    [
      'several names in one directory',
      [dir(30, ROOT, 'd'), leaf(31, [ref(30), 'f'], [ref(30), 'g'], [ROOT, 'h'])],
      ['d', 'd/f', 'd/g', 'h'],
    ],
    [
      'files of a directory beside one of what had its record before',
      [dir(30, ROOT, 'd'), leaf(31, [ref(30), 'f']), leaf(32, [ref(30, 2), 'g']), leaf(33, [ref(30), 'h'])],
      ['<orphaned>', '<orphaned>/30-2', '<orphaned>/30-2/g', 'd', 'd/f', 'd/h'],
    ],
    [
      'the first name of a directory that has two',
      [
        dir(30, ROOT, 'c'),
        [
          31,
          {
            ...file(1, [
              [ROOT, 'd'],
              [ref(30), 'e'],
            ]),
            isDirectory: true,
          },
        ] as const,
        leaf(32, [ref(31), 'f']),
      ],
      ['c', 'd', 'd/f'],
    ],
    [
      'what is below no directory: gone',
      [leaf(30, [ref(40, 3), 'f']), dir(31, ref(40, 3), 'd'), leaf(32, [ref(31), 'g'])],
      ['<orphaned>', '<orphaned>/40-3', '<orphaned>/40-3/d', '<orphaned>/40-3/d/g', '<orphaned>/40-3/f'],
    ],
    [
      'what is below no directory: used for another one',
      [dir(30, ROOT, 'd'), leaf(31, [ref(30, 7), 'f']), leaf(29, [ref(30, 7), 'g']), dir(28, ref(30, 7), 'e')],
      ['<orphaned>', '<orphaned>/30-7', '<orphaned>/30-7/e', '<orphaned>/30-7/f', '<orphaned>/30-7/g', 'd'],
    ],
    [
      'what is below no directory: the root of another time',
      [leaf(30, [ref(5, 4), 'f'])],
      ['<orphaned>', '<orphaned>/5-4', '<orphaned>/5-4/f'],
    ],
    [
      'what is below no directory: a file',
      [leaf(30, [ref(31), 'f']), leaf(31, [ROOT, 'g'])],
      ['<orphaned>', '<orphaned>/31-1', '<orphaned>/31-1/f', 'g'],
    ],
    [
      'what is below no directory: a file of NTFS itself',
      [leaf(30, [ref(9, 9), 'f'])],
      ['<orphaned>', '<orphaned>/9-9', '<orphaned>/9-9/f'],
    ],
    [
      'what is below no directory: behind the table, and more than 32 bits',
      [leaf(30, [ref(2 ** 32 - 2), 'f'], [ref(2 ** 40), 'g'], [ref(100_000), 'h'])],
      [
        '<orphaned>',
        '<orphaned>/100000-1',
        '<orphaned>/100000-1/h',
        '<orphaned>/4294967294-1',
        '<orphaned>/4294967294-1/f',
        '<orphaned>/4294967295-1',
        '<orphaned>/4294967295-1/g',
      ],
    ],
    [
      'a name of its own for what is gone, where the root has one like it',
      [
        leaf(30, [ref(40, 3), 'f']),
        leaf(31, [ROOT, '<orphaned>_x'], [ROOT, '<orphaned>__']),
        leaf(32, [ref(41), 'later'], [ROOT, '<orphaned>']),
        dir(33, ref(40, 3), 'd'),
        dir(34, ROOT, 'e'),
        leaf(35, [ref(34), '<orphaned>___']),
      ],
      [
        '<orphaned>',
        '<orphaned>__',
        '<orphaned>___',
        '<orphaned>___/40-3',
        '<orphaned>___/40-3/d',
        '<orphaned>___/40-3/f',
        '<orphaned>___/41-1',
        '<orphaned>___/41-1/later',
        '<orphaned>_x',
        'e',
        'e/<orphaned>___',
      ],
    ],
    [
      'rings, opened once',
      [dir(30, ref(32), 'a'), dir(31, ref(30), 'b'), dir(32, ref(31), 'c'), leaf(33, [ref(31), 'f'])],
      [
        '<orphaned>',
        '<orphaned>/32-1',
        '<orphaned>/32-1/a',
        '<orphaned>/32-1/a/b',
        '<orphaned>/32-1/a/b/c',
        '<orphaned>/32-1/a/b/f',
      ],
    ],
    [
      'directories that are in themselves',
      [dir(30, ref(30), 'a'), dir(31, ref(30), 'b')],
      ['<orphaned>', '<orphaned>/30-1', '<orphaned>/30-1/a', '<orphaned>/30-1/a/b'],
    ],
    [
      'what hangs on a ring and comes before it',
      [dir(30, ref(31), 'c'), dir(31, ref(32), 'a'), dir(32, ref(31), 'b')],
      ['<orphaned>', '<orphaned>/32-1', '<orphaned>/32-1/a', '<orphaned>/32-1/a/b', '<orphaned>/32-1/a/c'],
    ],
    [
      'nothing below $Extend, before and behind its directory',
      [leaf(26, [ref(28), 'f']), dir(27, ref(28), 'e'), dir(28, EXTEND, '$RmMetadata'), leaf(29, [ref(27), 'g'])],
      [],
    ],
    ['names beside one below $Extend', [leaf(26, [EXTEND, '$Quota'], [ROOT, 'q'])], ['q']],
    ['no files of NTFS itself', [leaf(9, [ROOT, '$Secure']), dir(12, ROOT, 'd'), leaf(23, [ROOT, 'f'])], []],
  ] as [string, Nodes, string[]][])('finds %s', (_what, nodes, expected) => expect(pathsOf(nodes)).toEqual(expected))

  it('needs a root', () => {
    const { bytes, tableAt } = buildVolume(new Map([leaf(30, [ROOT, 'f'])]))
    const at = tableAt + ROOT.record * 1024
    bytes.fill(0, at, at + 1024)
    expect(damageIn(() => listLines(readerOf(bytes)))).toMatchObject({
      offset: at,
      expected: 'the root directory',
      found: 'none',
    })
  })

  it('needs a table that reaches to the root', () => {
    const { bytes } = buildVolume(new Map(), { records: 24 })
    const mft = resident(AttributeType.data, new Uint8Array(8))
    expect(listLines(readerOf(bytes)).lines).toEqual([])
    const short = buildVolume(new Map(), { tableAttributes: [mft] })
    expect(damageIn(() => listLines(readerOf(short.bytes)))).toMatchObject({ expected: 'the data of $MFT' })
  })

  it('notes what waits, and nothing else', () => {
    const parser = new MftParser(1024)
    const taken = (first: number, ...parts: readonly RecordParts[]) => {
      const piece = Uint8Array.from(Buffer.concat(parts.map(part => recordOf(part))))
      const rows = MftRows.forPiece(piece.length, 1024)
      parser.parse(piece, first, rows)
      return rows
    }
    const names: string[] = []
    const listing = new TableListing(300, {
      root: () => names.push('root'),
      entry: (rows, row) =>
        names.push(Buffer.from(rows.names.subarray(rows.nameOffsets[row], rows.nameOffsets[row + 1])).toString()),
      missing: name => names.push(name),
    })
    const files = [
      file(1, [[ROOT, 'a']]),
      file(1, [[ref(200), 'b']]),
      file(1, [
        [ROOT, 'c'],
        [ref(200), 'd'],
      ]),
    ]
    listing.take(taken(ROOT.record, directory(ROOT, ROOT, '.')))
    listing.take(taken(100, ...files))
    listing.take(taken(200, directory(ref(200), ROOT, 'e')))
    // Gone: what stands for it gets its name when all names of the root are known.
    listing.take(taken(210, file(1, [[ref(200, 2), 'h']])))
    // Behind the table.
    listing.take(taken(300, file(1, [[ROOT, 'g']])))
    expect(names).toEqual(['root', 'a', 'e'])
    const deferred = Array.from({ length: 300 }, (_, record) => record).filter(record => listing.isDeferred(record))
    expect(deferred).toEqual([101, 102, 210])
    expect(
      [
        [0, 101],
        [0, 102],
        [102, 1],
        [103, 107],
        [96, 6],
        [211, 1_000],
      ].map(([first, count]) => listing.hasDeferred(first!, count!)),
    ).toEqual([false, true, true, false, true, false])
    listing.settle()
    listing.take(taken(100, ...files))
    expect(names).toEqual(['root', 'a', 'e', 'b', 'c', 'd'])
  })

  it('bears any number of directories in one that comes later', () => {
    const count = 130_000
    const parser = new MftParser(512)
    const rows = MftRows.forPiece(512 * 1024, 512)
    let [entries, depth] = [0, 0]
    const listing = new TableListing(count + 101, {
      root: () => {},
      entry: (_rows, _row, parent) => {
        entries++
        depth = Math.max(depth, parent)
      },
      missing: () => {},
    })
    const take = (number: number, record: Uint8Array) => {
      rows.clear()
      parser.parse(record.slice(), number, rows)
      listing.take(rows)
    }
    take(ROOT.record, recordOf(directory(ROOT, ROOT, '.'), 512))
    const child = recordOf(directory(ref(0), ref(100 + count), 'd'), 512)
    for (let i = 0; i < count; i++) take(100 + i, child)
    expect(entries).toBe(0)
    take(100 + count, recordOf(directory(ref(0), ROOT, 'all'), 512))
    listing.settle()
    expect([entries, depth]).toEqual([count + 1, 2])
  })

  it(`is what a naive reader finds, ${VOLUMES} times (SEED=${SEED})`, { timeout: 3_600_000 }, () => {
    for (let seed = SEED; seed < SEED + VOLUMES; seed++) {
      const { records, lines, linesWithStreams } = randomVolume(new Random(seed))
      expect(linesOf(records), `SEED=${seed}`).toEqual(lines)
      expect(linesOf(records, true), `SEED=${seed}`).toEqual(linesWithStreams)
    }
  })
})
