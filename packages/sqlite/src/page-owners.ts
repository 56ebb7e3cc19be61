import { InvalidInputError } from '@hotpath/model'
import { followChain } from './overflow.js'
import type { PageSource } from './page-source.js'
import type { TableShape } from './table-shape.js'
import { type TreePage, walkPages } from './tree-walk.js'

/** What a page is to the tree that has it. */
export const PageRole = {
  none: 0,
  leaf: 1,
  interior: 2,
  /** The first page of an overflow chain; its parent is the page of the tree that has the cell. */
  chainHead: 3,
  /** Another page of an overflow chain; its parent is the first. */
  chain: 4,
} as const
export type PageRole = (typeof PageRole)[keyof typeof PageRole]

const MAX_TREES = 65_535
const FIRST_PAGES = 1_024

/**
 * Which followed tree has which pages, and how they hang together: seven bytes for each page of the database. A row that is moved to
 * another leaf moves one entry, whatever the length of its chain.
 */
export class PageOwners {
  #trees = new Uint16Array(FIRST_PAGES)
  #roles = new Uint8Array(FIRST_PAGES)
  #parents = new Uint32Array(FIRST_PAGES)
  /** Names of the trees from number 1; undefined where the table is gone. */
  readonly #names: (string | undefined)[] = [undefined]
  readonly #numbers = new Map<string, number>()

  /** Walks the trees of `tables`, all their pages, and the chains of their cells. */
  static of(source: PageSource, tables: readonly TableShape[]): PageOwners {
    const owners = new PageOwners()
    for (const table of tables) {
      const tree = owners.treeNumber(table.name)
      for (const page of walkPages(source, table.rootPage, !table.withoutRowid)) owners.#take(source, tree, page)
    }
    return owners
  }

  /** Names of the tables whose trees have pages here. */
  get tables(): string[] {
    return [...this.#numbers.keys()]
  }

  has(no: number): boolean {
    return this.roleOf(no) !== PageRole.none
  }

  roleOf(no: number): PageRole {
    return (this.#roles[no] ?? PageRole.none) as PageRole
  }

  /** Number of the tree that has the page, or 0. */
  treeOf(no: number): number {
    return this.#trees[no] ?? 0
  }

  /** Name of the table that has the page. */
  tableOf(no: number): string | undefined {
    return this.#names[this.treeOf(no)]
  }

  /** See {@link PageRole}; of a leaf or an interior page the interior page above it. 0 for a root, and for pages that nobody has. */
  parentOf(no: number): number {
    return this.#parents[no] ?? 0
  }

  /** All pages that some tree has, ascending. */
  *pages(): Generator<number> {
    for (let no = 1; no < this.#roles.length; no++) if (this.#roles[no] !== PageRole.none) yield no
  }

  /** The number of the tree of `table`, given now if it had none. */
  treeNumber(table: string): number {
    const known = this.#numbers.get(table)
    if (known !== undefined) return known
    const number = this.#names.length
    if (number > MAX_TREES) throw new InvalidInputError('followed tables', `at most ${MAX_TREES}`, `${number}`)
    this.#names.push(table)
    this.#numbers.set(table, number)
    return number
  }

  /** Lets go of all pages of `table`. @param forget the table is gone, not only to be walked anew */
  clearTable(table: string, forget: boolean): void {
    const number = this.#numbers.get(table)
    if (number === undefined) return
    for (let no = 1; no < this.#trees.length; no++) if (this.#trees[no] === number) this.clear(no)
    if (!forget) return
    this.#names[number] = undefined
    this.#numbers.delete(table)
  }

  clear(no: number): void {
    if (no >= this.#roles.length) return
    this.#trees[no] = 0
    this.#roles[no] = PageRole.none
    this.#parents[no] = 0
  }

  set(no: number, tree: number, role: PageRole, parent: number): void {
    if (no >= this.#roles.length) this.#grow(no)
    this.#trees[no] = tree
    this.#roles[no] = role
    this.#parents[no] = parent
  }

  #take(source: PageSource, tree: number, { page, parent }: TreePage): void {
    this.set(page.no, tree, page.leaf ? PageRole.leaf : PageRole.interior, parent)
    if (page.table && !page.leaf) return
    for (let index = 0; index < page.cellCount; index++) {
      const cell = page.cellAt(index)
      if (cell.overflow === 0) continue
      followChain(source, page, cell, no => {
        if (no === cell.overflow) this.set(no, tree, PageRole.chainHead, page.no)
        else this.set(no, tree, PageRole.chain, cell.overflow)
      })
    }
  }

  /** Doubles, so that a database that grows page by page is not copied each time. */
  #grow(no: number): void {
    const size = Math.max(no + 1, 2 * this.#roles.length)
    const trees = new Uint16Array(size)
    trees.set(this.#trees)
    this.#trees = trees
    const roles = new Uint8Array(size)
    roles.set(this.#roles)
    this.#roles = roles
    const parents = new Uint32Array(size)
    parents.set(this.#parents)
    this.#parents = parents
  }
}
