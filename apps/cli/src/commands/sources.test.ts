import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex, failing, hostile } from '../testing/fake-index.js'
import { readList } from '../testing/read-list.js'

const cli = commandTests()
const { hotpath } = cli

test('rescan takes roots by path', async () => {
  const index = new FakeIndex([])
  expect((await hotpath(['rescan'], index)).code).toBe(0)
  expect((await hotpath(['rescan', '/home/\u0007me'], index)).code).toBe(0)
  expect(index.calls).toEqual(['rescan ', 'rescan r'])
  expect((await hotpath(['rescan', '/other'], index)).code).toBe(2)
})

test('import takes a file, or keeps what comes through a pipe', async () => {
  const file = join(cli.directory, 'l.efu')
  writeFileSync(file, 'Filename\n')
  const index = new FakeIndex([])
  expect((await hotpath(['import', 'l.efu'], index)).code).toBe(0)
  expect(index.calls).toEqual([`import ${file}`])
  expect((await hotpath(['import', 'missing.efu'], index)).code).toBe(2)

  mkdirSync(join(cli.directory, 'data'))
  const text = 'Filename,Size\r\n"/a/b",3\r\n'
  const input = Readable.from([Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3))])
  expect((await hotpath(['import', '-'], index, { in: input })).code).toBe(0)
  const kept = readdirSync(join(cli.directory, 'data/lists'))
  expect(kept).toEqual([expect.stringMatching(/^input-[0-9a-f]{16}$/)])
  expect(readFileSync(join(cli.directory, 'data/lists', kept[0]!), 'utf8')).toBe(text)
  expect(index.calls.at(-1)).toBe(`import ${join(cli.directory, 'data/lists', kept[0]!)}`)
})

test('export writes the whole file or none', async () => {
  const { code } = await hotpath(['export', 'out.efu'], new FakeIndex(hostile))
  expect(code).toBe(0)
  expect(readList(readFileSync(join(cli.directory, 'out.efu'))).summary).toMatchObject({
    rows: hostile.length,
    badRows: 0,
  })
  const error = { code: 'UNAVAILABLE', message: 'no', position: Number.NaN, expected: '' }
  expect((await hotpath(['export', 'second.efu'], failing(error))).code).toBe(2)
  expect((await hotpath(['export', 'no/such/directory.efu'], new FakeIndex(hostile))).code).toBe(2)
  expect(existsSync(join(cli.directory, 'second.efu'))).toBe(false)
  expect(readdirSync(cli.directory)).toEqual(['out.efu'])
  const { out } = await hotpath(['export', '-'], new FakeIndex(hostile))
  expect(out).toBe(readFileSync(join(cli.directory, 'out.efu'), 'latin1'))
})

test('open counts an open of a path, and says if there is none', async () => {
  const path = join(cli.directory, 'notes.txt')
  const index = new FakeIndex([{ path }, { path: 'C:\\\\notes.txt' }])
  expect(await hotpath(['open', 'notes.txt'], index)).toMatchObject({ code: 0, out: '', err: '' })
  expect(await hotpath(['open', path], index)).toMatchObject({ code: 0 })
  expect(await hotpath(['open', 'C:\\\\notes.txt'], index)).toMatchObject({ code: 0 })
  const missing = await hotpath(['open', 'other'], index)
  expect(missing).toMatchObject({ code: 1, err: `hotpath: "${join(cli.directory, 'other')}" is not indexed\n` })
  expect(index.calls).toEqual([
    `open ${path}`,
    `open ${path}`,
    'open C:\\\\notes.txt',
    `open ${join(cli.directory, 'other')}`,
  ])
})

test('forget needs a path or --all, and says if there is none', async () => {
  const path = join(cli.directory, 'notes.txt')
  const index = new FakeIndex([{ path }])
  expect(await hotpath(['forget', 'notes.txt'], index)).toMatchObject({ code: 0, out: '', err: '' })
  const missing = await hotpath(['forget', 'other'], index)
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('is not indexed') })
  const all = await hotpath(['forget', '--all'], index)
  expect(all).toMatchObject({ code: 0, err: 'hotpath: forgot what was known of 1 files and directories\n' })
  const none = await hotpath(['forget'], index)
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining('either a path or --all') })
  expect(await hotpath(['forget', 'notes.txt', '--all'], index)).toMatchObject({ code: 2 })
  expect(index.calls).toEqual([`forget ${path}`, `forget ${join(cli.directory, 'other')}`, 'forget all'])
})
