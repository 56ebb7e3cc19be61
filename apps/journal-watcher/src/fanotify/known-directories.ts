import type { FileHandle } from '@hotpath/platform'

/** Directories whose place is remembered: 500 bytes each with their handle. */
const MAX_DIRECTORIES = 16_384
export const NOT_FOREIGN = -1

/** A directory by its handle, which outlives renames. */
export interface FanotifyDirectory {
  readonly handle: FileHandle
  /** Where it was last, relative to the root. */
  path: Uint8Array | undefined
  /** Its ref where it was last. */
  ref: string | undefined
  /** It was not in the tree when so many directories had been renamed: until the next rename it is not looked for again. */
  foreignAt: number
}

export function directoryOf(handle: FileHandle): FanotifyDirectory {
  return { handle, path: undefined, ref: undefined, foreignAt: NOT_FOREIGN }
}

/** The directories that events named last, by handle and by ref. */
export class KnownDirectories {
  /** By the key of the handle, the least recently used first. */
  readonly #byHandle = new Map<string, FanotifyDirectory>()
  readonly #byRef = new Map<string, FanotifyDirectory>()

  /** @param ref key of a ref */
  withRef(ref: string): FanotifyDirectory | undefined {
    return this.#byRef.get(ref)
  }

  /** The one with this handle, which is new if it was not known. */
  withHandle(handle: FileHandle): FanotifyDirectory {
    const known = this.#byHandle.get(handle.key)
    if (known !== undefined) {
      this.#byHandle.delete(handle.key)
      this.#byHandle.set(handle.key, known)
      return known
    }
    if (this.#byHandle.size >= MAX_DIRECTORIES) {
      const [key, oldest] = this.#byHandle.entries().next().value!
      this.#byHandle.delete(key)
      this.#forgetRef(oldest)
    }
    const directory = directoryOf(handle)
    this.#byHandle.set(handle.key, directory)
    return directory
  }

  /** Notes where a directory is. @param ref key of its ref */
  note(directory: FanotifyDirectory, path: Uint8Array, ref: string): void {
    if (directory.ref !== ref) this.#forgetRef(directory)
    directory.path = path
    directory.ref = ref
    if (this.#byHandle.get(directory.handle.key) === directory) this.#byRef.set(ref, directory)
  }

  #forgetRef(directory: FanotifyDirectory): void {
    if (directory.ref !== undefined && this.#byRef.get(directory.ref) === directory) this.#byRef.delete(directory.ref)
  }
}
