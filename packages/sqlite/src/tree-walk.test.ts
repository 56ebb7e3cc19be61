import { describe, expect, it } from 'vitest'
import { PageOwners, PageRole } from './page-owners.js'
import type { PageSource } from './page-source.js'
import { pagesIn } from './testing/memory-pages.js'
import { type CellRun, walkPages, walkTree } from './tree-walk.js'

const PAGE = 512
const LEAF = 13
const INTERIOR = 5

/** Pages of a table: interior ones by their children, leaves by their rowids; records of one byte. */
function database(
  pages: Readonly<Record<number, { children: number[] } | { rows: number[] }>>,
  kinds = [LEAF, INTERIOR],
): PageSource {
  const count = 60
  const bytes = new Uint8Array(count * PAGE)
  for (const [no, page] of Object.entries(pages)) {
    const own = bytes.subarray((Number(no) - 1) * PAGE, Number(no) * PAGE)
    if ('children' in page && page.children.length === 0) continue
    const view = new DataView(own.buffer, own.byteOffset, PAGE)
    const cells =
      'rows' in page
        ? page.rows.map(row => [1, row, 1, 8])
        : page.children.slice(0, -1).map(child => [0, 0, 0, child, 1])
    own[0] = 'rows' in page ? kinds[0]! : kinds[1]!
    view.setUint16(3, cells.length)
    if ('children' in page) view.setUint32(8, page.children.at(-1)!)
    cells.forEach((cell, index) => {
      const at = PAGE - 8 * (index + 1)
      own.set(cell, at)
      view.setUint16(('rows' in page ? 8 : 12) + 2 * index, at)
    })
  }
  return pagesIn('x.db', bytes, PAGE, PAGE)
}

const TREE = {
  2: { children: [3, 4] },
  3: { children: [5, 6] },
  4: { children: [7] },
  5: { rows: [1, 2] },
  6: { rows: [3] },
  7: { rows: [4, 5] },
}

function rowidsOf({ page, start, end }: CellRun): (number | bigint)[] {
  return Array.from({ length: end - start }, (_, index) => page.cellAt(start + index).rowid)
}

describe('walkTree', () => {
  it('gives the cells in the order of their keys', () => {
    const rows = [...walkTree(database(TREE), 2, true)].flatMap(rowidsOf)
    expect(rows).toEqual([1, 2, 3, 4, 5])
  })

  it('reads only what is wanted of it', () => {
    const source = database(TREE)
    const read: number[] = []
    const counting: PageSource = {
      ...source,
      page(no) {
        read.push(no)
        return source.page(no)
      },
    }
    const part = { enters: (no: number) => [2, 3, 6].includes(no), gives: (no: number) => no === 6 }
    expect([...walkTree(counting, 2, true, part)].flatMap(rowidsOf)).toEqual([3])
    expect(read).toEqual([2, 3, 6])
  })

  it.each([
    ['goes round', { ...TREE, 2: { children: [2] } }, 'at most 40 levels'],
    ['has a page of another kind', { ...TREE, 6: { children: [] } }, 'a kind of b-tree page'],
    [
      'reaches pages again and again',
      {
        ...TREE,
        ...Object.fromEntries(
          Array.from({ length: 30 }, (_, index) => [index + 8, { children: [index + 9, index + 9] }]),
        ),
        4: { children: [8] },
        38: { rows: [9] },
      },
      'pages that are reached twice',
    ],
  ])('refuses a tree that %s', (_, pages, expected) => {
    const source = database(pages as typeof TREE)
    expect(() => [...walkTree(source, 2, true)]).toThrow(expected)
    expect(() => [...walkPages(source, 2, true)]).toThrow(expected)
  })

  it('refuses an index where a table is meant', () =>
    expect(() => [...walkTree(database(TREE, [10, 2]), 2, true)]).toThrow(
      'expected a page of a table, found of an index',
    ))
})

describe('PageOwners', () => {
  const shape = { name: 't', rootPage: 2, withoutRowid: false, columns: [], recordColumns: [], primaryKey: [] }

  it('says who has each page, and what it is', () => {
    const owners = PageOwners.of(database(TREE), [shape])
    expect([...owners.pages()]).toEqual([2, 3, 4, 5, 6, 7])
    expect([2, 3, 7, 8].map(no => owners.roleOf(no))).toEqual([
      PageRole.interior,
      PageRole.interior,
      PageRole.leaf,
      PageRole.none,
    ])
    expect([2, 3, 4, 6, 7, 8].map(no => owners.parentOf(no))).toEqual([0, 2, 2, 3, 4, 0])
    expect([owners.tableOf(5), owners.tableOf(8), owners.has(5), owners.has(8)]).toEqual(['t', undefined, true, false])
  })

  it('knows pages far behind the last, and lets a table go', () => {
    const owners = PageOwners.of(database(TREE), [shape])
    owners.set(1_000_000, owners.treeNumber('u'), PageRole.leaf, 0)
    expect(owners.tables).toEqual(['t', 'u'])
    owners.clearTable('t', true)
    expect([...owners.pages()]).toEqual([1_000_000])
    expect(owners.tables).toEqual(['u'])
    owners.clear(5_000_000)
    expect(owners.has(5_000_000)).toBe(false)
  })
})
