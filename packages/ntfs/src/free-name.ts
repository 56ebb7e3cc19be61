const APPENDED = 0x5f

/**
 * Finds a name that a directory has not, of all the names that it has: a given one, and `_` behind it as often as needed. Names of NTFS end
 * at 255 units, so there always is one. Costs a comparison of the first bytes of each name, and no memory.
 */
export class FreeName {
  readonly #name: Uint8Array
  /** Of a name that the directory has, `_` behind the given one; -1: none. */
  #most = -1

  constructor(private readonly text: string) {
    this.#name = new Uint8Array(Buffer.from(text))
  }

  /** The directory has the name bytes[start … end). */
  note(bytes: Uint8Array, start: number, end: number): void {
    this.#most = Math.max(this.#most, appendedTo(this.#name, bytes, start, end))
  }

  /** A name that was not noted. */
  get free(): string {
    return this.text + '_'.repeat(this.#most + 1)
  }
}

/** How many `_` stand behind a name in bytes[start … end); -1: something else does, or the name is another one. */
export function appendedTo(name: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
  const { length } = name
  if (end - start < length) return -1
  for (let i = 0; i < length; i++) if (bytes[start + i] !== name[i]) return -1
  for (let i = start + length; i < end; i++) if (bytes[i] !== APPENDED) return -1
  return end - start - length
}
