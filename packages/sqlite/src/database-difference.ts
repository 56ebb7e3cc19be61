import type { FollowedTable, RowChange } from '@hotpath/model'
import type { TextEncoding } from './database-header.js'
import { OpenedPages } from './opened-pages.js'
import { OwnerChanges } from './owner-changes.js'
import { type PageOwners, PageRole } from './page-owners.js'
import type { PageSource } from './page-source.js'
import { type DifferenceContext, sameColumns, sameKeys, TableDifference, type TableState } from './table-difference.js'
import { followedTable, type TableShape } from './table-shape.js'

/** One state of a database, and what of it is followed. */
export interface DatabaseState {
  readonly source: PageSource
  readonly encoding: TextEncoding
  readonly tables: readonly TableShape[]
}

/**
 * What changed in the rows of the followed tables between two states.
 *
 * The changes are read once, to their end; then `settle` makes the owners those of the second state. Nothing is changed before: after a failure the
 * same difference can be made again.
 *
 * Where the columns of a table changed, its old values are given under the new columns, those that it did not have as NULL: a consumer that
 * keeps columns by name, fills new ones with NULL and applies the changes has the table as it is.
 */
export class DatabaseDifference {
  readonly #changed: ReadonlySet<number>
  readonly #ownerChanges = new OwnerChanges()
  #read = false

  /**
   * @param owners of the pages in the state `before`
   * @param changed numbers of the pages of a commit; or, of a comparison, of those with an owner of which the bytes differ. Others may be among them
   */
  constructor(
    readonly before: DatabaseState,
    readonly after: DatabaseState,
    readonly owners: PageOwners,
    changed: Iterable<number>,
  ) {
    this.#changed = new Set(changed)
  }

  /** Tables that appeared or whose columns changed. */
  get tables(): FollowedTable[] {
    const olds = shapesOf(this.before)
    return this.after.tables
      .filter(shape => {
        const old = olds.get(shape.name)
        return old === undefined || !sameColumns(old, shape) || !sameKeys(old, shape)
      })
      .map(followedTable)
  }

  /** All changes, table by table, in each at most one for a key. Pages are read as the changes are. */
  *changes(): Generator<RowChange> {
    const context = this.#context()
    const starts = this.#starts(context)
    const olds = shapesOf(this.before)
    const news = shapesOf(this.after)
    const gone = this.before.tables.filter(shape => !news.has(shape.name))
    for (const shape of gone) yield* this.#whole(context, shape, undefined)
    for (const shape of this.after.tables) {
      const old = olds.get(shape.name)
      if (old !== undefined && !sameKeys(old, shape)) {
        yield* this.#whole(context, old, undefined)
        yield* this.#whole(context, undefined, shape)
      } else if (old === undefined || old.rootPage !== shape.rootPage || !sameColumns(old, shape))
        yield* this.#whole(context, old, shape)
      else {
        const own = starts.get(this.owners.treeNumber(shape.name))
        if (own !== undefined) yield* this.#part(context, shape, own)
      }
    }
    this.#read = true
  }

  /**
   * Makes the owners those of the second state.
   *
   * @returns the pages that have owners now, and that changed, or that had none: what a copy of the followed pages has to take over
   */
  settle(): Set<number> {
    if (!this.#read) throw new Error('a difference is settled when its changes were read to their end')
    const pages = this.#ownerChanges.apply(this.owners)
    for (const no of this.#changed) if (this.owners.has(no)) pages.add(no)
    return pages
  }

  #whole(context: DifferenceContext, old: TableShape | undefined, shape: TableShape | undefined): Generator<RowChange> {
    const name = (old ?? shape)!.name
    const before: TableState = { ...this.before, shape: old }
    return new TableDifference(name, before, { ...this.after, shape }, context, undefined).changes()
  }

  #part(context: DifferenceContext, shape: TableShape, starts: readonly number[]): Generator<RowChange> {
    const { before, after, owners } = this
    const table = !shape.withoutRowid
    const opened = new OpenedPages(before.source, after.source, shape.rootPage, table, owners, starts, this.#changed)
    return new TableDifference(shape.name, { ...before, shape }, { ...after, shape }, context, opened).changes()
  }

  #context(): DifferenceContext {
    const changedChains = new Set<number>()
    for (const no of this.#changed) {
      const role = this.owners.roleOf(no)
      if (role === PageRole.chainHead) changedChains.add(no)
      else if (role === PageRole.chain) changedChains.add(this.owners.parentOf(no))
    }
    return { owners: this.owners, ownerChanges: this.#ownerChanges, changedChains }
  }

  /** For each tree its pages that changed, and those that have a changed chain. */
  #starts({ changedChains }: DifferenceContext): Map<number, number[]> {
    const pages = new Set<number>()
    for (const head of changedChains) pages.add(this.owners.parentOf(head))
    for (const no of this.#changed) {
      const role = this.owners.roleOf(no)
      if (role === PageRole.leaf || role === PageRole.interior) pages.add(no)
    }
    const starts = new Map<number, number[]>()
    for (const no of pages) {
      const tree = this.owners.treeOf(no)
      const own = starts.get(tree)
      if (own === undefined) starts.set(tree, [no])
      else own.push(no)
    }
    return starts
  }
}

function shapesOf(state: DatabaseState): ReadonlyMap<string, TableShape> {
  return new Map(state.tables.map(shape => [shape.name, shape]))
}
