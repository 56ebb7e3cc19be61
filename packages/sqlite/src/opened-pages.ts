import { CorruptFileError } from '@hotpath/model'
import { BtreePage } from './btree-page.js'
import { type PageOwners, PageRole } from './page-owners.js'
import type { PageSource } from './page-source.js'
import type { WalkPart } from './tree-walk.js'

/** More levels than a tree can have: climbing further means that parents go round. */
const MAX_DEPTH = 40

/** One of the two states of a tree: which of its pages are looked at, and what is known of the pages below them. */
class Side {
  readonly opened = new Map<number, PageRole>()
  /** Children of opened interior pages, and the page that has them. */
  readonly children = new Map<number, number>()

  constructor(
    readonly source: PageSource,
    readonly table: boolean,
  ) {}

  /** Opens a page. @returns its children */
  open(no: number): number[] {
    const page = BtreePage.at(this.source, no)
    if (page.table !== this.table)
      throw page.damage(no === 1 ? 100 : 0, `a page of ${this.table ? 'a table' : 'an index'}`, 'one of another kind')
    this.opened.set(no, page.leaf ? PageRole.leaf : PageRole.interior)
    const children: number[] = []
    for (let index = 0; index < page.childCount; index++) {
      const child = page.childAt(index)
      this.children.set(child, no)
      children.push(child)
    }
    return children
  }
}

/**
 * Which pages of a tree have to be looked at to see what changed in it: those that changed, and those that left it or joined it without being
 * changed, which only interior pages tell (a leaf that is freed is not written to the log). A page that is opened in one state is
 * opened in the other too if it is there, so that rows which are in both cancel.
 */
export class OpenedPages {
  readonly #before: Side
  readonly #after: Side

  /**
   * @param starts pages that the tree had, and that changed, or whose cells did in their overflow pages
   * @param changed all pages that changed
   */
  constructor(
    before: PageSource,
    after: PageSource,
    readonly root: number,
    table: boolean,
    readonly owners: PageOwners,
    starts: readonly number[],
    changed: ReadonlySet<number>,
  ) {
    this.#before = new Side(before, table)
    this.#after = new Side(after, table)
    for (const no of starts) this.#before.open(no)
    const wanted = new Set(starts)
    const isWanted = (child: number): boolean => changed.has(child) || wanted.has(child)
    const below: { readonly no: number; readonly anchor: number }[] = []
    for (const no of starts) {
      const anchor = this.#anchorOf(no)
      if (anchor === 0) this.#openAfter([no], isWanted)
      else if (anchor !== no) below.push({ no, anchor })
    }
    for (;;) {
      // What is below a page that stayed stayed too.
      const stayed = below.filter(({ no, anchor }) => this.#after.children.has(anchor) && !this.#after.opened.has(no))
      this.#openAfter(
        stayed.map(({ no }) => no),
        isWanted,
      )
      if (stayed.length > 0) continue
      // What left, with all below it; what it had may have joined elsewhere. Then what joined, of which little is left that is not known.
      const left = missing(this.#before, this.#after)
      this.#openBefore(left)
      if (left.length > 0) continue
      const joined = missing(this.#after, this.#before)
      if (joined.length === 0) break
      this.#openAfter(joined, isWanted)
    }
  }

  /** The page on the way from `no` to the root, it included, that an opened page has as its child; 0 where none is opened on the way. */
  #anchorOf(no: number): number {
    let child = no
    for (let depth = 0; depth <= MAX_DEPTH; depth++) {
      const parent = this.owners.parentOf(child)
      if (parent === 0) return 0
      if (this.#before.opened.has(parent)) return child
      child = parent
    }
    throw new CorruptFileError(this.#before.source.file, 0, `at most ${MAX_DEPTH} pages above page ${no}`, 'more')
  }

  /** Pages that are looked at as they were, and what they were. */
  get before(): ReadonlyMap<number, PageRole> {
    return this.#before.opened
  }

  /** Pages that are looked at as they are. */
  get after(): ReadonlyMap<number, PageRole> {
    return this.#after.opened
  }

  /** All pages below opened interior pages, as they are, and the page above each. */
  get parents(): ReadonlyMap<number, number> {
    return this.#after.children
  }

  /** What of the tree as it was is walked. */
  get partBefore(): WalkPart {
    return partOf(this.#before, no => this.owners.parentOf(no))
  }

  get partAfter(): WalkPart {
    return partOf(this.#after, no => this.#after.children.get(no) ?? this.owners.parentOf(no))
  }

  #openBefore(from: readonly number[]): void {
    const queue = [...from]
    for (let no = queue.pop(); no !== undefined; no = queue.pop()) {
      if (this.#before.opened.has(no)) continue
      for (const child of this.#before.open(no)) if (this.#after.opened.has(child)) queue.push(child)
    }
  }

  #openAfter(from: readonly number[], wanted: (child: number) => boolean): void {
    const queue = [...from]
    for (let no = queue.pop(); no !== undefined; no = queue.pop()) {
      if (this.#after.opened.has(no)) continue
      for (const child of this.#after.open(no)) if (wanted(child) || this.#before.opened.has(child)) queue.push(child)
    }
  }
}

/** Children that one state has, and the other does not know of. */
function missing(side: Side, other: Side): number[] {
  const found: number[] = []
  for (const child of side.children.keys()) if (!side.opened.has(child) && !other.children.has(child)) found.push(child)
  return found
}

/** The opened pages, and all pages on the way to them. */
function partOf(side: Side, parentOf: (no: number) => number): WalkPart {
  const way = new Set<number>()
  for (const opened of side.opened.keys()) {
    let depth = 0
    for (let no = opened; no !== 0 && !way.has(no); no = parentOf(no)) {
      way.add(no)
      if (++depth > MAX_DEPTH)
        throw new CorruptFileError(side.source.file, 0, `at most ${MAX_DEPTH} pages above page ${opened}`, 'more')
    }
  }
  return { enters: no => way.has(no), gives: no => side.opened.has(no) }
}
