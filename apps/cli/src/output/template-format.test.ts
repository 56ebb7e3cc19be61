import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex, hostile } from '../testing/fake-index.js'
import { parseTemplate } from './template-format.js'

const { hotpath } = commandTests()

test('a template is filled in for each hit, byte by byte', async () => {
  const rows = [{ path: '/a/b.tar.gz', size: 5, modified: [1_700_000_000, 0] as const }, { path: '/a/.profile' }]
  const shown = async (template: string, ...more: string[]) =>
    (await hotpath(['search', 'x', '--format', template, ...more], new FakeIndex(rows))).out
  expect(await shown('{path}\\t{size}')).toBe('/a/b.tar.gz\t5\n/a/.profile\t\n')
  expect(await shown('{dir}|{name}|{stem}|{ext}|{type}')).toBe(
    '/a|b.tar.gz|b.tar|gz|file\n/a|.profile|.profile||file\n',
  )
  expect(await shown('{modified} \\{\\}\\\\')).toBe('2023-11-14T22:13:20Z {}\\\n {}\\\n')
  expect(await shown('{name}', '-0')).toBe('b.tar.gz\0.profile\0')
  const { outBytes } = await hotpath(['search', 'x', '--format', '{path}'], new FakeIndex(hostile))
  expect(outBytes).toEqual(Buffer.concat(hostile.flatMap(({ path }) => [Buffer.from(path), Buffer.from('\n')])))
})

test('on a terminal names are escaped, and what the template says itself is not', async () => {
  const { outBytes } = await hotpath(['search', 'x', '--format', '{name}\\t{size}'], new FakeIndex(hostile), {
    isTerminal: true,
  })
  const lines = outBytes.toString().trimEnd().split('\n')
  expect(lines).toHaveLength(hostile.length)
  expect(lines[1]).toBe('\\x1b]0;title\\x07\\x0anew"line, x\t0')
  expect(lines[2]).toBe('\\xff\\xfe.bin\t')
})

test('a template that cannot be read is refused with the place', async () => {
  for (const [template, message] of [
    ['{path', 'at 0'],
    ['a{nonsense}', 'at 1: expected one of {path}'],
    ['{constructor}', 'at 0'],
    ['ab\\q', 'at 2: expected one of \\0 \\t'],
    ['x\\', 'at 1'],
  ] as const)
    expect(() => parseTemplate(template)).toThrow(message)
  const both = await hotpath(['search', 'x', '--format', '{path}', '--json'], new FakeIndex(hostile))
  expect(both).toMatchObject({ code: 2, out: '' })
})
