import { type Instant, InvalidInputError, Kind } from '@hotpath/model'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { QueryError, type SearchRow } from '../search-backend.js'
import { FakeBackend } from '../testing/fake-backend.js'
import { rawRequest, startTestGateway, type TestGateway } from '../testing/test-gateway.js'
import { isEverythingRequest, parseEverythingRequest } from './everything-dialect.js'

describe('a request', () => {
  it('is one of the dialect only if it asks for JSON', () => {
    for (const query of ['search=a&json=1', 'j=1', 's=x&JSON=2', 'json=1'])
      expect(isEverythingRequest(query)).toBe(true)
    for (const query of ['', 'search=a', 'q=a&json=0', 'json=', 'token=x', 'json']) {
      expect(isEverythingRequest(query)).toBe(false)
    }
  })

  it('has the defaults of Everything', () => {
    expect(parseEverythingRequest('json=1')).toEqual({
      search: {
        query: '',
        sort: 'name',
        descending: false,
        match: 'name',
        caseMode: 'ignore',
        under: undefined,
        minClock: undefined,
        explain: false,
        countOnly: false,
        fuzzy: false,
      },
      offset: 0,
      count: 4_294_967_295,
      columns: { path: false, size: false, dateModified: false, dateCreated: false },
    })
  })

  it.each([
    ['search=a+b%20c', 'a b c'],
    ['s=%E4%BD%A0', '你'],
    ['q=ext:jpg%3Bpng', 'ext:jpg;png'],
    ['search=Ab&case=1', 'case:<Ab>'],
    ['search=Ab&i=1', 'case:<Ab>'],
    ['search=a%7Cb&wholeword=1&path=1', 'ww:path:<a|b>'],
    ['search=a&whole_word=1', 'ww:<a>'],
    ['search=a&w=1&p=1&m=1', 'ww:path:diacritics:<a>'],
    ['search=a&case=0&path=0', 'a'],
    ['search=%5Ea%20%22b%22%7Cc&regex=1', 'regex:"^a ""b""|c"'],
    ['search=a&r=1&i=1', 'case:regex:"a"'],
    ['search=&case=1', ''],
    ['search=a&search=b', 'b'],
  ])('%s asks for %s', (query, expected) => {
    expect(parseEverythingRequest(`${query}&json=1`).search.query).toBe(expected)
  })

  it.each([
    ['sort=size', 'size', false],
    ['sort=date_modified&ascending=0', 'modified', true],
    ['sort=path&ascending=1', 'path', false],
    ['ascending=0', 'name', true],
    ['sort=DATE_CREATED', 'created', false],
    ['sort=toString', 'name', false],
  ])('%s sorts by %s', (query, sort, descending) => {
    expect(parseEverythingRequest(query).search).toMatchObject({ sort, descending })
  })

  it('reads places and columns by any of their names', () => {
    expect(parseEverythingRequest('o=7&n=3&path_column=1&size_column=1')).toMatchObject({
      offset: 7,
      count: 3,
      columns: { path: true, size: true, dateModified: false },
    })
    expect(parseEverythingRequest('offset=x&c=-1')).toMatchObject({ offset: 0, count: 4_294_967_295 })
    expect(parseEverythingRequest('count=99999999999')).toMatchObject({ count: 4_294_967_295 })
  })

  it('is refused where it wants what cannot be done', () => {
    for (const [switchOn, instead] of [
      ['prefix', /startwith:/],
      ['suffix', /endwith:/],
      ['ignore_punctuation', /regex:/],
      ['ignore_whitespace', /regex:/],
    ] as const) {
      const parse = () => parseEverythingRequest(`search=a&${switchOn}=1`)
      expect(parse).toThrow(InvalidInputError)
      expect(parse).toThrow(new RegExp(`^${switchOn}: .*${instead.source}`))
    }
    expect(parseEverythingRequest('prefix=0&unknown=1').search.query).toBe('')
  })
})

