/** A place in the change journal of a volume: everything before it is known. */
export interface JournalPosition {
  /** Which journal: positions of another one say nothing. At most 128 bytes. */
  readonly id: string
  /** Bytes from its beginning: of the first record that is not known. */
  readonly next: number
}
