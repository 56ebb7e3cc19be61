import { isUtf8 } from 'node:buffer'
import { type HitRank, type Instant, instantAt, KIND_MASK, Kind, rankAt, wholeSecond } from '@hotpath/model'
import type { HitColumns } from '@hotpath/protocol'

/**
 * One row of a page. `path` and `id` are views of the page: printing a million paths makes no texts of them, as the
 * hits of the client do.
 */
export interface Hit {
  readonly id: Uint8Array
  readonly path: Uint8Array
  /** Where in `path` the name starts. */
  readonly nameStart: number
  readonly type: TypeName
  /** Bytes; undefined where unknown. */
  readonly size: number | undefined
  readonly modified: Instant | undefined
  readonly created: Instant | undefined
  readonly accessed: Instant | undefined
  /** How hot it is now by what was opened; 0 where it never was. */
  readonly hot: number
  /** How often it was opened, and when last. */
  readonly opens: number
  readonly opened: Instant | undefined
  /** Only a tolerant term finds it. */
  readonly fuzzy: boolean
  /** Why it stands where it stands; undefined where the search was not explained. */
  readonly rank?: HitRank | undefined
}

export type TypeName = 'file' | 'directory' | 'symlink' | 'other'

const TYPE_NAMES: Readonly<Record<number, TypeName>> = {
  [Kind.file]: 'file',
  [Kind.directory]: 'directory',
  [Kind.symlink]: 'symlink',
  [Kind.other]: 'other',
}

/** The rows of a page, one after the other; those from `exactRows` on are fuzzy hits. */
export function* hitsOf(rows: HitColumns, exactRows = rows.count): Generator<Hit> {
  const idBytes = rows.count === 0 ? 0 : rows.ids.length / rows.count
  for (let i = 0; i < rows.count; i++) {
    const size = rows.size[i]!
    yield {
      id: rows.ids.subarray(i * idBytes, (i + 1) * idBytes),
      path: rows.paths.subarray(rows.pathOffsets[i]!, rows.pathOffsets[i + 1]!),
      nameStart: rows.nameStart[i]!,
      type: TYPE_NAMES[rows.kind[i]! & KIND_MASK] ?? 'other',
      size: Number.isNaN(size) ? undefined : size,
      modified: instantAt(rows.modified, i),
      created: instantAt(rows.created, i),
      accessed: instantAt(rows.accessed, i),
      hot: rows.hot?.[i] ?? 0,
      opens: rows.opens?.[i] ?? 0,
      opened: wholeSecond(rows.opened?.[i]),
      fuzzy: i >= exactRows,
      rank: rankAt(rows, i),
    }
  }
}

// ignoreBOM: a name may begin with U+FEFF, and dropping it would show another file's name.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Bytes as text, with U+FFFD for what is not UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Base64 of bytes that `textOf` does not give back, undefined of those that it does. */
export function lossyBytes(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/** The directory of a path: without the name and the separator before it, but never less than `/`. */
export function directoryOf({ path, nameStart }: Hit): Uint8Array {
  return nameStart === 0 ? path.subarray(0, 0) : path.subarray(0, Math.max(1, nameStart - 1))
}
