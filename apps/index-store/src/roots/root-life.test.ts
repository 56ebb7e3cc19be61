import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freshStateOf, isCovered, type LifeAction, type LifeEvent, type RootLife, step } from './root-life.js'

const RUNS = process.env.SOAK === '1' ? 100_000 : 10_000

/** A followed tree with an index from earlier, as at the start of the store. */
const START: RootLife = {
  kind: 'tree',
  followed: true,
  auto: true,
  hasIndex: true,
  watch: 'absent',
  trust: 'full',
  work: 'idle',
  wanted: undefined,
  scanReason: undefined,
  gapless: false,
  caughtUp: false,
  scanner: true,
  patient: true,
  resting: false,
  writable: true,
  cause: 'downtime',
}
const NEW: RootLife = { ...START, hasIndex: false, trust: 'none', wanted: 'first' }
const LIVE: RootLife = { ...START, watch: 'armed', caughtUp: true }

const ARMED = { type: 'armed', continuous: false, polled: false, cause: 'downtime' } as const
const CONTINUED = { ...ARMED, continuous: true } as const
const SCANNED = { type: 'scanEnded', complete: true } as const
const CHECKED = { type: 'checkEnded', result: 'complete' } as const

const EVENTS: readonly LifeEvent[] = [
  { type: 'watcherCame' },
  { type: 'watcherGone' },
  { type: 'patienceOver' },
  ARMED,
  { ...ARMED, cause: 'loss' },
  CONTINUED,
  { ...ARMED, polled: true },
  { type: 'lost' },
  { type: 'unwatched' },
  { type: 'gap' },
  { type: 'scanWanted', reason: 'asked', hasIndex: true },
  { type: 'scanWanted', reason: 'damaged', hasIndex: false },
  { type: 'scanners', there: true },
  { type: 'scanners', there: false },
  { type: 'scanBegan' },
  SCANNED,
  { type: 'scanEnded', complete: false },
  CHECKED,
  { type: 'checkEnded', result: 'failed' },
  { type: 'checkEnded', result: 'different' },
  { type: 'rested' },
  { type: 'storageFailed' },
]

/** Every combination that is reached from some start by some events. */
const REACHED: readonly RootLife[] = (() => {
  const found = new Map<string, RootLife>()
  const queue: RootLife[] = [START, NEW]
  for (const life of [START, NEW]) {
    queue.push({ ...life, followed: false }, { ...life, auto: false }, { ...life, kind: 'list', followed: false })
    queue.push({ ...life, scanner: false }, { ...life, kind: 'volume' })
  }
  for (let life = queue.pop(); life !== undefined; life = queue.pop()) {
    const key = JSON.stringify(life)
    if (found.has(key)) continue
    found.set(key, life)
    for (const event of EVENTS) queue.push(step(life, event).life)
  }
  return [...found.values()]
})()

function run(life: RootLife, ...events: LifeEvent[]): { life: RootLife; actions: LifeAction[] } {
  const actions: LifeAction[] = []
  let now = life
  for (const event of events) {
    const next = step(now, event)
    now = next.life
    actions.push(...next.actions)
  }
  return { life: now, actions }
}

describe('the life of a volume', () => {
  const VOLUME: RootLife = { ...START, kind: 'volume' }

  it('is live without being read where its journal goes on, and scanned where it does not', () => {
    const continued = run(VOLUME, { type: 'watcherCame' }, CONTINUED)
    expect(continued.actions).toEqual([])
    expect(freshStateOf(continued.life)).toBe('live')
    const lost = run(continued.life, { type: 'lost' })
    expect(lost.actions).toEqual([{ do: 'tellGap', reason: 'loss' }])
    expect(freshStateOf(lost.life)).toBe('repairing')
    const armed = run(lost.life, ARMED)
    expect(armed.actions).toEqual([{ do: 'scan', reason: 'catch-up' }])
    expect(freshStateOf(armed.life)).toBe('repairing')
    const scanned = run(armed.life, { type: 'scanBegan' }, SCANNED)
    expect(scanned.actions).toEqual([])
    expect(freshStateOf(scanned.life)).toBe('live')
    expect(isCovered(scanned.life)).toBe(true)
  })

  it('is followed from where its scan began if the watcher came later, or something was lost meanwhile', () => {
    for (const event of [ARMED, { type: 'gap' }] as const) {
      const begun = event.type === 'armed' ? [] : [CONTINUED]
      const scanning = run(
        VOLUME,
        ...begun,
        { type: 'patienceOver' },
        { type: 'scanWanted', reason: 'asked', hasIndex: true },
        { type: 'scanBegan' },
      )
      const scanned = run(scanning.life, event, SCANNED)
      expect(scanned.actions.at(-1)).toEqual({ do: 'followAgain' })
      expect(freshStateOf(scanned.life)).not.toBe('live')
      expect(freshStateOf(run(scanned.life, CONTINUED).life)).toBe('live')
      expect(run(scanned.life, ARMED).actions).toContainEqual({ do: 'scan', reason: 'catch-up' })
    }
  })

  it('is scanned when it was not followed for a time, and unwatched then', () => {
    const unwatched = run(VOLUME, { type: 'watcherCame' }, { type: 'lost' }, { type: 'unwatched' })
    expect(unwatched.actions).toEqual([
      { do: 'tellGap', reason: 'loss' },
      { do: 'scan', reason: 'catch-up' },
    ])
    const scanned = run(unwatched.life, { type: 'scanBegan' }, SCANNED)
    expect(scanned.actions).toEqual([])
    expect(freshStateOf(scanned.life)).toBe('unwatched')
    expect(isCovered(scanned.life)).toBe(false)
  })

  it('is never checked', () => {
    for (const life of REACHED)
      if (life.kind === 'volume')
        for (const event of EVENTS) expect(step(life, event).actions.map(action => action.do)).not.toContain('check')
  })
})

