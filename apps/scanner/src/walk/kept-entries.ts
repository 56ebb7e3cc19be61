import { type DirectoryReader, DirentType } from '@hotpath/platform'
import { type ExclusionRules, textOf } from '../exclusion/exclusion-rules.js'
import { IGNORE_FILE_NAME, IgnoreScope, MAX_IGNORE_FILE_BYTES } from '../exclusion/ignore-scope.js'

/** A directory that is being read. */
export interface Listing {
  readonly number: number
  readonly path: Uint8Array
  readonly device: number
  readonly salt: number
  readonly scope: IgnoreScope | null
  readonly mountNames: ReadonlySet<string> | undefined
}

export const IGNORE_FILE_BYTES = new Uint8Array(Buffer.from(IGNORE_FILE_NAME))
/** A part of a directory with more entries may not be the only one, so its ignore file is looked for by name. */
const MAX_SURELY_WHOLE = 512

/** Which entries of the current part of a directory the rules keep. */
export class KeptEntries {
  #excluded: Uint8Array = new Uint8Array(0)
  #skip: Uint8Array = new Uint8Array(0)

  constructor(
    private readonly reader: DirectoryReader,
    private readonly rules: ExclusionRules,
  ) {}

  /** What holds inside the open directory, whose first part has `count` entries. An ignore file that cannot be read is none. */
  scopeInside(
    outside: IgnoreScope | null,
    path: Uint8Array,
    count: number,
    onError: (error: unknown) => void,
  ): IgnoreScope | null {
    if (count > MAX_SURELY_WHOLE || this.#hasIgnoreFile()) {
      try {
        const content = this.reader.readFile(IGNORE_FILE_NAME, MAX_IGNORE_FILE_BYTES)
        if (content !== null) return new IgnoreScope(outside, textOf(path), textOf(content))
      } catch (error) {
        onError(error)
      }
    }
    return outside
  }

  /** 1 for each entry of the current part that is left out; of unknown types only as far as they are known. */
  markExcluded(listing: Listing): Uint8Array {
    const { entries } = this.reader
    this.#excluded = sized(this.#excluded, entries.count)
    const excluded = this.#excluded.fill(0, 0, entries.count)
    if (!this.rules.hasRules && listing.scope === null) return excluded
    for (let row = 0; row < entries.count; row++) {
      const type = entries.type[row]!
      if (type !== DirentType.unknown)
        excluded[row] = this.excludes(listing, row, type === DirentType.directory) ? 1 : 0
    }
    return excluded
  }

  /** 1 for what is marked in `excluded`, and for all that is no directory as far as that is known. */
  markNotDirectory(excluded: Uint8Array): Uint8Array {
    const { entries } = this.reader
    this.#skip = sized(this.#skip, entries.count)
    for (let row = 0; row < entries.count; row++) {
      const type = entries.type[row]!
      this.#skip[row] = excluded[row] === 1 || (type !== DirentType.directory && type !== DirentType.unknown) ? 1 : 0
    }
    return this.#skip
  }

  excludes(listing: Listing, row: number, isDirectory: boolean): boolean {
    const { entries } = this.reader
    const name = entries.bytes.subarray(entries.nameStart[row]!, entries.nameEnd[row]!)
    return this.rules.excludes(listing.scope, listing.path, name, isDirectory)
  }

  #hasIgnoreFile(): boolean {
    const { bytes, count, nameStart, nameEnd } = this.reader.entries
    for (let row = 0; row < count; row++) {
      const start = nameStart[row]!
      if (bytes[start] !== 0x2e || nameEnd[row]! - start !== IGNORE_FILE_BYTES.length) continue
      let at = 1
      while (at < IGNORE_FILE_BYTES.length && bytes[start + at] === IGNORE_FILE_BYTES[at]) at++
      if (at === IGNORE_FILE_BYTES.length) return true
    }
    return false
  }
}

function sized(buffer: Uint8Array, length: number): Uint8Array {
  return buffer.length >= length ? buffer : new Uint8Array(Math.max(length, 2 * buffer.length))
}
