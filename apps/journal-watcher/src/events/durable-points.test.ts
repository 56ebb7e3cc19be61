import { expect, it } from 'vitest'
import { DurablePoints } from './durable-points.js'

/** Generations that are done, and how many were begun. */
function work() {
  const state = { begun: 0, done: -1 }
  return { state, begin: () => state.begun++, isDone: (generation: number) => generation <= state.done }
}

it('reaches a point when its work is done and its batches are durable, in order', () => {
  const { state, begin, isDone } = work()
  const points = new DurablePoints(100)
  points.mark(100, begin)
  expect(state.begun).toBe(0)
  points.mark(132, begin)
  points.mark(196, begin)
  points.durable(9)
  points.settle(isDone, 9)
  expect(points.reached).toBe(100)
  state.done = 0
  points.settle(isDone, 10)
  expect(points.reached).toBe(100)
  // Later batches say nothing of this point.
  points.settle(isDone, 12)
  points.durable(10)
  expect(points.reached).toBe(132)
  state.done = 1
  points.settle(isDone, 12)
  expect(points.reached).toBe(132)
  points.durable(12)
  expect(points.reached).toBe(196)
})

it('needs nothing to become durable where nothing came of the events', () => {
  const { state, begin, isDone } = work()
  const points = new DurablePoints(0)
  points.mark(32, begin)
  state.done = 0
  points.settle(isDone, 0)
  expect(points.reached).toBe(32)
})

it('keeps a bounded number of points, and reaches the last one all the same', () => {
  const { state, begin, isDone } = work()
  const points = new DurablePoints(0)
  for (let position = 32; position <= 32_000; position += 32) points.mark(position, begin)
  expect(state.begun).toBeLessThanOrEqual(64)
  state.done = state.begun
  points.settle(isDone, 1)
  points.durable(1)
  points.mark(32_000, begin)
  state.done = state.begun
  points.settle(isDone, 1)
  expect(points.reached).toBe(32_000)
})
