/**
 * Segment file, version 1.2, little-endian. docs/formats/segment.md is the full description; a test pins it to this file.
 *
 *   page 0       header (HEADER_FIELDS), zero to the end of the page; headerCrc covers the whole page
 *   page 1 …     sections, each starting on a page and followed by at least SECTION_PADDING zero bytes
 *   tocOffset    table of contents: sectionCount entries of TOC_ENTRY_SIZE bytes, then one CRC32C (u32) for each
 *                page from page 0 up to tocOffset (page 0's is zero: the header has its own)
 *
 * Opening reads the header and the table of contents; a page is checked against its CRC when it is first touched.
 */

/** "HPSEG" NUL CR LF: shows damage by text-mode transfers. */
export const SEGMENT_MAGIC = Uint8Array.of(0x48, 0x50, 0x53, 0x45, 0x47, 0x00, 0x0d, 0x0a)

/**
 * Versions of the format.
 *   1.0  first.
 *   1.1  adds WRDS (a 1.0 reader ignores it; a 1.1 reader gathers the words of a 1.0 segment from its names).
 *   1.2  adds dMOD, dUSR and dGRP (an older reader ignores them; of a directory without them nobody but root knows anything).
 * A reader refuses a larger major version and ignores sections it does not know.
 */
export const SEGMENT_MAJOR = 1
export const SEGMENT_MINOR = 2

/** Bytes. Unit of alignment and of checksums: what one page fault reads. */
export const PAGE_SIZE = 4096
/** Bytes after every section that a SIMD loop may read past its end (16-byte loads, up to four in flight). */
export const SECTION_PADDING = 64
/** Bytes. */
export const TOC_ENTRY_SIZE = 32
/** Names in a dictionary block: the unit of postings. Measured: 16 costs 5 % more space, 64 doubles verification. */
export const BLOCK_NAMES = 32
/** Entries in a group of a grouped column or of the size column. */
export const GROUP_ENTRIES = 64
/** Files of 4 GiB and more cannot be viewed from Node 20. */
export const MAX_SEGMENT_BYTES = 0xffffffff

/** name → [offset, size] in page 0. */
export const HEADER_FIELDS = {
  magic: [0, 8],
  major: [8, 2],
  minor: [10, 2],
  sectionCount: [12, 4],
  fileLength: [16, 4],
  tocOffset: [20, 4],
  tocLength: [24, 4],
  tocCrc: [28, 4],
  dirCount: [32, 4],
  fileCount: [36, 4],
  stubCount: [40, 4],
  headerCrc: [44, 4],
} as const

/** name → [offset, size] in an entry of the table of contents. */
export const TOC_FIELDS = {
  tag: [0, 4],
  param: [4, 4],
  offset: [8, 4],
  reserved: [12, 4],
  length: [16, 4],
  items: [20, 4],
  reserved2: [24, 8],
} as const

/** The two dictionaries of a segment: directories and everything else ("files"). First letter of their section tags. */
export const TABLES = ['d', 'f'] as const
export type Table = (typeof TABLES)[number]

/** Sections that both tables have; the tag is the table's letter and these three. */
export const TABLE_SECTIONS = {
  names: 'NAM',
  nameBlockOffsets: 'NBO',
  nameCounts: 'CNT',
  nameCountOverflow: 'CNO',
  inverseBlockStarts: 'IBS',
  inverse: 'INV',
  nameIds: 'NID',
  gramKeys: 'GRK',
  gramOffsets: 'GRO',
  gramBlocks: 'GRB',
  gramTotals: 'GRT',
  postings: 'PST',
  heavy: 'HVY',
  newest: 'NEW',
  oldest: 'OLD',
  kind: 'KND',
  attributes: 'ATR',
  refLow: 'RLO',
  refHigh: 'RHI',
  refBirth: 'RBI',
} as const
export type TableSection = keyof typeof TABLE_SECTIONS

/** Sections of the files table alone. */
export const FILE_SECTIONS = { size: 'fSIZ', largest: 'fBIG', smallest: 'fSML' } as const

/** Sections of the directories table alone: who may list them. */
export const ACCESS_SECTIONS = { mode: 'dMOD', user: 'dUSR', group: 'dGRP' } as const
export type AccessSection = keyof typeof ACCESS_SECTIONS

/** Sections of the tree and of all entries. */
export const TREE_SECTIONS = {
  dirIds: 'DDID',
  dirEnds: 'DEND',
  dirFirstFiles: 'DFIR',
  dirParents: 'DPAR',
  stubs: 'DSTB',
  dirsById: 'DBYI',
  entriesByRef: 'REFP',
  words: 'WRDS',
} as const

/** The rules by which keys were made (KEY_RULES of key.ts), as text: a reader with other rules must not trust stored keys. */
export const KEY_RULES_TAG = 'KEYR'

/** Letter of each time column in tags: table letter, this letter, then `SC` (seconds), `TK` (ticks) or `EX` (exceptions). */
export const TIME_LETTERS = { modified: 'M', changed: 'C', created: 'B', accessed: 'A' } as const

/** In a seconds column: the value is in the exceptions (before 1970, after 2106, or unknown). */
export const TIME_EXCEPTION = 0xffffffff
/** Bytes of an exception: row u32, seconds f64; ascending by row. */
export const TIME_EXCEPTION_BYTES = 12
/** In a size column: unknown size. Values are stored plus one. */
export const SIZE_UNKNOWN = 0
/** In name counts: the true count is in the overflow table. */
export const COUNT_OVERFLOW = 255

export function timeTag(table: Table, column: keyof typeof TIME_LETTERS, part: 'SC' | 'TK' | 'EX'): string {
  return `${table}${TIME_LETTERS[column]}${part}`
}

export function tableTag(table: Table, section: TableSection): string {
  return `${table}${TABLE_SECTIONS[section]}`
}

/**
 * Grams are byte strings of one to three bytes of `/key/`, as a number: three bytes big-endian as they are, two bytes
 * with bit 24 set, one byte with bit 25 set.
 */
export const BIGRAM_BIT = 0x01000000
export const UNIGRAM_BIT = 0x02000000
/** The byte before and after every key when grams are taken, so that prefixes and suffixes are grams too. */
export const KEY_BOUNDARY = 0x2f
