import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex, hostile } from '../testing/fake-index.js'

const { hotpath } = commandTests()
const index = () => new FakeIndex([{ path: '/src/Main.ts' }, { path: '/main' }])
const colours = '\u001b[34m/src/\u001b[0m\u001b[1;31mMain\u001b[0m.ts\n\u001b[34m/\u001b[0m\u001b[1;31mmain\u001b[0m\n'

test('what was asked for is marked on a terminal that has colours', async () => {
  const terminal = { isTerminal: true, wantsColours: true }
  expect((await hotpath(['search', 'main'], index(), terminal)).out).toBe(colours)
  expect((await hotpath(['search', 'main', '--color', 'never'], index(), terminal)).out).toBe('/src/Main.ts\n/main\n')
  const noColour = { isTerminal: true, wantsColours: false }
  expect((await hotpath(['search', 'main'], index(), noColour)).out).toBe('/src/Main.ts\n/main\n')
})

test('--color always colours what is piped; auto does not', async () => {
  expect((await hotpath(['search', 'main', '--color', 'always'], index())).out).toBe(colours)
  expect((await hotpath(['search', 'main'], index())).out).toBe('/src/Main.ts\n/main\n')
  expect(await hotpath(['search', 'main', '--color', 'blue'], index())).toMatchObject({ code: 2, out: '' })
})

test('marks follow the flags of the search', async () => {
  const argv = ['search', 'main', '--color', 'always', '--case', 'match']
  expect((await hotpath(argv, index())).out).toContain('\u001b[0mMain.ts')
})

test('nothing of a name reaches a terminal but text, with colours, too', async () => {
  const { outBytes } = await hotpath(['search', 'x', '--color', 'always'], new FakeIndex(hostile))
  const text = outBytes.toString().replaceAll(/\u001b\[(34|0|1;31)m/g, '')
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\ufffd]/)
  expect(text.trimEnd().split('\n')).toHaveLength(hostile.length)
})
