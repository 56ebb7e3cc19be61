import { describe, expect, it } from 'vitest'
import { fileTypeOf } from './file-types.js'
import { ListPosition, ROW_PX } from './list-position.js'
import { WheelGlide } from './wheel-glide.js'

const WINDOW_PX = 10 * ROW_PX

function listOf(rows: number): ListPosition {
  const position = new ListPosition()
  position.setViewport(WINDOW_PX)
  position.begin(rows)
  return position
}

describe('ListPosition', () => {
  it('keeps the active row in the window, and within the list', () => {
    const position = listOf(100)
    expect(position.active).toBe(0)
    position.moveActive(-1)
    expect(position.active).toBe(0)
    position.activate(20)
    expect(position.topPx).toBe(11 * ROW_PX)
    position.activate(1_000)
    expect(position.active).toBe(99)
    expect(position.visible).toEqual({ first: 90, end: 100 })
    expect(position.rowsPerPage).toBe(9)
  })

  it('has no active row where there is none, and takes the first that comes', () => {
    const position = listOf(0)
    expect(position.active).toBe(-1)
    position.moveActive(1)
    expect(position.active).toBe(-1)
    position.setRows(3)
    expect(position.active).toBe(0)
    position.setRows(0)
    expect(position.active).toBe(-1)
  })

  it('stays at the end of a list that becomes shorter', () => {
    const position = listOf(100)
    position.activate(99)
    position.setRows(50)
    expect(position.active).toBe(49)
    expect(position.topPx).toBe(40 * ROW_PX)
  })

  /** Two rows come before all others. */
  const follow = (position: ListPosition, rows: number) => {
    position.follow(
      row => `id ${row}`,
      id => Number(id.slice(3)) + 2,
    )
    position.setRows(rows)
  }

  it('does not move what is looked at when rows come above it', () => {
    const position = listOf(100)
    position.scrollTo(20 * ROW_PX + 5)
    position.activate(25)
    follow(position, 102)
    expect(position.topPx).toBe(22 * ROW_PX + 5)
    expect(position.active).toBe(27)
  })

  it('shows new rows at the top, and goes with the active entry', () => {
    const position = listOf(100)
    follow(position, 102)
    expect(position.topPx).toBe(0)
    expect(position.active).toBe(2)
  })

  it('stays where it is when what is seen is gone', () => {
    const position = listOf(100)
    position.scrollTo(20 * ROW_PX)
    position.follow(
      row => `id ${row}`,
      () => undefined,
    )
    expect(position.topPx).toBe(20 * ROW_PX)
    expect(position.active).toBe(0)
  })
})

describe('WheelGlide', () => {
  /** Frames of a browser, run by hand. */
  function glide(isCalm: boolean) {
    let topPx = 1_000
    let frame: (() => void) | undefined
    const scope = globalThis as unknown as Record<string, unknown>
    scope.requestAnimationFrame = (run: () => void) => {
      frame = run
      return 1
    }
    const wheel = new WheelGlide(
      () => topPx,
      to => {
        topPx = Math.max(0, to)
      },
      () => isCalm,
    )
    const run = () => {
      let count = 0
      for (; frame !== undefined && count < 200; count++) {
        const next = frame
        frame = undefined
        next()
      }
      return count
    }
    return { wheel, run, top: () => topPx, move: (to: number) => (topPx = to) }
  }

  it('comes to where the turns lead, in few frames', () => {
    const { wheel, run, top } = glide(false)
    wheel.turn(100)
    wheel.turn(180)
    expect(run()).toBeLessThan(30)
    expect(top()).toBe(1_280)
  })

  it('ends at the end of the list, and where somebody else moves it', () => {
    const { wheel, run, top, move } = glide(false)
    wheel.turn(-5_000)
    expect(run()).toBeLessThan(30)
    expect(top()).toBe(0)
    wheel.turn(500)
    move(7_000)
    run()
    expect(top()).toBe(7_000)
    wheel.turn(10)
    run()
    expect(top()).toBe(7_010)
  })

  it('does not glide where motion is not wanted', () => {
    const { wheel, run, top } = glide(true)
    wheel.turn(100)
    expect(top()).toBe(1_100)
    expect(run()).toBe(0)
  })
})

it('fileTypeOf goes by what it is, then by the extension', () => {
  const type = (name: string, kind: 'file' | 'directory' | 'symlink' | 'other' = 'file') => fileTypeOf({ name, kind })
  expect(type('a.PNG')).toBe('picture')
  expect(type('a.png', 'directory')).toBe('folder')
  expect(type('a.png', 'symlink')).toBe('link')
  expect(['a', '.png', 'a.', 'a.unknown', 'x.tar.gz', 'a.ts'].map(name => type(name))).toEqual([
    'other',
    'other',
    'other',
    'other',
    'archive',
    'code',
  ])
})
