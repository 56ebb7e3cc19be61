import { TABLES, TIME_LETTERS, tableTag } from '@hotpath/index-format'
import type { SegmentSizes } from '@hotpath/store'
import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMegabytes } from '../format.js'
import { type BenchRow, type Peer, row } from '../report.js'

const NAMES_BUDGET = 17
const COLUMNS_BUDGET = 24

/** Bytes of a segment by what they are for. */
export type Purpose = 'names and tree' | 'size and time' | 'other columns'

const SIZE_AND_TIME = new Set(['fSIZ', 'fBIG', 'fSML', ...bothTables('newest'), ...bothTables('oldest')])
const OTHER = new Set([
  'REFP',
  ...bothTables('attributes'),
  ...bothTables('refLow'),
  ...bothTables('refHigh'),
  ...bothTables('refBirth'),
])

function bothTables(section: Parameters<typeof tableTag>[1]): string[] {
  return TABLES.map(table => tableTag(table, section))
}

/** Times but the modification time are further columns. */
export function purposeOf(tag: string): Purpose {
  if (SIZE_AND_TIME.has(tag)) return 'size and time'
  if (OTHER.has(tag)) return 'other columns'
  const time = /^[df]([A-Z])(?:SC|TK|EX)$/.exec(tag)?.[1]
  if (time === TIME_LETTERS.modified) return 'size and time'
  return Object.values(TIME_LETTERS).some(letter => letter === time) ? 'other columns' : 'names and tree'
}

/** Bytes of an index by purpose; the rest of the files is headers, checksums and padding. */
export function bytesByPurpose(sizes: readonly SegmentSizes[]): Record<Purpose | 'all', number> {
  const sums = { 'names and tree': 0, 'size and time': 0, 'other columns': 0, all: 0 }
  for (const { sections, sizeBytes } of sizes) {
    for (const section of sections) sums[purposeOf(section.tag)] += section.sizeBytes
    sums.all += sizeBytes
  }
  return sums
}

/** Bytes per entry on disk, once merged. */
export async function diskRows(context: BenchContext): Promise<BenchRow[]> {
  const { sizes, entries } = await context.engineIndex()
  const plocate = await context.plocate()
  const bytes = bytesByPurpose(sizes)
  const per = (sum: number): string => `${(sum / entries).toFixed(2)} B/entry`
  const names = bytes['names and tree']
  const withColumns = names + bytes['size and time']
  const peer: Peer = plocate
    ? {
        name: 'plocate database',
        text: `${per(plocate.sizeBytes)}, names only`,
        figures: { bytesPerEntry: plocate.sizeBytes / entries, bytes: plocate.sizeBytes },
      }
    : { name: 'plocate database', text: 'not installed' }
  const sections = new Map<string, number>()
  for (const segment of sizes) {
    for (const { tag, sizeBytes } of segment.sections) sections.set(tag, (sections.get(tag) ?? 0) + sizeBytes)
  }
  return [
    row({
      id: 'disk.names',
      what: 'index on disk, names and tree',
      ours: { text: per(names), figures: { bytesPerEntry: names / entries, bytes: names } },
      budget: { text: `≤ ${NAMES_BUDGET} B/entry, merged`, met: names / entries <= NAMES_BUDGET },
      peers: [peer],
    }),
    row({
      id: 'disk.columns',
      what: 'index on disk with size and time',
      ours: { text: per(withColumns), figures: { bytesPerEntry: withColumns / entries, bytes: withColumns } },
      budget: { text: `≤ ${COLUMNS_BUDGET} B/entry, merged`, met: withColumns / entries <= COLUMNS_BUDGET },
      peers: [peer],
    }),
    row({
      id: 'disk.all',
      what: 'index on disk, whole files with all columns of the list',
      ours: {
        text: `${per(bytes.all)}, ${formatMegabytes(bytes.all)}`,
        figures: { bytesPerEntry: bytes.all / entries, bytes: bytes.all, segments: sizes.length },
      },
      details: [
        {
          title: 'bytes per section',
          columns: [
            { title: 'section', width: 8 },
            { title: 'bytes', width: 14, align: 'right' },
            { title: 'B/entry', width: 8, align: 'right' },
            { title: 'counted as', width: 16 },
          ],
          rows: [...sections]
            .sort(([, a], [, b]) => b - a)
            .map(([tag, sum]) => [tag, formatCount(sum), (sum / entries).toFixed(3), purposeOf(tag)]),
        },
      ],
    }),
  ]
}
