import { expect, it } from 'vitest'
import type { BenchQuery } from '../queries.js'
import { needlesOf, pickNeedle, prefixesOf, randomNumbers } from './needles.js'

const query = (text: string): BenchQuery => ({ group: 'token', text, sort: { column: 'name', descending: false } })

it('takes words that somebody could type', () => {
  const texts = ['readme', 'ab', 'two words', 'size:>1', 'readme', 'main.ts', '*.png', 'größe']
  expect(needlesOf(texts.map(query))).toEqual(['readme', 'main.ts', 'größe'])
})

it('types letter by letter', () => {
  expect(prefixesOf('a𝄞b')).toEqual(['a', 'a𝄞', 'a𝄞b'])
})

it('comes back to a fifth four times of five, the same in every run', () => {
  const needles = Array.from({ length: 100 }, (_, at) => `${at}`)
  const random = randomNumbers(7)
  const picked = Array.from({ length: 10_000 }, () => Number(pickNeedle(needles, random)))
  const first = picked.filter(at => at < 20).length
  expect(first).toBeGreaterThan(8_000)
  expect(first).toBeLessThan(8_800)
  const again = randomNumbers(7)
  expect(Array.from({ length: 100 }, () => Number(pickNeedle(needles, again)))).toEqual(picked.slice(0, 100))
})
