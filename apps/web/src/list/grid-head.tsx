import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import { type Column, type ColumnSettings, clampWidth, gridTemplate, leastWidthPx } from '../state/columns.js'
import type { SearchState, SortName } from '../state/page-state.js'
import { Icon } from '../ui/icons.js'

/** By one press of a key. */
const STEP_PX = 16

interface HeadProps {
  readonly columns: readonly Column[]
  readonly settings: ColumnSettings
  readonly state: SearchState
  readonly onSort: (sort: SortName) => void
}

/** Heads of the columns: a press sorts, their right edges give them a width. */
export function GridHead({ columns, settings, state, onSort }: HeadProps) {
  return (
    <div role="rowgroup" className="head">
      <div role="row" aria-rowindex={1} className="columns">
        {columns.map(column => {
          const isSorted = state.sort === column.sort && (column.sort !== 'hot' || column.id === 'hot')
          const order = isSorted ? (isAscending(column, state) ? 'ascending' : 'descending') : 'none'
          return (
            <div
              key={column.id}
              role="columnheader"
              aria-sort={order}
              className={column.alignsRight ? `cell ${column.id} right` : `cell ${column.id}`}
            >
              <button type="button" id={`sort-${column.id}`} onClick={() => onSort(column.sort)}>
                <span>{column.label}</span>
                {isSorted && <Icon name={order === 'ascending' ? 'up' : 'down'} />}
              </button>
              <ColumnEdge column={column} settings={settings} />
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** `hot` is the hottest first. */
function isAscending(column: Column, { descending }: SearchState): boolean {
  return column.sort === 'hot' ? descending : !descending
}

function ColumnEdge({ column, settings }: { readonly column: Column; readonly settings: ColumnSettings }) {
  const drag = useRef<{ readonly fromX: number; readonly fromPx: number } | undefined>(undefined)
  const widthOf = (edge: HTMLElement) => edge.parentElement!.getBoundingClientRect().width
  /** Without storing each step of the way: the list follows the style alone. */
  const preview = (edge: HTMLElement, widthPx: number) => {
    const { shown, widths } = settings.current
    applyLayout(edge.closest<HTMLElement>('[role="grid"]')!, { shown, widths: { ...widths, [column.id]: widthPx } })
  }
  const moved = (event: PointerEvent<HTMLElement>) =>
    clampWidth(drag.current!.fromPx + event.clientX - drag.current!.fromX)
  return (
    <span
      className="edge"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={`Width of ${column.label}`}
      aria-valuemin={0}
      aria-valuenow={settings.current.widths[column.id] ?? column.widthPx}
      title="Drag to resize, double click to reset"
      onPointerDown={event => {
        event.preventDefault()
        event.currentTarget.setPointerCapture(event.pointerId)
        drag.current = { fromX: event.clientX, fromPx: widthOf(event.currentTarget) }
      }}
      onPointerMove={event => {
        if (drag.current !== undefined) preview(event.currentTarget, moved(event))
      }}
      onPointerUp={event => {
        if (drag.current === undefined) return
        const widthPx = moved(event)
        const hasMoved = event.clientX !== drag.current.fromX
        drag.current = undefined
        if (hasMoved) settings.resize(column.id, widthPx)
      }}
      onDoubleClick={() => settings.resize(column.id, undefined)}
      onKeyDown={(event: KeyboardEvent<HTMLElement>) => {
        const step = { ArrowLeft: -STEP_PX, ArrowRight: STEP_PX }[event.key]
        if (step === undefined && event.key !== 'Home') return
        event.preventDefault()
        event.stopPropagation()
        settings.resize(column.id, step === undefined ? undefined : widthOf(event.currentTarget) + step)
      }}
    />
  )
}

/** Lines take their columns from the list: nothing is drawn again when a width changes. */
export function applyLayout(grid: HTMLElement, layout: ColumnSettings['current']): void {
  grid.style.setProperty('--columns', gridTemplate(layout))
  grid.style.setProperty('--least-width', `${leastWidthPx(layout)}px`)
}
