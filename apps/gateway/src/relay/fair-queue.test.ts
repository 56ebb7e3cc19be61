import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairQueue } from './fair-queue.js'

describe('FairQueue', () => {
  it('serves clients in turn, each in its own order', () => {
    const queue = new FairQueue<string, { weight: number; name: string }>(100, 100)
    for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.push(name[0]!, { weight: 1, name })
    const order = Array.from({ length: 6 }, () => queue.shift(1)?.group.name)
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
    expect(queue.shift(1)).toBeUndefined()
  })

  it('is bounded for each client and in all', () => {
    const queue = new FairQueue<string, { weight: number }>(3, 5)
    expect(queue.push('a', { weight: 2 })).toBe(true)
    expect(queue.push('a', { weight: 2 })).toBe(false)
    expect(queue.push('a', { weight: 1 })).toBe(true)
    expect(queue.push('b', { weight: 3 })).toBe(false)
    expect(queue.push('b', { weight: 2 })).toBe(true)
    expect(queue.weight).toBe(5)
  })

  it('behaves like lines of a plain model', () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('push' as const), client: fc.nat(3), weight: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ op: fc.constant('shift' as const), max: fc.nat(6) }),
      fc.record({ op: fc.constant('remove' as const), client: fc.nat(3), at: fc.nat(4) }),
      fc.record({ op: fc.constant('back' as const), client: fc.nat(3) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const queue = new FairQueue<number, { weight: number }>(8, 20)
        let lines: { client: number; groups: { weight: number }[] }[] = []
        const weightOf = (groups: { weight: number }[]) => groups.reduce((sum, group) => sum + group.weight, 0)
        const total = () => lines.reduce((sum, line) => sum + weightOf(line.groups), 0)
        for (const step of steps) {
          if (step.op === 'push') {
            const line = lines.find(one => one.client === step.client)
            const fits = weightOf(line?.groups ?? []) + step.weight <= 8 && total() + step.weight <= 20
            const group = { weight: step.weight }
            expect(queue.push(step.client, group)).toBe(fits)
            if (fits && line) line.groups.push(group)
            else if (fits) lines.push({ client: step.client, groups: [group] })
          } else if (step.op === 'shift') {
            const line = lines[0]
            const group = line?.groups[0]
            const expected = group !== undefined && group.weight <= step.max ? group : undefined
            expect(queue.shift(step.max)?.group).toBe(expected)
            if (line && expected) {
              line.groups.shift()
              lines = [...lines.slice(1), ...(line.groups.length > 0 ? [line] : [])]
            }
          } else if (step.op === 'remove') {
            const line = lines.find(one => one.client === step.client)
            const group = line?.groups[step.at] ?? { weight: 1 }
            const there = line?.groups.includes(group) ?? false
            expect(queue.remove(step.client, group)).toBe(there)
            if (line && there) line.groups = line.groups.filter(one => one !== group)
            lines = lines.filter(one => one.groups.length > 0)
          } else {
            const group = { weight: 1 }
            queue.putBack(step.client, group)
            const line = lines.find(one => one.client === step.client)
            if (line) line.groups.unshift(group)
            else lines.push({ client: step.client, groups: [group] })
          }
          expect(queue.weight).toBe(total())
        }
      }),
    )
  })
})
