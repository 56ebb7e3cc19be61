import { CorruptFileError, HotpathError } from '@hotpath/model'

/**
 * Encoded bytes break their layout. Codecs throw it because they know an offset but no file; whoever does know the
 * file turns it into CorruptFileError with `inFile`.
 */
export class MalformedBytesError extends HotpathError {
  readonly code = 'MALFORMED_BYTES'
  constructor(
    /** Byte offset in the array that was decoded. */
    readonly offset: number,
    readonly expected: string,
    readonly found: string,
  ) {
    super(`byte ${offset}: expected ${expected}, found ${found}`)
  }

  /** The same failure with the file's name; `base` is where the decoded bytes start in the file. */
  inFile(file: string, base = 0): CorruptFileError {
    return new CorruptFileError(file, base + this.offset, this.expected, this.found, { cause: this })
  }
}
