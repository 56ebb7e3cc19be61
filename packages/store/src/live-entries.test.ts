import { type EntryRow, Kind, type NodeRef } from '@hotpath/model'
import { beforeEach, describe, expect, it } from 'vitest'
import { LONG_AGO } from './delta.js'
import { noteDisplaced } from './displaced.js'
import { pathOfDirectory } from './path-lookup.js'
import type { SegmentState } from './segment-state.js'
import { View } from './view.js'

function ref(low: number): NodeRef {
  return { low, high: 0, birth: 7 }
}

function directory(low: number): EntryRow {
  return { kind: Kind.directory, size: Number.NaN, ref: ref(low) }
}

describe('live entries', () => {
  let view: View

  function open(virtualRoot: boolean): void {
    view = new View({ id: 1, root: 'r', volume: 'v', prefix: Buffer.from('/home/'), virtualRoot })
    view.put(0, 1, Buffer.from('r'), directory(1), LONG_AGO)
    view.put(1, 2, Buffer.from('a'), directory(2), LONG_AGO)
    view.put(2, 3, Buffer.from('b'), directory(3), LONG_AGO)
    view.put(3, 0, Buffer.from('f'), { kind: Kind.file, size: 1, ref: ref(9) }, LONG_AGO)
    view.put(1, 0, Buffer.from('g'), { kind: Kind.file, size: 1, ref: ref(9) }, LONG_AGO)
  }

  beforeEach(() => open(false))

  it('are found by place, by name and by node', () => {
    expect([view.parentOf(3), view.parentOf(1), view.parentOf(77)]).toEqual([2, 0, -1])
    expect(view.findEntry(3, Buffer.from('f'))).toEqual({ delta: expect.objectContaining({ parent: 3, directory: 0 }) })
    expect(view.findEntry(3, Buffer.from('g'))).toBeUndefined()
    expect(view.entriesOf(ref(9))).toHaveLength(2)
    expect(view.childrenOf(1)).toHaveLength(2)
    expect(view.entryCount).toBe(5)
  })

  it('say what is within what, and keep the answers of one question', () => {
    const known = new Map<number, boolean>()
    expect([view.isWithin(3, 1, known), view.isWithin(2, 3), view.isWithin(2, 2), view.isWithin(77, 1)]).toEqual([
      true,
      false,
      true,
      false,
    ])
    expect([...known]).toEqual([
      [3, true],
      [2, true],
    ])
  })

  it('forget the directory of a node when it goes', () => {
    expect(view.directoryOf(ref(3))).toBe(3)
    view.removeSubtree(2)
    expect(view.directoryOf(ref(3))).toBe(0)
    expect(view.entryCount).toBe(2)
    expect(view.entriesOf(ref(9))).toHaveLength(1)
  })

  it('have paths below the prefix, in which a virtual root is no component', () => {
    expect(Buffer.from(pathOfDirectory(view, 3)!).toString()).toBe('/home/r/a/b')
    expect(pathOfDirectory(view, 77)).toBeUndefined()
    open(true)
    expect(Buffer.from(pathOfDirectory(view, 3)!).toString()).toBe('/home/a/b')
  })
})

describe('a directory that a segment holds', () => {
  it('is displaced while its place or its name is another than there', () => {
    const stale = new Set<number>()
    const segment = {
      stale,
      findDir: (dirId: number) => (dirId === 5 ? 0 : -1),
      placeOf: () => ({ parentId: 1, name: Buffer.from('a') }),
    } as unknown as SegmentState
    const now: number[][] = []
    for (const [parentId, name] of [
      [2, 'a'],
      [1, 'a'],
      [1, 'b'],
    ] as const) {
      noteDisplaced(segment, 5, { parentId, name: Buffer.from(name) })
      noteDisplaced(segment, 6, { parentId, name: Buffer.from(name) })
      now.push([...stale])
    }
    expect(now).toEqual([[5], [], [5]])
  })
})
