import { type MouseEvent, type RefObject, useEffect, useLayoutEffect, useRef } from 'react'
import type { ResultList } from '../search/result-list.js'
import { type ColumnSettings, shownColumns } from '../state/columns.js'
import type { SearchState, SortName } from '../state/page-state.js'
import { useStore } from '../state/store.js'
import { applyLayout, GridHead } from './grid-head.js'
import { type ListPosition, OVERSCAN_ROWS, ROW_PX } from './list-position.js'
import { ResultRow, rowId } from './result-row.js'
import { WheelGlide } from './wheel-glide.js'

/** Height of the heads; the style sheet says the same (`--head`). */
const HEAD_PX = 30
/** What browsers change of a scroll position that they are given: fractions, at most to the next device pixel. */
const ROUNDING_PX = 2
/** Pages are asked for so often while the list moves. */
const LOOK_INTERVAL_MS = 60
/** Farther than a wheel or a page key goes in that time. */
const LEAP_ROWS = 300

interface GridProps {
  readonly list: ResultList
  readonly position: ListPosition
  readonly settings: ColumnSettings
  readonly state: SearchState
  readonly grid: RefObject<HTMLDivElement | null>
  readonly onSort: (sort: SortName) => void
  readonly onColumnMoved: (text: string) => void
  readonly onOpen: () => void
}

/**
 * The list: only the lines in the window are in the document, whatever the number of hits. They lie on a sheet that
 * stays in the window while the scroll bar moves, so that nothing empty is ever seen, and are filled again instead of made
 * anew.
 */
export function ResultGrid({ list, position, settings, state, grid, onSort, onColumnMoved, onOpen }: GridProps) {
  useStore(list)
  useStore(position)
  const layout = useStore(settings).current
  const columns = useRef(shownColumns(layout))
  const shown = shownColumns(layout)
  if (shown.some((column, at) => column !== columns.current[at]) || shown.length !== columns.current.length) {
    columns.current = shown
  }
  const { scale, topPx, active } = position
  const { first, end } = position.drawn

  useLayoutEffect(() => applyLayout(grid.current!, layout), [grid, layout])
  useScrolling(grid, position)
  useLooking(list, position)

  const clicked = (event: MouseEvent<HTMLElement>): boolean => {
    const line = (event.target as Element).closest<HTMLElement>('.row')
    if (line !== null) position.activate(Number(line.dataset.row))
    return line !== null
  }
  const pool = Math.ceil(scale.viewportPx / ROW_PX) + 1 + 2 * OVERSCAN_ROWS
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are taken for the whole page
    <div
      ref={grid}
      id="results"
      className={list.failure?.kind === 'query' ? 'grid stale' : 'grid'}
      role="grid"
      aria-label="Results"
      aria-rowcount={scale.rows + 1}
      aria-colcount={columns.current.length}
      aria-busy={list.isSearching}
      aria-activedescendant={active < 0 ? undefined : rowId(active)}
      tabIndex={0}
      onClick={clicked}
      onDoubleClick={event => {
        if (clicked(event)) onOpen()
      }}
    >
      <div className="sheet" role="presentation" style={{ height: scale.scrollHeightPx + HEAD_PX }}>
        <GridHead columns={columns.current} settings={settings} state={state} onSort={onSort} onMoved={onColumnMoved} />
        <div role="rowgroup" className="window" style={{ height: scale.viewportPx }}>
          <div
            className="lines"
            role="presentation"
            style={{ transform: `translateY(${Math.round(first * ROW_PX - topPx)}px)` }}
          >
            {Array.from({ length: end - first }, (_, at) => {
              const row = first + at
              return (
                <ResultRow
                  key={row % pool}
                  row={row}
                  hit={list.hit(row)}
                  isActive={row === active}
                  columns={columns.current}
                />
              )
            })}
          </div>
        </div>
      </div>
    </div>
  )
}

/** The scroll bar and the place in the list follow each other. */
function useScrolling(grid: RefObject<HTMLDivElement | null>, position: ListPosition): void {
  useLayoutEffect(() => {
    const element = grid.current!
    const resized = () => position.setViewport(Math.max(0, element.clientHeight - HEAD_PX))
    resized()
    const observer = new ResizeObserver(resized)
    observer.observe(element)
    return () => observer.disconnect()
  }, [grid, position])

  useLayoutEffect(() => {
    const element = grid.current!
    const scrollTop = position.scale.scrollTopOf(position.topPx)
    if (Math.abs(element.scrollTop - scrollTop) >= 1) element.scrollTop = scrollTop
  })

  useEffect(() => {
    const element = grid.current!
    const glide = new WheelGlide(
      () => position.topPx,
      topPx => position.scrollTo(topPx),
    )
    const scrolled = () => {
      const { scale, topPx } = position
      // The window became larger or smaller and the browser moved the bar: the rows stay where they are.
      if (element.clientHeight - HEAD_PX !== scale.viewportPx) return
      // Our own move comes back here, rounded; the place in a long list is known more finely than the scroll bar can say.
      const hasMoved = Math.abs(element.scrollTop - scale.scrollTopOf(topPx)) >= ROUNDING_PX
      if (scale.exact || hasMoved) position.scrollTo(scale.topOf(element.scrollTop))
    }
    /** Where the bar stands for more than it is long, a notch of the wheel must still move by lines and not by thousands. */
    const turned = (event: WheelEvent) => {
      if (position.scale.exact || event.ctrlKey || event.shiftKey || event.deltaY === 0) return
      event.preventDefault()
      glide.turn(event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : ROW_PX))
    }
    element.addEventListener('scroll', scrolled, { passive: true })
    element.addEventListener('wheel', turned, { passive: false })
    return () => {
      glide.stop()
      element.removeEventListener('scroll', scrolled)
      element.removeEventListener('wheel', turned)
    }
  }, [grid, position])
}

/**
 * Rows that are looked at are loaded: on the way while one scrolls through neighbours, and after a leap when the list stands
 * still, as what is leapt over is not read.
 */
function useLooking(list: ResultList, position: ListPosition): void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const looked = useRef(0)
  const { searchCount } = list
  const { first, end } = position.drawn
  // biome-ignore lint/correctness/useExhaustiveDependencies: another search is looked at again
  useEffect(() => {
    const isLeap = Math.abs(first - looked.current) > LEAP_ROWS
    if (timer.current !== undefined && !isLeap) return
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      timer.current = undefined
      looked.current = position.drawn.first
      if (position.scale.rows > 0) list.look(position.drawn)
    }, LOOK_INTERVAL_MS)
  }, [list, position, searchCount, first, end])
  useEffect(() => () => clearTimeout(timer.current), [])
}
