import { sep } from 'node:path'
import { InvalidInputError } from '@hotpath/model'
import picomatch from 'picomatch'
import type { IgnoreScope } from './ignore-scope.js'

export interface ExclusionOptions {
  /** Absolute path of the root, as bytes. */
  readonly root: Uint8Array
  /**
   * Globs of what is left out, with all that is below it. Without `/` a glob matches names; with `/` at its start whole
   * paths, otherwise paths relative to the root. With `/` at its end it matches directories only. `*` does not match
   * `/`, `**` does; both match names that start with a dot. Case counts.
   */
  readonly excludes: readonly string[]
  /** Absolute paths of directories that are left out (the data directory). */
  readonly directories?: readonly string[]
}

type Matcher = (text: string) => boolean

/** The globs of one kind: for everything, and for directories only. */
interface Matchers {
  readonly all: Matcher[]
  readonly directories: Matcher[]
}

const SLASH = 0x2f

/**
 * What is left out of a tree, but for ignore files (IgnoreScope) and mounts. Pure; one instance serves any number of
 * questions. Names that are not UTF-8 are matched with U+FFFD in place of what is not.
 */
export class ExclusionRules {
  readonly #root: string
  readonly #names: Matchers = { all: [], directories: [] }
  readonly #relative: Matchers = { all: [], directories: [] }
  readonly #absolute: Matchers = { all: [], directories: [] }
  readonly #hasGlobs: boolean
  readonly #directories: { parent: Uint8Array; name: Uint8Array }[] = []
  #lastDirectory: Uint8Array | undefined
  #lastDirectoryText = ''

  constructor(options: ExclusionOptions) {
    const rootText = Buffer.from(options.root).toString()
    this.#root = rootText === '/' ? '' : rootText
    for (const glob of options.excludes) this.#add(glob)
    this.#hasGlobs = options.excludes.length > 0
    for (const path of options.directories ?? [])
      this.#protect(options.root, new Uint8Array(Buffer.from(path.replaceAll(sep, '/'))))
  }

  /**
   * Whether an entry is left out, where the directories on the way to it are not.
   *
   * @param scope ignore files that hold in its directory
   * @param directory its directory, relative to the root
   */
  excludes(scope: IgnoreScope | null, directory: Uint8Array, name: Uint8Array, isDirectory: boolean): boolean {
    for (const { parent, name: protectedName } of this.#directories)
      if (equal(name, protectedName) && equal(directory, parent)) return true
    if (!this.#hasGlobs && scope === null) return false
    const nameText = textOf(name)
    if (matches(this.#names, nameText, isDirectory)) return true
    const path = joinText(this.#directoryText(directory), nameText)
    if (matches(this.#relative, path, isDirectory)) return true
    if (matches(this.#absolute, `${this.#root}/${path}`, isDirectory)) return true
    return scope?.excludes(path, isDirectory) ?? false
  }

  /** True if `excludes` can be true without an ignore file. */
  get hasRules(): boolean {
    return this.#hasGlobs || this.#directories.length > 0
  }

  #add(glob: string): void {
    const onlyDirectories = glob.length > 1 && glob.endsWith('/')
    const pattern = onlyDirectories ? glob.slice(0, -1) : glob
    if (pattern === '' || pattern === '/') throw new InvalidInputError('exclude', 'a glob', JSON.stringify(glob))
    const kind = pattern.startsWith('/') ? this.#absolute : pattern.includes('/') ? this.#relative : this.#names
    const matcher = picomatch(pattern, { dot: true, nonegate: true })
    ;(onlyDirectories ? kind.directories : kind.all).push(text => matcher(text))
  }

  #protect(root: Uint8Array, path: Uint8Array): void {
    const start = root.length === 1 ? 1 : root.length + 1
    if (path.length <= start || !equal(path.subarray(0, root.length), root) || path[start - 1] !== SLASH) return
    const inside = path.subarray(start)
    const slash = inside.lastIndexOf(SLASH)
    this.#directories.push({ parent: inside.subarray(0, Math.max(0, slash)), name: inside.subarray(slash + 1) })
  }

  #directoryText(directory: Uint8Array): string {
    if (directory !== this.#lastDirectory) {
      this.#lastDirectory = directory
      this.#lastDirectoryText = textOf(directory)
    }
    return this.#lastDirectoryText
  }
}

/** Text of a name or path for rules; what is not UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

/** A path relative to the root from that of the directory (empty: the root) and a name. */
export function joinText(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}

function matches(matchers: Matchers, text: string, isDirectory: boolean): boolean {
  for (const matcher of matchers.all) if (matcher(text)) return true
  if (isDirectory) for (const matcher of matchers.directories) if (matcher(text)) return true
  return false
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