describe('an answer', () => {
  let backend: FakeBackend
  let gateway: TestGateway
  beforeEach(async () => {
    backend = new FakeBackend(0)
    gateway = await startTestGateway(backend)
  })
  afterEach(async () => {
    await gateway.stop()
  })

  const get = (target: string) =>
    // As clients of Everything that know a password send it.
    rawRequest(gateway.port, target, {
      headers: { authorization: `Basic ${Buffer.from(`user:${gateway.token}`).toString('base64')}` },
    })
  const columns = 'path_column=1&size_column=1&date_modified_column=1&date_created_column=1'

  function row(path: string | Uint8Array, rest: Partial<SearchRow> = {}): SearchRow {
    const bytes = typeof path === 'string' ? Buffer.from(path) : path
    return {
      id: 'x'.repeat(32),
      path: bytes,
      nameSizeBytes: bytes.length - bytes.lastIndexOf(0x2f) - 1,
      kind: Kind.file,
      sizeBytes: 42,
      modified: undefined,
      created: undefined,
      accessed: undefined,
      hot: 0,
      opens: 0,
      opened: undefined,
      ...rest,
    }
  }

  const at = (seconds: number, ticks = 0): Instant => ({ seconds, ticks })

  it('has the layout of Everything to the byte', async () => {
    backend.rows = [
      row('/home/ann/report "1".txt', { modified: at(1_714_557_600, 1_234_567), created: at(-11_644_473_600, 1) }),
      row('/home/ann/reports', { kind: Kind.directory, sizeBytes: 4096, modified: at(0) }),
      row(Uint8Array.of(0x2f, 0xff, 0x0a), { sizeBytes: Number.NaN }),
    ]
    const { status, headers, body } = await get(`/?search=&json=1&sort=path&${columns}`)
    expect([status, headers['content-type']]).toEqual([200, 'application/json'])
    expect(body).toBe(
      [
        '{',
        '\t"totalResults":3,',
        '\t"results":[',
        '\t\t{',
        '\t\t\t"type":"file",',
        '\t\t\t"name":"report \\"1\\".txt",',
        '\t\t\t"path":"/home/ann",',
        '\t\t\t"size":"42",',
        '\t\t\t"date_modified":"133590312001234567",',
        '\t\t\t"date_created":"1"',
        '\t\t},',
        '\t\t{',
        '\t\t\t"type":"folder",',
        '\t\t\t"name":"reports",',
        '\t\t\t"path":"/home/ann",',
        '\t\t\t"size":"",',
        '\t\t\t"date_modified":"116444736000000000",',
        '\t\t\t"date_created":""',
        '\t\t},',
        '\t\t{',
        '\t\t\t"type":"file",',
        '\t\t\t"name":"\ufffd\\n",',
        '\t\t\t"path":"/",',
        '\t\t\t"size":"",',
        '\t\t\t"date_modified":"",',
        '\t\t\t"date_created":""',
        '\t\t}',
        '\t]',
        '}',
        '',
      ].join('\r\n'),
    )
  })

  it('has only the columns that are asked for', async () => {
    backend.rows = [row('/a/report.txt')]
    const reply = JSON.parse((await get('/?s=report&j=1')).body)
    expect(reply).toEqual({ totalResults: 1, results: [{ type: 'file', name: 'report.txt' }] })
  })

  it('pages by offset and count, and without a count has all, however many', async () => {
    backend.rows = Array.from({ length: 45_000 }, (_, i) => row(`/a/report-${String(i).padStart(5, '0')}`))
    const some = JSON.parse((await get('/?q=report&json=1&offset=10&count=3')).body)
    expect([some.totalResults, ...some.results.map((one: { name: string }) => one.name)]).toEqual([
      45_000,
      'report-00010',
      'report-00011',
      'report-00012',
    ])
    const all = JSON.parse((await get('/?q=report&json=1')).body)
    expect(all.results.map((one: { name: string }) => one.name)).toEqual(
      backend.rows.map((_, i) => `report-${String(i).padStart(5, '0')}`),
    )
    const none = JSON.parse((await get('/?q=report&json=1&count=0')).body)
    expect(none).toEqual({ totalResults: 45_000, results: [] })
    expect(JSON.parse((await get('/?q=report&json=1&offset=50000')).body).results).toEqual([])
  })

  it('is empty for a query that cannot be understood, and says why in a header', async () => {
    backend.failure = new QueryError('SYNTAX', "expected '>'", 2, "'>'")
    const { status, headers, body } = await get('/?search=%3Ca&json=1')
    expect([status, JSON.parse(body)]).toEqual([200, { totalResults: 0, results: [] }])
    expect(decodeURIComponent(String(headers['x-hotpath-error']))).toBe("expected '>'")
  })

  it('is given only to those who may read', async () => {
    expect((await rawRequest(gateway.port, '/?search=a&json=1')).status).toBe(401)
    expect((await rawRequest(gateway.port, '/?search=a&json=1', { headers: { host: 'evil:1' } })).status).toBe(403)
    expect((await get('/?search=a&json=1&prefix=1')).status).toBe(400)
    const page = await get('/?search=a')
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  })
})
