import { describe, expect, it } from 'vitest'
import {
  checkedLayout,
  gridTemplate,
  leastWidthPx,
  shownColumns,
  USUAL_LAYOUT,
  withColumn,
  withColumnAt,
} from './columns.js'
import { filterPrefix, NO_FILTERS, withType } from './filters.js'
import { EMPTY_STATE, isSameSearch, sortedBy, stateFromUrl, stateToUrl } from './page-state.js'
import { bytesOf, decodedPathRef, pathParts, pathRef } from './path-ref.js'
import { remembered, savedSearches } from './saved-searches.js'

describe('the address', () => {
  it.each([
    '',
    '?q=report',
    '?q=a+%26+b%3D%3F%23',
    '?sort=size-desc',
    '?q=x&sort=name-desc',
    '?q=x&type=audio,video&age=week&size=1mb&under=/home/ann',
    '?q=x&under=/a%20b/%FF%26',
    '?view=statistics&sizes=/usr/%C3%A9',
    '?view=rows&from=2000&q=in%3Achat',
    '?sort=hot-desc',
  ])('says the whole state: %s', address => {
    expect(stateToUrl(stateFromUrl(address))).toBe(address)
  })

  it('is not obeyed where it makes no sense', () => {
    expect(stateFromUrl('?sort=evil-desc')).toEqual(EMPTY_STATE)
    expect(stateFromUrl('?other=1&view=x&from=5&type=evil&age=never&size=-1&under=%F&sizes=')).toEqual(EMPTY_STATE)
  })

  it('turns an order round, and begins others with what one looks for', () => {
    const byName = sortedBy(EMPTY_STATE, 'name')
    expect(byName).toMatchObject({ sort: 'name', descending: false })
    expect(sortedBy(byName, 'name')).toMatchObject({ sort: 'name', descending: true })
    expect(sortedBy(sortedBy(byName, 'name'), 'name')).toEqual(EMPTY_STATE)
    expect(sortedBy(EMPTY_STATE, 'size')).toMatchObject({ sort: 'size', descending: true })
    expect(sortedBy(sortedBy(EMPTY_STATE, 'size'), 'path')).toMatchObject({ sort: 'path', descending: false })
  })

  it('tells searches apart by what is asked for alone', () => {
    const state = stateFromUrl('?q=a')
    expect(isSameSearch(state, { ...state, view: 'statistics' } as typeof state)).toBe(true)
    expect(isSameSearch(state, stateFromUrl('?q=a&type=audio'))).toBe(false)
  })
})

describe('paths', () => {
  it('keep bytes that are no UTF-8', () => {
    const bytes = new Uint8Array([0x2f, 0xff, 0x20, 0x25])
    const ref = pathRef(bytes)
    expect(ref).toEqual({ text: '/\ufffd %', encoded: '/%FF%20%25' })
    expect(bytesOf(ref)).toEqual(bytes)
    expect(decodedPathRef(ref.encoded)).toEqual(ref)
    expect(decodedPathRef('%zz')).toBeUndefined()
  })

  it('have parts from the top', () => {
    const names = (path: string) => pathParts(new TextEncoder().encode(path)).map(part => [part.name, part.ref.text])
    expect(names('/a/é')).toEqual([
      ['/', '/'],
      ['a', '/a'],
      ['é', '/a/é'],
    ])
    expect(names('C:/x')).toEqual([
      ['C:', 'C:'],
      ['x', 'C:/x'],
    ])
    expect(names('/')).toEqual([['/', '/']])
  })
})

describe('filters', () => {
  it('stand before the query, types as alternatives', () => {
    expect(filterPrefix(NO_FILTERS)).toBe('')
    const types = withType(withType(NO_FILTERS, 'video', true), 'folder', true)
    expect(types.types).toEqual(['folder', 'video'])
    expect(filterPrefix({ ...types, age: 'today', size: '1gb' })).toBe('folder:|video: dm:today size:>1gb ')
    expect(withType(types, 'video', false).types).toEqual(['folder'])
  })
})

describe('columns', () => {
  it('believe of what was stored what makes sense', () => {
    expect(checkedLayout({ shown: ['size', 'evil'], widths: { size: 1, name: Number.NaN, path: 9e9 } })).toEqual({
      shown: ['name', 'size'],
      widths: { size: 56, path: 2_000 },
    })
    const own = { shown: ['size', 'accessed', 'name', 'size'], widths: {} }
    expect(checkedLayout(own)?.shown).toEqual(['size', 'accessed', 'name'])
    for (const wrong of [null, 1, [], {}, { shown: [] }]) expect(checkedLayout(wrong)).toBeUndefined()
  })

  it('stand where they are put, and come back to where they usually are', () => {
    const moved = withColumnAt(USUAL_LAYOUT, 'size', 0)
    expect(moved.shown).toEqual(['size', 'name', 'path', 'ext', 'modified'])
    expect(shownColumns(moved).map(({ label }) => label)).toEqual(['Size', 'Name', 'Folder', 'Type', 'Modified'])
    expect(gridTemplate(moved)).toMatch(/^92px minmax\(220px, 5fr\) /)
    expect(withColumnAt(moved, 'size', 99).shown.at(-1)).toBe('size')
    expect(withColumnAt(moved, 'size', -1)).toEqual(moved)
    expect(withColumn(moved, 'accessed').shown).toEqual(['size', 'name', 'path', 'ext', 'modified', 'accessed'])
    expect(withColumn({ shown: ['modified', 'name'], widths: {} }, 'path').shown).toEqual(['modified', 'name', 'path'])
    expect(withColumn(moved, 'size')).toEqual(moved)
  })

  it('share the window until they are given a width', () => {
    expect(gridTemplate(USUAL_LAYOUT)).toMatch(/^minmax\(220px, 5fr\) minmax\(180px, 6fr\) 84px 92px 148px /)
    const layout = { ...USUAL_LAYOUT, widths: { name: 300 } }
    expect(gridTemplate(layout)).toMatch(/^300px /)
    expect(leastWidthPx(layout) - leastWidthPx(USUAL_LAYOUT)).toBe(80)
    expect(shownColumns(layout).map(({ id }) => id)).toEqual(layout.shown)
  })
})

describe('saved searches', () => {
  const search = (url: string) => ({ url, title: url })

  it('are the latest, each once, and no more than there is room for', () => {
    const all = ['?q=a', '?q=b', '?q=c'].map(search)
    expect(remembered(all, search('?q=b'), 3).map(({ url }) => url)).toEqual(['?q=b', '?q=a', '?q=c'])
    expect(remembered(all, search('?q=d'), 3).map(({ url }) => url)).toEqual(['?q=d', '?q=a', '?q=b'])
  })

  it('are believed only where they lead to this page', () => {
    const stored = [search('?q=a'), search('javascript:1'), search('//evil'), null, { url: 1 }, search('')]
    expect(savedSearches(stored, 10)).toEqual([search('?q=a'), search('')])
    expect(savedSearches('x', 10)).toBeUndefined()
    expect(savedSearches(Array(9).fill(search('?q=a')), 5)).toHaveLength(5)
  })
})
