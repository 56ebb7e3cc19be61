import { InvalidInputError } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { radixOrder } from './radix-order.js'
import { countingOrder, orderTree } from './tree-order.js'

describe('orders', () => {
  it('by counting and by digits are stable sorts', () => {
    const column = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 0xffffffff }))
    fc.assert(
      fc.property(fc.array(fc.tuple(column, column), { maxLength: 200 }), pairs => {
        const [minor, major] = [0, 1].map(part => Uint32Array.from(pairs, pair => pair[part]))
        const expected = [...pairs.keys()].sort((a, b) => major[a] - major[b] || minor[a] - minor[b] || a - b)
        expect([...radixOrder([minor, major], pairs.length)]).toEqual(expected)
        const small = major.map(value => value % 7)
        expect([...countingOrder(small, 7)]).toEqual([...pairs.keys()].sort((a, b) => small[a] - small[b] || a - b))
      }),
    )
  })

  it('by digits hold for many positions too', () => {
    const count = 40_000
    const column = Uint32Array.from({ length: count }, (_, i) => Math.imul(i, 0x9e3779b1))
    const order = radixOrder([column], count)
    expect(new Set(order).size).toBe(count)
    for (let i = 1; i < count; i++) expect(column[order[i]]).toBeGreaterThan(column[order[i - 1]])
  })
})

describe('a tree in preorder', () => {
  it('has parents first, subtrees as ranges, siblings by rank', () => {
    const shape = fc.array(fc.tuple(fc.nat(), fc.nat(5)), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(shape, fc.nat(), (slots, shift) => {
        // Slot 0 is the root until all are rotated, so that parents stand after children too.
        const count = slots.length
        const rotate = (slot: number): number => (slot + shift) % count
        const parents = new Uint32Array(count)
        const ranks = new Uint32Array(count)
        slots.forEach(([parent, rank], slot) => {
          parents[rotate(slot)] = rotate(slot === 0 ? 0 : parent % slot)
          ranks[rotate(slot)] = rank
        })
        const tree = orderTree(parents, ranks, 6)
        expect(tree.slotOfRow[0]).toBe(rotate(0))
        for (let row = 0; row < count; row++) {
          const slot = tree.slotOfRow[row]
          expect(tree.rowOfSlot[slot]).toBe(row)
          expect(tree.parents[row]).toBe(tree.rowOfSlot[parents[slot]])
          const children: number[] = []
          for (let child = row + 1; child < tree.ends[row]; child = tree.ends[child]) children.push(child)
          const own = [...parents.keys()].filter(other => parents[other] === slot && other !== slot)
          expect(children.map(child => tree.slotOfRow[child])).toEqual(own.sort((a, b) => ranks[a] - ranks[b] || a - b))
        }
        expect(tree.ends[0]).toBe(count)
      }),
    )
  })

  it('is refused without a root, with two, or with a cycle', () => {
    for (const parents of [[], [1, 0], [0, 1], [0, 2, 1]]) {
      const ranks = new Uint32Array(parents.length)
      expect(() => orderTree(Uint32Array.from(parents), ranks, 1)).toThrow(InvalidInputError)
    }
  })
})
