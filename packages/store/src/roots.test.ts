import type { RootSpec } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { Roots } from './roots.js'

const PLACE = { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false }
const A: RootSpec = { id: 'a', kind: 'tree', path: '/a' }
const B: RootSpec = { id: 'b', kind: 'list', path: '/b.efu' }

describe('roots', () => {
  it('are kept by id, in the order in which they came', () => {
    const roots = new Roots()
    expect([roots.add(B, PLACE), roots.add(A, PLACE), roots.add(B, PLACE)]).toEqual([true, true, false])
    expect(roots.select().map(({ spec }) => spec.id)).toEqual(['b', 'a'])
    expect(roots.select('a')).toEqual([roots.get('a')])
    expect(roots.toManifest(0).map(({ spec, scanReason }) => [spec.id, scanReason])).toEqual([
      ['b', 'new'],
      ['a', 'new'],
    ])
    expect(() => roots.add({ ...A, path: '/elsewhere' }, PLACE)).toThrow('tree /a under this id')
    expect(() => roots.select('c')).toThrow('one that was added')
  })

  it('that were removed are not found, and who still has one sees it', () => {
    const roots = new Roots()
    roots.add(A, PLACE)
    const root = roots.get('a')
    roots.remove(root)
    expect(root.removed).toBe(true)
    expect([...roots]).toEqual([])
    expect(() => roots.get('a')).toThrow('one that was added')
  })

  it('tell who listens that they must be scanned', () => {
    const roots = new Roots()
    const told: string[] = []
    const stop = roots.onScanNeeded((id, reason) => told.push(`${id}: ${reason}`))
    roots.add(A, PLACE)
    roots.needScan(roots.get('a'), 'damaged segment')
    stop()
    roots.needScan(roots.get('a'), 'asked for')
    expect(told).toEqual(['a: damaged segment'])
    expect(roots.get('a').scanReason).toBe('asked for')
  })

  it('need the log from their checkpoints on', () => {
    const roots = new Roots()
    roots.add(A, PLACE)
    roots.add(B, PLACE)
    expect(roots.replayFrom()).toEqual([])
    const facts = { id: 1, nextDirectoryId: 1, applied: [], boots: [], observedFromBoot: -1, observedFrom: 0 }
    const sets = { unlisted: [], unread: [], impliedDirectories: false, segments: [] }
    roots.get('b').durable = { ...facts, ...sets, replayFrom: 4 }
    expect(roots.replayFrom()).toEqual([4])
  })
})
