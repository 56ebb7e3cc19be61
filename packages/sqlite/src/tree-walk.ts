import { CorruptFileError } from '@hotpath/model'
import { BtreePage } from './btree-page.js'
import { type PageSource, pageOffset } from './page-source.js'

/** More levels than a tree of 2^32 pages can have with two children for each page. */
const MAX_DEPTH = 40

/** Cells of a page that follow each other in the order of the keys: all of a leaf; one of an interior page. */
export interface CellRun {
  readonly page: BtreePage
  /** Index of the first cell, and the one after the last. */
  readonly start: number
  readonly end: number
}

/** Which part of a tree is walked. */
export interface WalkPart {
  /** False where nothing at and below this page is wanted: it is not even read. */
  enters(no: number): boolean
  /** Whether the cells of an entered page are wanted. */
  gives(no: number): boolean
}

const ALL: WalkPart = { enters: () => true, gives: () => true }

/**
 * The cells with records of a tree in the order of its keys: leaves of a table; leaves and interior pages of an index. Holds one page
 * of each level.
 *
 * @param table what the pages must be of
 * @throws CorruptFileError where a page is of another kind, or is reached twice
 */
export function* walkTree(source: PageSource, root: number, table: boolean, part: WalkPart = ALL): Generator<CellRun> {
  if (!part.enters(root)) return
  const budget = { pages: source.pageCount }
  yield* walkBelow(source, entered(source, root, table, 0, 0, budget), 0, part, budget)
}

function* walkBelow(
  source: PageSource,
  page: BtreePage,
  depth: number,
  part: WalkPart,
  budget: { pages: number },
): Generator<CellRun> {
  const gives = part.gives(page.no) && (page.leaf || !page.table)
  if (page.leaf) {
    if (gives) yield { page, start: 0, end: page.cellCount }
    return
  }
  for (let index = 0; index < page.childCount; index++) {
    const child = page.childAt(index)
    if (part.enters(child)) {
      const below = entered(source, child, page.table, depth + 1, pageOffset(source, page.no), budget)
      yield* walkBelow(source, below, depth + 1, part, budget)
    }
    if (gives && index < page.cellCount) yield { page, start: index, end: index + 1 }
  }
}

/** Reads a page of a tree. @param budget pages that may still be read: a tree has no more than the database */
export function entered(
  source: PageSource,
  no: number,
  table: boolean,
  depth: number,
  from: number,
  budget: { pages: number },
): BtreePage {
  if (depth > MAX_DEPTH) throw new CorruptFileError(source.file, from, `a tree of at most ${MAX_DEPTH} levels`, 'more')
  if (budget.pages-- <= 0)
    throw new CorruptFileError(
      source.file,
      from,
      `a tree of at most ${source.pageCount} pages`,
      'pages that are reached twice',
    )
  const page = BtreePage.at(source, no, from)
  if (page.table !== table)
    throw page.damage(
      no === 1 ? 100 : 0,
      `a page of ${table ? 'a table' : 'an index'}`,
      page.table ? 'of a table' : 'of an index',
    )
  return page
}

/** A page of a tree, and the page above it; 0 above the root. */
export interface TreePage {
  readonly page: BtreePage
  readonly parent: number
}

/** All pages of a tree, each before those below it. */
export function* walkPages(source: PageSource, root: number, table: boolean): Generator<TreePage> {
  const budget = { pages: source.pageCount }
  yield* pagesBelow(source, entered(source, root, table, 0, 0, budget), 0, 0, budget)
}

function* pagesBelow(
  source: PageSource,
  page: BtreePage,
  parent: number,
  depth: number,
  budget: { pages: number },
): Generator<TreePage> {
  yield { page, parent }
  for (let index = 0; index < page.childCount; index++) {
    const from = pageOffset(source, page.no)
    const child = entered(source, page.childAt(index), page.table, depth + 1, from, budget)
    yield* pagesBelow(source, child, page.no, depth + 1, budget)
  }
}
