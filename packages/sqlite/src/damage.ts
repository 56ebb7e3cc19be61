import { CorruptFileError } from '@hotpath/model'

/** Bytes of a file that are to be understood, and where they come from. */
export interface FileBytes {
  /** For messages. */
  readonly file: string
  readonly bytes: Uint8Array
  /** Position in the file of the first of them. */
  readonly offset: number
}

/** The error for a field of `bytes` that is not what the format has there. @param at position in `bytes` */
export function damage({ file, offset }: FileBytes, at: number, expected: string, found: unknown): CorruptFileError {
  return new CorruptFileError(file, offset + at, expected, String(found))
}
