import { compareNames } from '@hotpath/index-format'
import { describe, expect, it } from 'vitest'
import { randomOf } from '../testing/random-operations.js'
import { ListedNames } from './listed-names.js'

const seeds = Array.from({ length: process.env.SOAK === undefined ? 50 : 5_000 }, (_, i) => i + 1)
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const text = (name: Uint8Array) => Buffer.from(name).toString('latin1')
/** Keys that are equal, longer than their names, shorter than them; bytes that are no text. */
const PIECES = ['a', 'A', 'b', 'B', 'ä', 'a\u0308', 'ß', 'ss', 'ẞ', 'İ', '日', '\x01'].map(piece =>
  Buffer.from(piece).toString('latin1'),
)
const RAW = ['\xff', '\xc3', '\xe4\xb8']

describe('ListedNames', () => {
  it.each(seeds)('gives every name out once, in ranges that follow each other, seed %i', seed => {
    const random = randomOf(seed)
    const randomName = () =>
      Array.from({ length: 1 + random(4) }, () => {
        const pieces = random(8) === 0 ? RAW : PIECES
        return pieces[random(pieces.length)]!
      }).join('')
    const partNames = 1 + random(5)
    const names = new ListedNames(partNames, 1_000)
    const expected = new Set(Array.from({ length: random(40) }, randomName))
    for (const name of expected) expect(names.add(bytes(name))).toBe(true)
    while (!names.isSorted) names.sortSome()
    const found: string[] = []
    let end = ''
    for (let isFirst = true; !names.isDone; isFirst = false) {
      if (!isFirst) {
        for (let i = random(6); i > 0; i--) {
          const name = randomName()
          expect(names.note(bytes(name))).toBe(true)
          // What belongs to a part that was given out was told by itself.
          if (compareNames(bytes(name), bytes(end)) >= 0) expected.add(name)
        }
      }
      const part = names.next()
      expect(text(part.from)).toBe(end)
      expect(part.names.length).toBeLessThanOrEqual(partNames)
      for (const name of part.names) {
        expect(compareNames(name, part.from)).toBeGreaterThanOrEqual(0)
        if (part.before.length > 0) expect(compareNames(name, part.before)).toBeLessThan(0)
        found.push(text(name))
      }
      end = text(part.before)
      expect(names.isDone).toBe(end === '')
    }
    expect(found).toEqual([...expected].sort((a, b) => compareNames(bytes(a), bytes(b))))
  })

  it('says when there are too many', () => {
    const names = new ListedNames(2, 3)
    expect(['a', 'b', 'c'].map(name => names.add(bytes(name)))).toEqual([true, true, true])
    while (!names.isSorted) names.sortSome()
    names.next()
    expect(['d', 'e', 'f'].map(name => names.note(bytes(name)))).toEqual([true, true, false])
    expect(new ListedNames(1, 0).add(bytes('a'))).toBe(false)
  })

  it('merges many runs, also with names that come while they are sorted', () => {
    const names = new ListedNames(1_000, 20_000)
    const expected = Array.from({ length: 10_000 }, (_, i) => `file ${(i * 7_919) % 10_000}`)
    for (const name of expected) names.add(bytes(name))
    let steps = 0
    for (; !names.isSorted; steps++) {
      names.sortSome()
      expected.push(`late ${steps}`)
      names.note(bytes(`late ${steps}`))
    }
    expect(steps).toBeGreaterThan(3)
    const found: string[] = []
    while (!names.isDone) found.push(...names.next().names.map(text))
    expect(found).toEqual(expected.sort((a, b) => compareNames(bytes(a), bytes(b))))
  })
})
