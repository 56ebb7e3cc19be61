import { describe, expect, it } from 'vitest'
import { DirtyDirectories, Hint, HOLD_MICROS } from './dirty-directories.js'

function make() {
  const overfull: string[] = []
  return { dirty: new DirtyDirectories<string>(directory => overfull.push(directory)), overfull }
}

describe('DirtyDirectories', () => {
  it('joins what is said of one name, and keeps the order of directories', () => {
    const { dirty } = make()
    dirty.mark('b', 'x', Hint.metadata)
    dirty.mark('a', 'y', Hint.metadata)
    dirty.mark('b', 'x', Hint.structure)
    expect([...dirty.take(0, false)]).toEqual([
      ['b', new Map([['x', Hint.metadata | Hint.structure]])],
      ['a', new Map([['y', Hint.metadata]])],
    ])
    expect(dirty.isEmpty).toBe(true)
  })

  it('holds back metadata of a name that was looked at, until its time or a barrier comes', () => {
    const { dirty } = make()
    let now = HOLD_MICROS * 10
    dirty.take(now, false)
    dirty.noteLookedAt('d', 'log')
    dirty.mark('d', 'log', Hint.metadata)
    expect([dirty.isEmpty, dirty.holdsBack]).toEqual([true, true])
    now += HOLD_MICROS / 2
    expect(dirty.take(now, false).size).toBe(0)
    now += HOLD_MICROS
    expect([...dirty.take(now, false).keys()]).toEqual(['d'])
    dirty.noteLookedAt('d', 'log')
    dirty.mark('d', 'log', Hint.metadata)
    expect([...dirty.take(now, true).keys()]).toEqual(['d'])
    // It may stand for something else: that does not wait.
    dirty.noteLookedAt('d', 'log')
    dirty.mark('d', 'log', Hint.structure)
    expect([...dirty.take(now, false).keys()]).toEqual(['d'])
  })

  it('hands directories with too many names over, the largest first, and loses none', () => {
    const { dirty, overfull } = make()
    for (let i = 0; i < 30_000; i++) dirty.mark('small', `${i}`, Hint.metadata)
    for (let i = 0; i < 40_000; i++) dirty.mark('large', `${i}`, Hint.metadata)
    expect(overfull).toEqual(['large'])
    expect(dirty.nameCount).toBeLessThanOrEqual(65_536)
    expect(dirty.take(0, true).get('small')?.size).toBe(30_000)
  })

  it('hands over many directories with a name each', () => {
    const { dirty, overfull } = make()
    for (let i = 0; i < 65_536; i++) dirty.mark(`d${i}`, 'x', Hint.metadata)
    expect(overfull).toEqual([])
    dirty.mark('one more', 'x', Hint.metadata)
    expect(overfull.length).toBeGreaterThan(30_000)
  })
})
