import type { EngineOp, EntryColumns } from '@hotpath/model'
import type { EventPublisher } from '@hotpath/protocol'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { EventStream } from './event-stream.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const created: EngineOp = {
  op: 'createView',
  view: 1,
  root: 'r',
  volume: 'v',
  prefix: new Uint8Array(0),
  virtualRoot: false,
}
const put = (...slots: number[]): EngineOp => ({
  op: 'put',
  view: 1,
  slots: Uint32Array.from(slots),
  rows: {} as EntryColumns,
})
const remove = (...slots: number[]): EngineOp => ({ op: 'remove', view: 1, slots: Uint32Array.from(slots) })

function changesOf(...lists: EngineOp[][]): unknown[] {
  const publish = vi.fn()
  const stream = new EventStream(
    { publish } as unknown as EventPublisher,
    () => 'c',
    () => 1,
  )
  stream.operations([created])
  for (const list of lists) stream.operations(list)
  vi.advanceTimersByTime(1_000)
  return publish.mock.calls.map(([event]) => event)
}

it('counts rows that come, go, and do both', () => {
  expect(changesOf([put(1, 2), remove(3)], [put(4)])).toEqual([
    { kind: 'changes', changes: { root: 'r', added: 2, removed: 0, updated: 1 } },
  ])
})

it('says nothing of rows that a flush moves into a segment', () => {
  const added: EngineOp = {
    op: 'addSegment',
    view: 1,
    segment: 7,
    file: 'f',
    dead: new Uint8Array(0),
    origin: 'flush',
  }
  expect(changesOf([added, remove(1, 2)])).toEqual([])
  expect(changesOf([put(1)], [added, remove(1, 2)])).toEqual([
    { kind: 'changes', changes: { root: 'r', added: 1, removed: 0, updated: 0 } },
  ])
})

it('says at once that the changes of a root have a gap', () => {
  const publish = vi.fn()
  const stream = new EventStream(
    { publish } as unknown as EventPublisher,
    () => 'c',
    () => 1,
  )
  stream.gap('r', 'loss')
  expect(publish.mock.calls).toEqual([[{ kind: 'freshInstance', freshInstance: { root: 'r', reason: 'loss' } }, 'c']])
})

it('says at once that answers are out of date, once for the searches before', () => {
  const publish = vi.fn()
  const stream = new EventStream(
    { publish } as unknown as EventPublisher,
    () => 'c',
    () => 1,
  )
  const told = () => publish.mock.calls.splice(0).filter(([event]) => event.kind === 'outdated').length
  stream.operations([created])
  stream.operations([put(1)])
  // Nobody has an answer.
  expect(told()).toBe(0)
  stream.searched()
  stream.operations([put(2)])
  expect(told()).toBe(1)
  stream.operations([put(3)])
  expect(told()).toBe(0)
  const hot: EngineOp = { op: 'hot', records: {} as Extract<EngineOp, { op: 'hot' }>['records'] }
  const changing: EngineOp[] = [
    remove(2),
    hot,
    { op: 'dropView', view: 2 },
    { op: 'markPartial', root: 'r', partial: true },
  ]
  for (const op of changing) {
    stream.searched()
    stream.operations([op])
    expect(told(), op.op).toBe(1)
  }
  stream.searched()
  stream.ranked()
  expect(told()).toBe(1)
})

it('leaves answers alone where rows only move into a segment', () => {
  const publish = vi.fn()
  const stream = new EventStream(
    { publish } as unknown as EventPublisher,
    () => 'c',
    () => 1,
  )
  stream.operations([created])
  stream.searched()
  const file = { file: 'f', dead: new Uint8Array(0) }
  stream.operations([{ op: 'addSegment', view: 1, segment: 7, ...file, origin: 'flush' }, remove(1, 2)])
  stream.operations([
    { op: 'addSegment', view: 1, segment: 8, ...file, origin: 'merge' },
    { op: 'dropSegment', view: 1, segment: 7 },
  ])
  expect(publish).not.toHaveBeenCalled()
  stream.operations([{ op: 'addSegment', view: 1, segment: 9, ...file, origin: 'scan' }])
  expect(publish).toHaveBeenCalledTimes(1)
})

it('says at once that rows changed, and then four times a second for as long as they do', () => {
  const publish = vi.fn()
  const stream = new EventStream(
    { publish } as unknown as EventPublisher,
    () => 'c',
    () => 1,
  )
  const told = () => publish.mock.calls.splice(0).length
  stream.rowsChanged()
  expect(publish.mock.calls).toEqual([[{ kind: 'rowsChanged' }, 'c']])
  for (let ms = 0; ms < 1_000; ms += 10) {
    vi.advanceTimersByTime(10)
    stream.rowsChanged()
  }
  expect(told()).toBe(5)
  // The last change is told too, and then nothing.
  vi.advanceTimersByTime(60_000)
  expect([told(), vi.getTimerCount()]).toEqual([1, 0])
  stream.rowsChanged()
  expect(told()).toBe(1)
  stream.rowsChanged()
  stream.stop()
  vi.advanceTimersByTime(1_000)
  expect(told()).toBe(0)
})
