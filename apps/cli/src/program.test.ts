import { readFileSync } from 'node:fs'
import { UnavailableError } from '@hotpath/model'
import { expect, test } from 'vitest'
import { commandTests } from './testing/commands.js'
import { FakeIndex, hostile } from './testing/fake-index.js'

const cli = commandTests()
const { hotpath } = cli

test('exit codes: 0 found, 1 nothing found, 2 error; data only on standard output', async () => {
  expect(await hotpath(['search', 'x', '--count'], new FakeIndex(hostile))).toMatchObject({
    code: 0,
    out: '5\n',
    err: '',
  })
  expect(await hotpath(['search', 'x', '--count'], new FakeIndex([]))).toMatchObject({ code: 1, out: '0\n', err: '' })
  expect(await hotpath(['search', 'x'], new FakeIndex([]))).toMatchObject({ code: 1, out: '', err: '' })
  const gone = await hotpath(['search', 'x'], new UnavailableError('nothing runs'))
  expect(gone).toMatchObject({ code: 2, out: '', err: 'hotpath: nothing runs\n' })
  for (const argv of [
    [],
    ['nonsense'],
    ['search'],
    ['search', 'x', '--nonsense'],
    ['search', 'x', '-n', '-1'],
    ['search', 'x', '-n', '1e3'],
    ['search', 'x', '--sort', 'heat'],
    ['search', 'x', '--sort', 'size-asc'],
    ['search', 'x', '--json', '--csv'],
    ['config', '--port', 'x'],
  ]) {
    const { code, out, err } = await hotpath(argv, new FakeIndex([]))
    expect({ argv, code, out }).toEqual({ argv, code: 2, out: '' })
    expect(err).not.toBe('')
  }
})

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(await hotpath(['--version'], new FakeIndex([]))).toMatchObject({ code: 0, out: `${version}\n` })
})

test('help is not an error', async () => {
  const { code, out } = await hotpath(['--help'], new FakeIndex([]))
  expect(code).toBe(0)
  for (const word of ['search', 'watch', 'status', 'rescan', 'import', 'export', 'start', 'index-store'])
    expect(out).toContain(word)
  expect((await hotpath(['search', '--help'], new FakeIndex([]))).code).toBe(0)
})

test('config says where each value comes from', async () => {
  const { out, code } = await hotpath(['config', '--port', '99', '--data', cli.directory], new FakeIndex([]))
  expect(code).toBe(0)
  expect(out).toMatch(/^port +99 +--port$/m)
  expect(out).toMatch(/^store\.flush_rows +32768 +default$/m)
  const json = await hotpath(['config', '--json', '--data', cli.directory], new FakeIndex([]))
  expect(JSON.parse(json.out).data).toEqual({ value: cli.directory, origin: 'flag', source: '--data' })
})
