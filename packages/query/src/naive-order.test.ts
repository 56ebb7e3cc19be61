import { Kind } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { componentsOf, type Entry } from './entry.js'
import { compareEntries, parseSort, SORT_COLUMNS } from './naive-order.js'
import type { RelevanceTerms } from './relevance.js'
import { randomEntries } from './testing/index.js'

function entry(path: string, size = Number.NaN, kind: Kind = Kind.file, modified?: [number, number]): Entry {
  const components = componentsOf(new TextEncoder().encode(path))
  return { components, size, kind, ...(modified && { modified: { seconds: modified[0], ticks: modified[1] } }) }
}

const NO_TERMS: RelevanceTerms = { needles: [], tolerant: [] }

function sorted(sort: string, entries: readonly Entry[], terms = NO_TERMS): string[] {
  const order = parseSort(sort)!
  const text = (e: Entry) => e.components.map(c => new TextDecoder().decode(c)).join('/')
  return entries.toSorted((a, b) => compareEntries(order, terms, a, b)).map(text)
}

describe('sorts', () => {
  const names = ['/b', '/y/B', '/x/b', '/a', '/É', '/e', '/y/b'].map(path => entry(path))
  it('by name: key, then original bytes, then path', () => {
    expect(sorted('name', names)).toEqual(['/a', '/y/B', '/b', '/x/b', '/y/b', '/e', '/É'])
  })
  it('by name descending keeps equal names in the order of their paths', () => {
    expect(sorted('name-desc', names)).toEqual(['/É', '/e', '/b', '/x/b', '/y/b', '/y/B', '/a'])
  })

  const paths = ['/b/a', '/b', '/B/a', '/b-/a', 'b', '/b/É/x', '/b/e/z'].map(path => entry(path))
  it('by path: component by component, a directory before what is in it', () => {
    expect(sorted('path', paths)).toEqual(['/B/a', '/b', '/b/a', '/b/e/z', '/b/É/x', '/b-/a', 'b'])
    expect(sorted('path-desc', paths)).toEqual(sorted('path', paths).reverse())
  })

  const sizes = [
    entry('/c', 5),
    entry('/a', 5),
    entry('/x/a', 5),
    entry('/u'),
    entry('/t'),
    entry('/z', 1),
    entry('/d', 4096, Kind.directory),
  ]
  it('by size: unknown last, directories as 0, ties by name and path', () => {
    expect(sorted('size', sizes)).toEqual(['/d', '/z', '/a', '/x/a', '/c', '/t', '/u'])
  })
  it('by size descending: unknown first, ties still ascending', () => {
    expect(sorted('size-desc', sizes)).toEqual(['/t', '/u', '/a', '/x/a', '/c', '/z', '/d'])
  })

  it('by time to the tick', () => {
    const times = [
      entry('/new', 0, 0, [5, 2]),
      entry('/old', 0, 0, [5, 1]),
      entry('/none'),
      entry('/nan', 0, 0, [Number.NaN, 7]),
      entry('/past', 0, 0, [-3, 9]),
    ]
    expect(sorted('modified', times)).toEqual(['/past', '/old', '/new', '/nan', '/none'])
    expect(sorted('modified-desc', times)).toEqual(['/nan', '/none', '/new', '/old', '/past'])
  })

  it('by extension: directories and names without one last', () => {
    const files = [
      ...['/b.TXT', '/a.txt', '/x.c', '/none', '/dot.', '/.hidden'].map(path => entry(path)),
      entry('/dir.c', 0, Kind.directory),
    ]
    expect(sorted('ext', files)).toEqual(['/x.c', '/.hidden', '/a.txt', '/b.TXT', '/dir.c', '/dot.', '/none'])
  })

  it('by heat and by last open: what was never opened comes last, whichever way', () => {
    const used = (path: string, opened: number, hot: number) => ({ ...entry(path), use: { runs: 1, opened, hot } })
    const list = [entry('/a'), used('/b', 5, 1), used('/c', 7, 3), used('/d', 6, 1), entry('/0'), used('/e', 1, 0)]
    expect(sorted('hot', list)).toEqual(['/c', '/b', '/d', '/e', '/0', '/a'])
    expect(sorted('hot-desc', list)).toEqual(['/e', '/b', '/d', '/c', '/0', '/a'])
    expect(sorted('opened', list)).toEqual(['/e', '/b', '/d', '/c', '/0', '/a'])
    expect(sorted('opened-desc', list)).toEqual(['/c', '/d', '/b', '/e', '/0', '/a'])
  })

  it('by heat: what is equally hot by relevance', () => {
    const used = (path: string, hot: number) => ({ ...entry(path), use: { runs: 1, opened: 5, hot } })
    const list = [entry('/abc'), entry('/xab'), entry('/ab'), used('/xaby', 1), used('/abd', 1), used('/ab.c', 2)]
    const terms = { needles: [new TextEncoder().encode('ab')], tolerant: [] }
    expect(sorted('hot', list, terms)).toEqual(['/ab.c', '/abd', '/xaby', '/ab', '/abc', '/xab'])
    expect(sorted('hot-desc', list, terms)).toEqual(['/abd', '/xaby', '/ab.c', '/ab', '/abc', '/xab'])
    expect(sorted('opened', list, terms)).toEqual(['/ab.c', '/abd', '/xaby', '/ab', '/abc', '/xab'])
    const times = [entry('/old', 0, 0, [5, 1]), entry('/new', 0, 0, [9, 0]), entry('/none')]
    expect(sorted('hot', times)).toEqual(['/new', '/old', '/none'])
  })

  it('are total orders', () => {
    const { entries } = randomEntries(1, 60, 1_700_000_000)
    for (const column of SORT_COLUMNS) {
      for (const descending of [false, true]) {
        const list = entries.toSorted((a, b) => compareEntries({ column, descending }, NO_TERMS, a, b))
        for (let i = 0; i < list.length; i++) {
          for (let j = 0; j < list.length; j++) {
            const order = compareEntries({ column, descending }, NO_TERMS, list[i]!, list[j]!)
            expect(Math.sign(order), `${column} ${i} ${j}`).toBe(Math.sign(i - j))
          }
        }
      }
    }
  })

  it('are read from text', () => {
    expect(parseSort('ext-desc')).toEqual({ column: 'ext', descending: true })
    expect(parseSort('nothing')).toBeUndefined()
    expect(parseSort('-desc')).toBeUndefined()
  })
})
