import { type PageOwners, PageRole } from './page-owners.js'

/** Numbers, four for each entry, that grow by doubling. */
class Entries {
  #numbers = new Uint32Array(256)
  #length = 0

  push(a: number, b: number, c: number, d: number): void {
    if (this.#length === this.#numbers.length) {
      const larger = new Uint32Array(2 * this.#length)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    this.#numbers.set([a, b, c, d], this.#length)
    this.#length += 4
  }

  *each(): Generator<readonly [number, number, number, number]> {
    const numbers = this.#numbers
    for (let at = 0; at < this.#length; at += 4)
      yield [numbers[at]!, numbers[at + 1]!, numbers[at + 2]!, numbers[at + 3]!]
  }
}

/**
 * What a difference found of who has which pages, kept until all of it is known: a page that one table lets go of another may have taken. First
 * all is let go, then all is taken. Sixteen bytes for each page.
 */
export class OwnerChanges {
  readonly #released = new Entries()
  readonly #taken = new Entries()
  readonly #cleared = new Map<string, boolean>()

  release(no: number): void {
    this.#released.push(no, 0, 0, 0)
  }

  take(no: number, tree: number, role: PageRole, parent: number): void {
    this.#taken.push(no, tree, role, parent)
  }

  /** All pages of a table. @param forget the table is gone */
  releaseTable(table: string, forget: boolean): void {
    this.#cleared.set(table, forget)
  }

  /** @returns the pages that were taken and that nobody had before */
  apply(owners: PageOwners): Set<number> {
    const added = new Set<number>()
    for (const [no] of this.#taken.each()) if (owners.roleOf(no) === PageRole.none) added.add(no)
    for (const [table, forget] of this.#cleared) owners.clearTable(table, forget)
    for (const [no] of this.#released.each()) owners.clear(no)
    for (const [no, tree, role, parent] of this.#taken.each()) owners.set(no, tree, role as PageRole, parent)
    return added
  }
}
