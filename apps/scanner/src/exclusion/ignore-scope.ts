import ignore from 'ignore'

/** Name of the files that say, in the syntax of gitignore, what below their directory is left out. */
export const IGNORE_FILE_NAME = '.hotpathignore'

/** No more of an ignore file is read. */
export const MAX_IGNORE_FILE_BYTES = 1 << 20

/** `ignore` remembers the answer for every path it was asked; after so many it starts anew, which costs microseconds. */
const MAX_REMEMBERED = 4096

/** Means something in a pattern. */
const SPECIAL = /[\\*?[\]!# ]/g

/** What a scope is made of, for sending it to another thread. Outermost first. */
export interface IgnoreRules {
  /** Directory of the file, relative to the root, as text; empty for the root. */
  readonly base: string
  readonly text: string
}

/** The rules of one ignore file on top of those of the directories above it. */
export class IgnoreScope {
  readonly #rules: ignore.Ignore
  readonly #baseLength: number
  #matcher: ignore.Ignore
  #remembered = 0
  /** The entries of a directory are asked for one after the other. */
  #letIn: { readonly directory: string; readonly matcher: ignore.Ignore } | undefined

  constructor(
    readonly parent: IgnoreScope | null,
    readonly base: string,
    readonly text: string,
  ) {
    this.#rules = ignore({ ignorecase: false }).add(text)
    this.#matcher = this.#rules
    this.#baseLength = base === '' ? 0 : base.length + 1
  }

  /**
   * Whether the innermost rule that speaks of the path says to leave it out. `path` is relative to the root and below
   * `base`; the directories on the way to it are not left out.
   */
  excludes(path: string, isDirectory: boolean): boolean {
    for (let scope: IgnoreScope | null = this; scope !== null; scope = scope.parent) {
      const verdict = scope.#test(path, isDirectory)
      if (verdict !== undefined) return verdict
    }
    return false
  }

  /** The rules of this scope and of all above it. */
  chain(): IgnoreRules[] {
    return [...(this.parent?.chain() ?? []), { base: this.base, text: this.text }]
  }

  #test(path: string, isDirectory: boolean): boolean | undefined {
    if (this.#remembered++ >= MAX_REMEMBERED) {
      this.#matcher = ignore({ ignorecase: false }).add(this.#rules)
      this.#letIn = undefined
      this.#remembered = 0
    }
    const inside = path.slice(this.#baseLength)
    const { ignored, unignored } = this.#matcher.test(isDirectory ? `${inside}/` : inside)
    if (unignored) return false
    if (!ignored) return undefined
    // `ignore` also says so if a directory on the way is ignored by these rules. A rule further in has let that one
    // in again, or nobody would ask about what is below it: then it matters what these rules say of the path alone.
    const slash = inside.lastIndexOf('/')
    if (slash === -1 || !this.#matcher.test(inside.slice(0, slash + 1)).ignored) return true
    const alone = this.#below(inside.slice(0, slash)).test(isDirectory ? `${inside}/` : inside)
    if (alone.unignored) return false
    return alone.ignored ? true : undefined
  }

  /** These rules for the entries of a directory, which is not ignored, nor is any on the way to it. */
  #below(directory: string): ignore.Ignore {
    if (this.#letIn?.directory === directory) return this.#letIn.matcher
    const matcher = ignore({ ignorecase: false }).add(this.#rules)
    let path = ''
    for (const name of directory.split('/')) {
      path += `/${name.replace(SPECIAL, '\\$&')}`
      matcher.add({ pattern: `!${path}/` })
    }
    this.#letIn = { directory, matcher }
    return matcher
  }
}

/** The scope that `chain()` of another thread describes; null for no rules. */
export function scopeOfChain(chain: readonly IgnoreRules[]): IgnoreScope | null {
  let scope: IgnoreScope | null = null
  for (const { base, text } of chain) scope = new IgnoreScope(scope, base, text)
  return scope
}
