import { monotonicMicros } from '@hotpath/platform'
import { describe, expect, it } from 'vitest'
import { newLife, RootState, worstFresh } from './root-state.js'

const spec = { id: 'r', kind: 'tree', path: '/r' } as const

function root(more: Partial<RootState['life']> = {}): RootState {
  const life = newLife('tree', {
    followed: true,
    auto: true,
    hasIndex: true,
    trust: 'full',
    scanner: true,
    patient: true,
    wanted: undefined,
  })
  return new RootState(spec, { ...life, watch: 'armed', ...more })
}

const text = (paths: readonly Uint8Array[]) => paths.map(path => Buffer.from(path).toString())

describe('the freshness of a root', () => {
  it('has no lag while nothing waits', () => {
    expect(root().fresh()).toEqual({ state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] })
  })

  it('is as old as the oldest change that its watcher holds, and names what is to be listed', () => {
    const state = root()
    const directories = [Buffer.from('/r/a'), Buffer.from('/r/b')]
    state.report = { root: 'r', oldest: monotonicMicros() - 2_000_000, waiting: 7, directories }
    const fresh = state.fresh()
    expect(fresh.lagMs).toBeGreaterThanOrEqual(2_000)
    expect(fresh).toMatchObject({ state: 'live', dirty: 2 })
    expect(text(fresh.dirtySubtrees)).toEqual(['/r/a', '/r/b'])
    state.report = { root: 'r', oldest: Number.NaN, waiting: 1, directories: [] }
    expect(state.fresh()).toMatchObject({ lagMs: 0, dirty: 0 })
  })

  it('counts from the earliest moment at which something was missing, until it is live again', () => {
    const state = root({ trust: 'none', work: 'directories' })
    state.noteLag(Date.now() - 60_000)
    state.noteLag()
    expect(state.fresh().lagMs).toBeGreaterThanOrEqual(59_000)
    expect(text(state.fresh().dirtySubtrees)).toEqual(['/r'])
    state.life = root().life
    state.noteLag()
    expect(state.fresh().lagMs).toBe(0)
  })

  it('counts also for a root that nobody follows, while the index cannot be written', () => {
    const state = root({ followed: false, watch: 'absent' })
    state.noteLag(Date.now() - 60_000)
    expect(state.fresh()).toMatchObject({ state: 'unwatched', lagMs: 0 })
    state.life = { ...state.life, writable: false }
    state.noteLag(Date.now() - 60_000)
    expect(state.fresh().lagMs).toBeGreaterThanOrEqual(59_000)
  })
})

it('the freshness of several roots is the worst of them, and says where', () => {
  const path = (name: string) => new Uint8Array(Buffer.from(name))
  const many = Array.from({ length: 20 }, (_, i) => path(`/many/${i}`))
  const fresh = worstFresh([
    { state: 'unwatched', lagMs: 0, dirty: 1, dirtySubtrees: [path('/a')] },
    { state: 'repairing', lagMs: 5, dirty: 20, dirtySubtrees: many },
    { state: 'live', lagMs: 9, dirty: 0, dirtySubtrees: [] },
  ])
  expect(fresh).toMatchObject({ state: 'repairing', lagMs: 9, dirty: 21 })
  expect(text(fresh.dirtySubtrees)).toEqual(['/a', ...Array.from({ length: 15 }, (_, i) => `/many/${i}`)])
  expect(worstFresh([])).toEqual({ state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] })
})

it('a source that was replaced stays so until it is followed again', () => {
  const state = root()
  const armed = { root: 'r', state: 'armed', mechanism: 'fanotify', reason: '', wholeUntil: Number.NaN } as const
  const follow = (source: string) => {
    state.follow({ source, term: 1, bootId: 'b' })
    state.watch = { ...armed, source, term: 1, continuesSource: '', continuesTerm: 0 }
  }
  follow('one')
  follow('one')
  expect(state.isReplaced('one')).toBe(false)
  follow('two')
  expect([state.isReplaced('one'), state.isReplaced('two'), state.isReplaced('three')]).toEqual([true, false, false])
})
