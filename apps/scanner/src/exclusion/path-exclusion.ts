import { type ExclusionRules, textOf } from './exclusion-rules.js'
import { IgnoreScope } from './ignore-scope.js'

/** Directories whose answer is remembered; 100 bytes each and their path. All are forgotten when there are more. */
const MAX_REMEMBERED = 65_536

/** What holds in a directory. */
export interface DirectoryRules {
  /** The directory itself is left out, or one above it. */
  readonly excluded: boolean
  /** What holds inside it. */
  readonly scope: IgnoreScope | null
}

/**
 * The rules of a scan for single paths in any order, for who follows changes. Reads the ignore files of the
 * directories on the way and remembers what they say until `forget`.
 */
export class PathExclusion {
  readonly #remembered = new Map<string, DirectoryRules>()

  /** @param readIgnoreFile text of the ignore file in a directory (relative to the root), null if there is none */
  constructor(
    private readonly rules: ExclusionRules,
    private readonly readIgnoreFile: (directory: Uint8Array) => string | null,
  ) {}

  /** Whether the entry at a path relative to the root is left out, by itself or with a directory on the way. The root never is. */
  excludes(path: Uint8Array, isDirectory: boolean): boolean {
    if (path.length === 0) return false
    const directory = parentOf(path)
    const { excluded, scope } = this.inside(directory)
    return excluded || this.rules.excludes(scope, directory, nameOf(path), isDirectory)
  }

  /** Call it when the ignore file of a directory was changed, or the directory itself was moved or removed. */
  forget(directory: Uint8Array): void {
    if (directory.length === 0) {
      this.#remembered.clear()
      return
    }
    const key = keyOf(directory)
    for (const other of this.#remembered.keys())
      if (other === key || other.startsWith(`${key}/`)) this.#remembered.delete(other)
  }

  /** What holds for the entries of a directory, relative to the root. */
  inside(directory: Uint8Array): DirectoryRules {
    const key = keyOf(directory)
    const known = this.#remembered.get(key)
    if (known !== undefined) return known
    const outside = directory.length === 0 ? { excluded: false, scope: null } : this.inside(parentOf(directory))
    const excluded =
      outside.excluded ||
      (directory.length > 0 && this.rules.excludes(outside.scope, parentOf(directory), nameOf(directory), true))
    const text = excluded ? null : this.readIgnoreFile(directory)
    const scope = text === null ? outside.scope : new IgnoreScope(outside.scope, textOf(directory), text)
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
    const found = { excluded, scope }
    this.#remembered.set(key, found)
    return found
  }
}

function parentOf(path: Uint8Array): Uint8Array {
  return path.subarray(0, Math.max(0, path.lastIndexOf(0x2f)))
}

function nameOf(path: Uint8Array): Uint8Array {
  return path.subarray(path.lastIndexOf(0x2f) + 1)
}

function keyOf(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString('latin1')
}
