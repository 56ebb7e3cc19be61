import { crc32c } from '@hotpath/index-format'
import { CorruptFileError } from '@hotpath/model'
import type { RowCursor } from '@hotpath/protocol/contract'

/** Name of the manifest in the directory of a database's rows. */
export const ROW_MANIFEST_NAME = 'manifest'
/** 1: first version. */
export const ROW_MANIFEST_VERSION = 1
/** A manifest is some hundred bytes, and what is gone of its segments. */
export const MAX_ROW_MANIFEST_BYTES = 64 << 20

/** A segment, and what of it is gone. */
export interface RowSegmentEntry {
  /** Name of its file. */
  readonly file: string
  /** Roaring bitmap (portable format) of the numbers of rows that are gone; empty for none. */
  readonly dead: Uint8Array
}

/** What the index of the rows of a database consists of: docs/formats/row-segment.md. */
export interface RowManifest {
  readonly database: string
  /** The indexed columns, as `table.column`: other ones make another index. */
  readonly text: readonly string[]
  /** All changes up to here are in the segments; later ones may have made rows dead, and come again. */
  readonly cursor: RowCursor
  readonly segments: readonly RowSegmentEntry[]
}

const encoder = new TextEncoder()

/** One line of JSON, and one with the CRC-32C of the first as eight hexadecimal digits. */
export function encodeRowManifest({ database, text, cursor, segments }: RowManifest): Uint8Array {
  const line = `${JSON.stringify({
    version: ROW_MANIFEST_VERSION,
    database,
    text,
    cursor,
    segments: segments.map(({ file, dead }) => ({ file, dead: Buffer.from(dead).toString('base64') })),
  })}\n`
  return encoder.encode(`${line}${checksumOf(line)}\n`)
}

/** @throws CorruptFileError */
export function decodeRowManifest(file: string, bytes: Uint8Array): RowManifest {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  const end = text.indexOf('\n') + 1
  const line = text.slice(0, end)
  const checksum = text.slice(end)
  if (end === 0 || checksum !== `${checksumOf(line)}\n`) {
    throw new CorruptFileError(file, end, `checksum ${checksumOf(line)}`, JSON.stringify(checksum.slice(0, 20)))
  }
  const content = JSON.parse(line)
  if (content.version !== ROW_MANIFEST_VERSION) {
    throw new CorruptFileError(file, 0, `version ${ROW_MANIFEST_VERSION}`, `${content.version}`)
  }
  const segments = content.segments.map((entry: { file: string; dead: string }) => ({
    file: entry.file,
    dead: new Uint8Array(Buffer.from(entry.dead, 'base64')),
  }))
  return { database: content.database, text: content.text, cursor: content.cursor, segments }
}

function checksumOf(line: string): string {
  const bytes = encoder.encode(line)
  return crc32c(bytes, 0, bytes.length).toString(16).padStart(8, '0')
}