describe('the life of a root', () => {
  it('is live only while it is followed, trusted and left alone', () => {
    expect(REACHED.length).toBeGreaterThan(200)
    for (const life of REACHED) {
      if (freshStateOf(life) !== 'live' || life.kind === 'list') continue
      expect(life).toMatchObject({ watch: 'armed', trust: 'full', work: 'idle', wanted: undefined, writable: true })
    }
  })

  it('does one thing at a time, and stops it before it begins another', () => {
    for (const life of REACHED) {
      for (const event of EVENTS) {
        const next = step(life, event)
        let work: string = life.work
        if (event.type === 'scanEnded' && work === 'scan') work = 'idle'
        if (event.type === 'checkEnded' && work !== 'scan') work = 'idle'
        for (const action of next.actions) {
          if (action.do === 'cancelScan' || action.do === 'cancelCheck') {
            expect(work === 'scan').toBe(action.do === 'cancelScan')
            expect(work).not.toBe('idle')
            work = 'idle'
          }
          if (action.do === 'scan' || action.do === 'check') {
            expect(work).toBe('idle')
            work = action.do === 'scan' ? 'scan' : action.mode
          }
        }
        expect(next.life.work).toBe(work)
      }
    }
  })

  it('begins nothing without a scanner, on a disk that takes nothing, or before it has rested', () => {
    for (const life of REACHED) {
      for (const event of EVENTS) {
        const next = step(life, event)
        const begun = next.actions.some(action => action.do === 'scan' || action.do === 'check')
        if (begun) expect(next.life).toMatchObject({ scanner: true, writable: true, resting: false })
      }
    }
  })

  it('is checked only where it has an index and somebody lists what differs', () => {
    for (const life of REACHED) {
      if (life.work !== 'directories' && life.work !== 'full') continue
      expect(life).toMatchObject({ kind: 'tree', hasIndex: true, followed: true, auto: true })
      expect(['armed', 'polled']).toContain(life.watch)
      expect(life.trust).toBe(life.work === 'directories' ? 'none' : 'names')
    }
  })

  it('is told to subscribers whenever an index stops being trusted', () => {
    for (const life of REACHED) {
      if (life.trust !== 'full' || !life.hasIndex || !life.followed) continue
      for (const event of EVENTS) {
        const next = step(life, event)
        if (next.life.trust === 'full' || event.type === 'unwatched' || event.type.startsWith('scan')) continue
        expect(next.actions.map(action => action.do)).toContain('tellGap')
      }
    }
  })

  it('comes to be live again whatever happened, once it is followed and read', () => {
    const events = fc.array(fc.constantFrom(...EVENTS.filter(({ type }) => type !== 'storageFailed')), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(fc.constantFrom(START, NEW), events, (start, happened) => {
        let { life } = run(start, ...happened, { type: 'scanners', there: true }, CONTINUED)
        for (let ends = 0; freshStateOf(life) !== 'live'; ends++) {
          expect(ends, JSON.stringify(life)).toBeLessThan(8)
          if (life.work === 'idle') life = step(life, { type: 'rested' }).life
          else if (life.work === 'scan') life = run(life, { type: 'scanBegan' }, SCANNED).life
          else life = step(life, CHECKED).life
        }
        expect(isCovered(life)).toBe(true)
      }),
      { numRuns: RUNS },
    )
  })
})

describe('a root that is followed without a gap', () => {
  it('is neither scanned nor checked when the store was started again', () => {
    const { life, actions } = run(START, { type: 'watcherCame' }, CONTINUED)
    expect(actions).toEqual([])
    expect(freshStateOf(life)).toBe('live')
  })

  it('is neither scanned nor checked when the watcher was started again', () => {
    const gone = run(LIVE, { type: 'watcherGone' })
    expect(freshStateOf(gone.life)).toBe('catching-up')
    expect(isCovered(gone.life)).toBe(false)
    const back = run(gone.life, { type: 'watcherCame' }, CONTINUED)
    expect([...gone.actions, ...back.actions]).toEqual([])
    expect(freshStateOf(back.life)).toBe('live')
  })

  it('is unwatched when nobody goes on in time', () => {
    expect(freshStateOf(run(LIVE, { type: 'watcherGone' }, { type: 'patienceOver' }).life)).toBe('unwatched')
  })
})

