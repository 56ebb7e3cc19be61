import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex, failing, hostile } from '../testing/fake-index.js'

const cli = commandTests()
const { hotpath } = cli

test('flags become a request', async () => {
  const index = new FakeIndex(hostile)
  const argv = ['search', 'a b', '-n', '7', '--offset', '2', '--sort', 'size-desc', '--under', 'sub', '--wait-clock']
  await hotpath(argv, index)
  expect(index.calls).toEqual(['clock'])
  expect(index.requests[0]).toMatchObject({
    query: 'a b',
    limit: 7,
    offset: 2,
    sort: 'size',
    descending: true,
    under: join(cli.directory, 'sub'),
    minClock: 'now',
    countOnly: false,
    explain: false,
  })
})

test('pages are asked for until all is there, or the limit', async () => {
  const rows = Array.from({ length: 10 }, (_, i) => ({ path: `/${i}` }))
  const index = new FakeIndex(rows, {}, 3)
  expect((await hotpath(['search', ''], index)).out).toBe(rows.map(({ path }) => `${path}\n`).join(''))
  expect(index.requests.map(({ offset }) => offset)).toEqual([0, 3, 6, 9])
  const some = new FakeIndex(rows, {}, 3)
  expect((await hotpath(['search', '', '-n', '4', '--offset', '5'], some)).out).toBe('/5\n/6\n/7\n/8\n')
  const none = new FakeIndex(rows)
  expect(await hotpath(['search', '', '-n', '0'], none)).toMatchObject({ code: 0, out: '' })
})

test('a reader that leaves ends the work', async () => {
  const out = new PassThrough({ highWaterMark: 16 })
  out.once('data', () => out.destroy(new Error('EPIPE')))
  const rows = Array.from({ length: 1_000 }, (_, i) => ({ path: `/${'x'.repeat(500)}${i}` }))
  const index = new FakeIndex(rows, { total: 1e9 }, 500)
  const { code } = await hotpath(['search', ''], index, { out })
  expect(code).toBe(0)
  expect(index.requests.length).toBeLessThanOrEqual(3)
})

test('a query that cannot be read is shown with the place', async () => {
  const error = { code: 'SYNTAX', message: 'there is no size "zz"', position: 9, expected: 'a number' }
  const { code, err } = await hotpath(['search', 'ä\u001b size:zz'], failing(error))
  expect(code).toBe(2)
  const lines = err.split('\n')
  expect(lines[0]).toBe('hotpath: there is no size "zz"; expected a number')
  expect(lines[1]).toBe('hotpath:   ä\\x1b size:zz')
  expect(lines[2]!.indexOf('^')).toBe(lines[1]!.indexOf('zz'))
})

test('a partial answer is an answer, with a word to the person', async () => {
  const { code, out, err } = await hotpath(['search', 'x', '-n', '1'], new FakeIndex(hostile, { partial: true }))
  expect({ code, out }).toEqual({ code: 0, out: '/a/plain.txt\n' })
  expect(err).toContain('a part of the index is missing')
})

test('explain goes to standard error, with nothing that a terminal could obey', async () => {
  const { out, err } = await hotpath(['search', 'x', '-n', '2', '-0', '--explain'], new FakeIndex(hostile))
  expect(out).toBe('/a/plain.txt\0/a/\u001b]0;title\u0007\nnew"line, x\0')
  expect(err).toBe(
    [
      '{\n  "plan": "\\x9b"\n}',
      '#1 never opened, as typed, all terms, the whole name, 9 characters, depth 2: /a/plain.txt',
      '#2 never opened, no term for names, newest first: /a/\\x1b]0;title\\x07\\x0anew"line, x\n',
    ].join('\n'),
  )
})
