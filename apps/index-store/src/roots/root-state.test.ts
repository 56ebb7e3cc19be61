import type { WatchState } from '@hotpath/protocol'
import { describe, expect, it } from 'vitest'
import { RootState } from './root-state.js'

const spec = { id: 'r', kind: 'tree', path: '/r' } as const

function watchState(state: WatchState['state'], source = 's'): WatchState {
  return {
    root: 'r',
    source,
    state,
    mechanism: state === 'armed' ? 'fanotify' : 'none',
    reason: '',
    term: 1,
    continuesSource: '',
    continuesTerm: 0,
    wholeUntil: Number.NaN,
  }
}

function scanned(root: RootState): void {
  root.wanted = 'first'
  root.begin(1, 'scanner')
  root.end(true)
}

describe('a root is covered by barriers', () => {
  it('when it is followed and a scan that began later is over', () => {
    const root = new RootState(spec, true)
    expect(root.isCovered(false)).toBe(false)
    root.watchChanged(watchState('armed'))
    root.wanted = 'first'
    root.begin(1, 'scanner')
    expect(root.isCovered(false)).toBe(false)
    expect(root.end(true)).toBe(false)
    expect(root.isCovered(true)).toBe(true)
  })

  it('not while it catches up with what happened before it was followed', () => {
    const root = new RootState(spec, true)
    root.watchChanged(watchState('armed'))
    expect(root.fresh(true).state).toBe('catching-up')
    expect(root.isCovered(true)).toBe(false)
  })

  it('not by a scan that began before it was followed', () => {
    const root = new RootState(spec, true)
    root.watchChanged(watchState('unwatched'))
    root.wanted = 'first'
    root.begin(1, 'scanner')
    root.watchChanged(watchState('armed'))
    expect(root.end(true)).toBe(true)
    expect(root.isCovered(true)).toBe(false)
  })

  it.each([
    ['its events were lost', (root: RootState) => root.watchChanged(watchState('lost'))],
    ['its watcher is gone', (root: RootState) => root.watcherLost()],
    ['another watcher took over', (root: RootState) => root.watchChanged(watchState('armed', 'other'))],
    ['it cannot be followed any more', (root: RootState) => root.watchChanged(watchState('unwatched'))],
  ])('not any more when %s', (_, happens) => {
    const root = new RootState(spec, true)
    root.watchChanged(watchState('armed'))
    scanned(root)
    expect(root.isCovered(true)).toBe(true)
    happens(root)
    expect(root.isCovered(true)).toBe(false)
    expect(root.fresh(true).state).not.toBe('live')
  })

  it('not if nobody follows it', () => {
    const root = new RootState(spec, false)
    scanned(root)
    expect(root.isCovered(true)).toBe(false)
  })
})

describe('a root whose index cannot be written', () => {
  it('is behind, and never live', () => {
    const root = new RootState(spec, true)
    root.watchChanged(watchState('armed'))
    scanned(root)
    expect(root.fresh(true)).toMatchObject({ state: 'live', lagMs: 0 })
    expect(root.freshWhileReading(true, 1_500)).toMatchObject({ state: 'catching-up', lagMs: 1_500 })
    root.watcherLost()
    expect(root.freshWhileReading(true, 2_000)).toMatchObject({ state: 'unwatched', lagMs: 2_000 })
  })
})
