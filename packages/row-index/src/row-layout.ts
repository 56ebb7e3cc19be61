/**
 * Sections of a segment of rows. Its frame (header, table of contents, checksums of pages) is that of segment files
 * (docs/formats/segment.md); `fileCount` of the header is the number of rows. docs/formats/row-segment.md describes it exactly.
 */
export const ROW_SECTIONS = {
  /** Text: KEY_RULES by which folded texts were made. */
  keyRules: 'KEYR',
  /** Names of tables as UTF-8, ascending in bytes, each followed by a zero byte. */
  tables: 'rTAB',
  /** u32 × tables: first block of each table. */
  tableBlocks: 'rTBL',
  /** u32 × (blocks + 1): first row of each block. */
  blockRows: 'rBRW',
  /** u32 × (blocks + 1): start of each block in `folded`. */
  blockFolded: 'rBFO',
  /** u32 × rows: where the folded text of each row ends in its block. */
  rowEnds: 'rEND',
  /** Folded texts. */
  folded: 'rFOL',
  /** u32 × (blocks + 1): start of each block in `originals`. */
  blockOriginals: 'rBOR',
  /** Of each block the texts as they were written, each followed by ROW_END, as raw DEFLATE; nothing if they are the folded ones. */
  originals: 'rORG',
  /** u32 × (rows + 1): start of the key of each row in `keys`. */
  keyStarts: 'rKST',
  keys: 'rKEY',
  /** u32 × grams, ascending: three bytes of folded text, big-endian. */
  grams: 'rGRM',
  /** u32 × (grams + 1): start of each posting list in `postings`. */
  gramPostings: 'rGPO',
  /** Posting lists: Roaring bitmaps of block numbers; empty where more than half of all blocks have the gram. */
  postings: 'rPST',
} as const

/** A block ends after the row that brings its folded text to so many bytes, or with BLOCK_ROWS rows. */
export const BLOCK_BYTES = 8192

/** A gram in more than one of so many blocks has no posting list. */
export const COMMON_SHARE = 2
