import { expect, it } from 'vitest'
import { randomOf } from '../testing/random-operations.js'
import { DueHeap } from './due-heap.js'

it.each([1, 2, 3, 4, 5])('gives out what a sorted list does, also where times changed, seed %i', seed => {
  const random = randomOf(seed)
  const heap = new DueHeap<{ id: number; due: number }>()
  const waiting: { id: number; due: number }[] = []
  for (let step = 0; step < 2_000; step++) {
    const what = random(3)
    if (what === 0 || waiting.length === 0) {
      // Times are unique, so that there is one order.
      const item = { id: step, due: random(1_000) + step / 10_000 }
      waiting.push(item)
      heap.add(item)
    } else if (what === 1) {
      const item = waiting[random(waiting.length)]!
      item.due = random(1_000) + step / 10_000
      heap.add(item)
    } else {
      waiting.sort((a, b) => a.due - b.due)
      expect(heap.take()).toBe(waiting.shift())
    }
  }
  waiting.sort((a, b) => a.due - b.due)
  for (const item of waiting) expect(heap.take()).toBe(item)
  expect(heap.take()).toBeUndefined()
  expect(heap.first).toBe(Number.POSITIVE_INFINITY)
})
