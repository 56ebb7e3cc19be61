import {
  appendFileSync,
  chmodSync,
  closeSync,
  type Dirent,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Random } from '@hotpath/testing'

export interface WriterOptions {
  /** Directories that stay: one of this writer alone, one of all writers. */
  readonly own: string
  readonly shared: string
  readonly seed: number
}

type Operation = (at: string) => readonly string[] | undefined

/** Names of a directory are so many that it holds some hundred entries, and most operations find something to work on. */
const NAMES = 40
const MAX_DEPTH = 5
/** A directory with more entries gets no further one. */
const CROWD = 120
const REMEMBERED = 5_000
const LINKS = 'links'

/**
 * Changes a tree as programs do, at random, while others change it, too. What cannot be done, because somebody was faster or a
 * name is taken, is left.
 */
export class TreeWriter {
  readonly #random: Random
  readonly #weighted: readonly (readonly [string, Operation])[]
  readonly #last: string[] = []
  #counter = 0

  constructor(private readonly options: WriterOptions) {
    this.#random = new Random(options.seed)
    mkdirSync(join(options.own, LINKS), { recursive: true })
    const operations: [number, string, Operation][] = [
      [14, 'create', at => this.#create(at)],
      [10, 'write', at => this.#onFile(at, file => writeFileSync(file, this.#bytes()))],
      [12, 'append', at => this.#onFile(at, file => appendFileSync(file, this.#bytes()))],
      [6, 'truncate', at => this.#onFile(at, file => truncateSync(file, this.#random.below(300)))],
      [6, 'chmod', at => this.#onAny(at, path => chmodSync(path, 0o700 | this.#random.below(0o100)))],
      [8, 'rename', at => this.#onFile(at, file => this.#move(file, this.#free(this.#somewhere())))],
      [8, 'rename over', at => this.#onFile(at, file => this.#moveOverFile(file))],
      [4, 'save', at => this.#onFile(at, file => this.#save(file))],
      [5, 'move directory', at => this.#onDirectory(at, path => this.#moveDirectory(path))],
      [6, 'link', () => this.#link()],
      [5, 'swap symlink', at => this.#swapSymlink(at)],
      [9, 'delete', at => this.#onFile(at, file => unlinkSync(file))],
      [8, 'mkdir', at => this.#mkdir(at)],
      [2, 'remove all', at => this.#onDirectory(at, path => rmSync(path, { recursive: true, force: true }))],
    ]
    this.#weighted = operations.flatMap(([weight, name, work]) => Array(weight).fill([name, work] as const))
  }

  /** The last operations, the oldest first: number, what, and the paths. */
  get lastOperations(): readonly string[] {
    return this.#last
  }

  /** Does one operation. False: it could not be done. */
  step(): boolean {
    const [name, work] = this.#random.pick(this.#weighted)
    try {
      const paths = work(this.#somewhere())
      if (paths === undefined) return false
      this.#last.push(`${++this.#counter} ${name} ${paths.join(' → ')}`)
      // Twice as many may be kept, so that they are not moved each time.
      if (this.#last.length >= 2 * REMEMBERED) this.#last.splice(0, REMEMBERED)
      return true
    } catch (error) {
      if (error instanceof Error && 'code' in error) return false
      throw error
    }
  }

  #somewhere(): string {
    const { own, shared } = this.options
    let path = this.#random.chance(0.35) ? shared : own
    for (let depth = this.#random.below(MAX_DEPTH); depth > 0; depth--) {
      const inner = this.#entries(path).filter(entry => entry.isDirectory() && entry.name !== LINKS)
      if (inner.length === 0) break
      path = join(path, this.#random.pick(inner).name)
    }
    return path
  }

  #entries(path: string): Dirent[] {
    return readdirSync(path, { withFileTypes: true })
  }

  #free(at: string): string {
    return join(at, `${this.#random.pick(['file', 'größe', 'Über x', 'n'.repeat(50)])}-${this.#random.below(NAMES)}`)
  }

  #bytes(): string {
    return 'x'.repeat(this.#random.below(700))
  }

  #on(at: string, isWanted: (entry: Dirent) => boolean, work: (path: string) => unknown): string[] | undefined {
    const found = this.#entries(at).filter(isWanted)
    if (found.length === 0) return undefined
    const path = join(at, this.#random.pick(found).name)
    const other = work(path)
    return typeof other === 'string' ? [path, other] : [path]
  }

  #onFile(at: string, work: (path: string) => unknown): string[] | undefined {
    return this.#on(at, entry => entry.isFile(), work)
  }

  #onDirectory(at: string, work: (path: string) => unknown): string[] | undefined {
    return this.#on(at, entry => entry.isDirectory() && entry.name !== LINKS, work)
  }

  #onAny(at: string, work: (path: string) => void): string[] | undefined {
    return this.#on(at, entry => !entry.isSymbolicLink() && entry.name !== LINKS, work)
  }

  #create(at: string): string[] | undefined {
    if (this.#entries(at).length > CROWD) return undefined
    const path = this.#free(at)
    closeSync(openSync(path, 'wx'))
    return [path]
  }

  #mkdir(at: string): string[] | undefined {
    if (this.#entries(at).length > CROWD) return undefined
    const path = join(at, `d${this.#random.below(12)}`)
    mkdirSync(path)
    return [path]
  }

  #move(from: string, to: string): string {
    renameSync(from, to)
    return to
  }

  /** To a name that nobody has: onto one that holds something it fails, and changes times in an overlay (docs/watching.md). */
  #moveDirectory(from: string): string {
    return this.#move(from, join(this.#somewhere(), `moved-${this.options.seed}-${this.#counter}`))
  }

  #moveOverFile(file: string): string | undefined {
    const target = this.#onFile(this.#somewhere(), other => renameSync(file, other))
    return target?.[0]
  }

  #save(file: string): string {
    const fresh = `${file}.part`
    writeFileSync(fresh, this.#bytes())
    renameSync(fresh, file)
    return fresh
  }

  /**
   * Hard links have a directory that stays, and keep their names: a write by a name that is gone before anybody looked at it does not
   * show under the others (docs/watching.md).
   */
  #link(): string[] {
    const place = join(this.options.own, LINKS)
    const [first, second] = [this.#free(place), this.#free(place)]
    const kind = this.#random.below(4)
    if (kind === 0) linkSync(first, second)
    else if (kind === 1) chmodSync(first, 0o700 | this.#random.below(0o100))
    else if (kind === 2) truncateSync(first, this.#random.below(300))
    else appendFileSync(first, this.#bytes())
    return [first, second]
  }

  #swapSymlink(at: string): string[] {
    const path = join(at, `link-${this.#random.below(6)}`)
    const fresh = `${path}.new`
    symlinkSync(`target-${this.#random.below(1_000)}`, fresh)
    renameSync(fresh, path)
    return [path, fresh]
  }
}
