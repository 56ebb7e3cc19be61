import { InvalidInputError } from '@hotpath/model'
import { expect, it } from 'vitest'
import { parseOptions } from './options.js'

it('has a small size for a smoke run and a large one else', () => {
  expect(parseOptions([], '/somewhere').entries).toBe(1_000_000)
  expect(parseOptions(['--smoke'], '/somewhere').entries).toBe(20_000)
  expect(parseOptions(['--smoke', '--entries', '5000'], '/somewhere').entries).toBe(5_000)
})

it('takes relative paths from where the person is', () => {
  const options = parseOptions(
    ['--json', 'out.json', '--corpus', '../c', '--tree', '/t', '--only', 'build,disk'],
    '/a/b',
  )
  expect(options).toMatchObject({ json: '/a/b/out.json', corpus: '/a/c', tree: '/t', only: ['build', 'disk'] })
})

it('measures growth up to a number, or to ten million', () => {
  expect(parseOptions([], '/').growth).toBeUndefined()
  expect(parseOptions(['--growth'], '/').growth).toBe(10_000_000)
  expect(parseOptions(['--growth', '--smoke'], '/')).toMatchObject({ growth: 10_000_000, smoke: true })
  expect(parseOptions(['--growth', '30000000'], '/').growth).toBe(30_000_000)
  expect(parseOptions(['--growth=5000'], '/').growth).toBe(5_000)
})

it('refuses what it does not understand', () => {
  for (const argv of [
    ['--nope'],
    ['--entries', 'many'],
    ['--entries', '3'],
    ['there'],
    ['--corpus', 'c', '--entries', '5000'],
    ['--corpus', 'c', '--distinct'],
    ['--growth', '12'],
  ]) {
    expect(() => parseOptions(argv, '/'), argv.join(' ')).toThrow(InvalidInputError)
  }
})
