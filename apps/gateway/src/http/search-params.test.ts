import { InvalidInputError } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseQueryString } from './query-string.js'
import { parseSearchParams } from './search-params.js'

describe('parseQueryString', () => {
  it('reads what URLSearchParams writes, and any bytes', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 })
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name, maxLength: 6 }), pairs => {
        const read = parseQueryString(new URLSearchParams(pairs).toString())
        const expected = pairs.map(([name, value]) => [name, value])
        expect([...read].map(([name, value]) => [name, Buffer.from(value).toString('utf8')])).toEqual(expected)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        const escaped = [...bytes].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')
        expect(parseQueryString(`under=${escaped}`).get('under')).toEqual(bytes)
      }),
    )
  })

  it.each(['q=%', 'q=%4', 'q=%zz', '%ff=1', 'q=1&q=2', 'q&q'])('refuses %s', query => {
    expect(() => parseQueryString(query)).toThrow(InvalidInputError)
  })
})

describe('parseSearchParams', () => {
  const defaults = {
    query: '',
    limit: 100,
    offset: 0,
    sort: 'hot',
    descending: false,
    match: 'name',
    caseMode: 'ignore',
    under: undefined,
    minClock: undefined,
    explain: false,
    countOnly: false,
    fuzzy: false,
    noCache: false,
  }

  it.each([
    ['', {}],
    ['q=a+b%20%2B', { query: 'a b +' }],
    ['q=%F0%9D%84%9E', { query: '𝄞' }],
    ['q=%EF%BB%BFx', { query: '\ufeffx' }],
    ['limit=0', { limit: 0 }],
    ['limit=1000&offset=4294967295', { limit: 1000, offset: 4_294_967_295 }],
    ['sort=size-desc', { sort: 'size', descending: true }],
    ['sort=ext', { sort: 'ext' }],
    ['sort=accessed-desc', { sort: 'accessed', descending: true }],
    ['case=smart', { caseMode: 'smart' }],
    ['case=match', { caseMode: 'match' }],
    ['case=ignore', {}],
    ['sort=hot-desc', { sort: 'hot', descending: true }],
    ['sort=opened-desc', { sort: 'opened', descending: true }],
    ['match=auto', { match: 'auto' }],
    ['match=name', {}],
    ['fuzzy=auto', { fuzzy: true }],
    ['cache=off', { noCache: true }],
    ['explain=1&count=0', { explain: true }],
    ['count=1', { countOnly: true, limit: 0 }],
    ['minClock=abc', { minClock: 'abc' }],
    ['under=/a%FF', { under: new Uint8Array([0x2f, 0x61, 0xff]) }],
  ])('reads %s', (query, expected) => {
    expect(parseSearchParams(query)).toEqual({ ...defaults, ...expected })
  })

  it.each([
    'unknown=1',
    'Q=1',
    'q=%ff',
    'limit=',
    'limit=1001',
    'limit=-1',
    'limit=1.5',
    'limit=1e2',
    'limit=0x10',
    'limit=%201',
    'limit=١',
    'offset=4294967296',
    'offset=99999999999999999999',
    'sort=',
    'sort=heat',
    'sort=size-asc',
    'sort=-desc',
    'sort=name-desc-desc',
    'match=path',
    'match=',
    'explain=true',
    'explain',
    'count=2',
    'count=1&limit=5',
    'count=1&offset=0',
    'count=1&sort=name',
    'under=relative',
    'under=',
    'under=/a%00b',
    'minClock=',
    'fuzzy=1',
    'token=x',
  ])('refuses %s', query => {
    expect(() => parseSearchParams(query)).toThrow(InvalidInputError)
  })
})
