import { CorruptFileError } from '@hotpath/model'

/** Bytes of a volume that are to be understood, and where they come from. */
export interface VolumeBytes {
  /** File or device, for messages. */
  readonly file: string
  readonly bytes: Uint8Array
  /** Position in the file of the first of them. */
  readonly offset: number
}

/** The error for a field of `bytes` that is not what NTFS has there. @param at position in `bytes` */
export function damage({ file, offset }: VolumeBytes, at: number, expected: string, found: unknown): CorruptFileError {
  return new CorruptFileError(file, offset + at, expected, String(found))
}
