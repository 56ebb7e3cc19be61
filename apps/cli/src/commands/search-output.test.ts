import type { FoundRow } from '@hotpath/client'
import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex, fresh, hostile } from '../testing/fake-index.js'
import { readList } from '../testing/read-list.js'

const { hotpath } = commandTests()

test('lines are byte-exact for programs and escaped for terminals', async () => {
  const plain = await hotpath(['search', 'x'], new FakeIndex(hostile))
  const exact = Buffer.concat(hostile.flatMap(({ path }) => [Buffer.from(path), Buffer.from('\n')]))
  expect(plain.outBytes).toEqual(exact)
  expect(plain).toMatchObject({ code: 0, err: '' })
  const shown = await hotpath(['search', 'x'], new FakeIndex(hostile), { isTerminal: true })
  expect(shown.outBytes.toString()).toBe(
    [
      '/a/plain.txt',
      '/a/\\x1b]0;title\\x07\\x0anew"line, x',
      '/a/\\xff\\xfe.bin',
      '/a/\\u{202e}gnp.exe\\x9b',
      '/\n',
    ].join('\n'),
  )
})

test('-0 is byte-exact on a terminal too', async () => {
  const { outBytes } = await hotpath(['search', 'x', '-0'], new FakeIndex(hostile), { isTerminal: true })
  expect(outBytes).toEqual(Buffer.concat(hostile.flatMap(({ path }) => [Buffer.from(path), Buffer.from([0])])))
})

const row: FoundRow = {
  database: 'chat',
  table: 'message',
  key: 9_007_199_254_740_993n,
  snippet: 'the \u001b[2J Invoice\nof\u202e 2024',
  matched: [{ from: 9, to: 16 }],
  isCut: { start: false, end: true },
}

test('rows of databases follow the hits: a few on a terminal, else where they are asked for', async () => {
  const index = new FakeIndex(hostile.slice(0, 1))
  index.found = Array.from({ length: 7 }, () => row)
  const shown = await hotpath(['search', 'x', '--color', 'never'], index, { isTerminal: true })
  const line = 'chat/message {"integer":"9007199254740993"}: the \\x1b[2J Invoice of\\u{202e} 2024…'
  expect(shown.outBytes.toString()).toBe(`/a/plain.txt\n${`${line}\n`.repeat(5)}`)
  expect(shown.err).toContain('2 more rows')
  expect((await hotpath(['search', 'x'], index)).outBytes.toString()).toBe('/a/plain.txt\n')
  const json = JSON.parse((await hotpath(['search', 'x', '--json', '--rows', '1'], index)).outBytes.toString())
  expect(json).toMatchObject({
    total: 1,
    rowTotal: 7,
    rows: [
      {
        database: 'chat',
        table: 'message',
        key: { integer: '9007199254740993' },
        matched: [[9, 7]],
        cut: [false, true],
      },
    ],
  })
  const lines = (await hotpath(['search', 'x', '--ndjson', '--rows', '2'], index)).outBytes.toString()
  expect(lines).not.toMatch(/[\u001b\u202e]/)
  expect(
    lines
      .trimEnd()
      .split('\n')
      .map(text => JSON.parse(text).database),
  ).toEqual([undefined, 'chat', 'chat'])
  expect(await hotpath(['search', 'x', '-0', '--rows', '2'], index)).toMatchObject({ code: 2 })
})

test('a query that only finds rows has found something', async () => {
  const index = new FakeIndex([])
  expect(await hotpath(['search', 'x', '--rows', '1'], index)).toMatchObject({ code: 1 })
  index.found = [row]
  expect(await hotpath(['search', 'x', '--rows', '1'], index)).toMatchObject({ code: 0 })
})

test('--json is one object with the bytes of what is not text', async () => {
  const { outBytes } = await hotpath(['search', 'x', '--json', '--explain'], new FakeIndex(hostile))
  const text = outBytes.toString()
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  const reply = JSON.parse(text)
  expect(reply).toMatchObject({
    total: 5,
    fuzzyTotal: null,
    clock: 'c1',
    fresh,
    partial: false,
    tookMs: 0.123,
    explain: { plan: '\u009b' },
  })
  expect(reply.hits.map((hit: { path: string }) => hit.path)).toEqual(
    hostile.map(({ path }) => (typeof path === 'string' ? path : '/a/\ufffd\ufffd.bin')),
  )
  expect(reply.hits[0]).toEqual({
    id: Buffer.from(Array.from({ length: 24 }, (_, i) => i)).toString('base64url'),
    path: '/a/plain.txt',
    name: 'plain.txt',
    dir: '/a',
    type: 'file',
    size: 5,
    modified: '2023-11-14T22:13:20.1234567Z',
    created: null,
    accessed: null,
    hot: 0,
    opens: 0,
    opened: null,
    fuzzy: false,
    rank: { hot: 0, nearness: 0, allTerms: true, place: 'whole', characters: 9, depth: 2 },
  })
  expect(Buffer.from(reply.hits[2].pathBytes, 'base64')).toEqual(hostile[2]!.path)
  expect(reply.hits[2].modified).toBe('1969-12-31T23:59:59Z')
  expect(reply.hits[4]).toMatchObject({ path: '/', name: '', dir: '/', type: 'directory' })
  const empty = await hotpath(['search', 'x', '--json'], new FakeIndex([]))
  expect(JSON.parse(empty.out)).toMatchObject({ total: 0, hits: [] })
})

test('--ndjson is one object a line', async () => {
  const { outBytes } = await hotpath(['search', 'x', '--ndjson'], new FakeIndex(hostile))
  const lines = outBytes.toString().trimEnd().split('\n')
  expect(lines.map(line => JSON.parse(line).name)).toHaveLength(hostile.length)
  expect(lines.join()).not.toContain('rank')
  // Several pages are explained to the end, and the plan is that of the first.
  const { out, err } = await hotpath(['search', 'x', '--ndjson', '--explain'], new FakeIndex(hostile, {}, 2))
  const places = out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line).rank.place)
  expect(places).toEqual(['whole', null, 'whole', null, 'whole'])
  expect(err).toBe('{\n  "plan": "\\x9b"\n}\n')
})

test('--efu and --csv can be imported again, exactly', async () => {
  const rows = hostile.slice(0, 4)
  for (const flag of ['--efu', '--csv']) {
    const { outBytes } = await hotpath(['search', 'x', flag], new FakeIndex(rows))
    const { names, summary, sizes } = readList(outBytes)
    expect(summary).toMatchObject({ format: 'efu', rows: 4, badRows: 0 })
    expect(names).toEqual(rows.map(({ path }) => Buffer.from(path).subarray(3)))
    expect(sizes).toContain(5)
  }
  const { out } = await hotpath(['search', 'x', '--efu'], new FakeIndex(hostile))
  expect(out).toContain('"/a/plain.txt",5,133444736001234567,,')
  expect(out).toContain('\r\n"/",,,,16\r\n')
})

test('--efu and --csv on a terminal are escaped, a line a hit', async () => {
  for (const flag of ['--efu', '--csv']) {
    const { outBytes } = await hotpath(['search', 'x', flag], new FakeIndex(hostile), { isTerminal: true })
    const text = outBytes.toString()
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\ufffd]/)
    expect(text.trimEnd().split('\n')).toHaveLength(hostile.length + 1)
    expect(text).toContain('"/a/\\x1b]0;title\\x07\\x0anew""line, x"')
  }
})