describe('a root with an index', () => {
  it('is checked by directories, then in full, after a time without a watcher', () => {
    const began = run(START, ARMED)
    expect(began.actions).toEqual([
      { do: 'tellGap', reason: 'downtime' },
      { do: 'check', mode: 'directories' },
    ])
    expect(freshStateOf(began.life)).toBe('catching-up')
    const names = run(began.life, CHECKED)
    expect(names.actions).toEqual([{ do: 'check', mode: 'full' }])
    expect(freshStateOf(names.life)).toBe('catching-up')
    expect(freshStateOf(run(names.life, CHECKED).life)).toBe('live')
  })

  it('is being repaired after a loss until everything was checked', () => {
    const lost = run(LIVE, { type: 'lost' })
    expect(lost.actions).toEqual([{ do: 'tellGap', reason: 'loss' }])
    expect(freshStateOf(lost.life)).toBe('repairing')
    const again = run(lost.life, { ...ARMED, cause: 'loss' })
    expect(again.actions).toEqual([{ do: 'check', mode: 'directories' }])
    expect(freshStateOf(run(again.life, CHECKED).life)).toBe('repairing')
    expect(freshStateOf(run(again.life, CHECKED, CHECKED).life)).toBe('live')
  })

  it('begins a check again when events are lost during it', () => {
    const { actions } = run(START, ARMED, CHECKED, { type: 'gap' })
    expect(actions.slice(-3)).toEqual([
      { do: 'cancelCheck' },
      { do: 'tellGap', reason: 'loss' },
      { do: 'check', mode: 'directories' },
    ])
  })

  it('is scanned where checks find too much', () => {
    const { life, actions } = run(START, ARMED, { type: 'checkEnded', result: 'different' })
    expect(actions.at(-1)).toEqual({ do: 'scan', reason: 'catch-up' })
    expect(freshStateOf(run(life, { type: 'scanBegan' }, SCANNED).life)).toBe('live')
  })

  it('is scanned where nobody can follow it, once', () => {
    const unwatched = run(START, { type: 'unwatched' })
    expect(unwatched.actions).toEqual([{ do: 'scan', reason: 'catch-up' }])
    const scanned = run(unwatched.life, { type: 'scanBegan' }, SCANNED, { type: 'unwatched' })
    expect(scanned.actions).toEqual([])
    expect(freshStateOf(scanned.life)).toBe('unwatched')
  })

  it('rests when a check fails, and goes on', () => {
    const failed = run(START, ARMED, { type: 'checkEnded', result: 'failed' })
    expect(failed.actions.at(-1)).toEqual({ do: 'rest' })
    expect(run(failed.life, { type: 'rested' }).actions).toEqual([{ do: 'check', mode: 'directories' }])
  })

  it('is partial and being repaired while a damaged segment is made up for', () => {
    const damaged = run(LIVE, { type: 'scanWanted', reason: 'damaged', hasIndex: false })
    expect(damaged.actions).toEqual([
      { do: 'tellGap', reason: 'damage' },
      { do: 'scan', reason: 'damaged' },
    ])
    expect(freshStateOf(damaged.life)).toBe('repairing')
    expect(freshStateOf(run(damaged.life, { type: 'scanBegan' }, SCANNED).life)).toBe('live')
  })
})

describe('a first scan', () => {
  it('waits for the watcher, so that nothing is missed between the two', () => {
    expect(run(NEW, { type: 'scanners', there: true }).actions).toEqual([])
    const { life, actions } = run(NEW, { type: 'watcherCame' }, ARMED)
    expect(actions).toEqual([{ do: 'scan', reason: 'first' }])
    expect(freshStateOf(run(life, { type: 'scanBegan' }, SCANNED).life)).toBe('live')
  })

  it('does not wait for ever, and is checked when the watcher comes', () => {
    const alone = run(NEW, { type: 'patienceOver' })
    expect(alone.actions).toEqual([{ do: 'scan', reason: 'first' }])
    const during = run(alone.life, { type: 'scanBegan' }, { type: 'watcherCame' }, ARMED, SCANNED)
    expect(during.actions).toEqual([{ do: 'check', mode: 'directories' }])
    expect(freshStateOf(during.life)).toBe('catching-up')
  })

  it('is worth nothing more than its names where events were lost during it', () => {
    const { life } = run(NEW, ARMED, { type: 'scanBegan' }, { type: 'lost' }, { ...ARMED, cause: 'loss' }, SCANNED)
    expect(life.trust).toBe('none')
    expect(life.work).toBe('directories')
  })
})
