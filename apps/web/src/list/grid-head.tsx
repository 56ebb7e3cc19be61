import { type KeyboardEvent, type PointerEvent, useLayoutEffect, useRef } from 'react'
import { type Column, type ColumnSettings, clampWidth, gridTemplate, leastWidthPx } from '../state/columns.js'
import type { SearchState, SortName } from '../state/page-state.js'
import { Icon } from '../ui/icons.js'
import { type ColumnDrag, useColumnDrag } from './column-drag.js'

/** By one press of a key. */
const STEP_PX = 16

interface HeadProps {
  readonly columns: readonly Column[]
  readonly settings: ColumnSettings
  readonly state: SearchState
  readonly onSort: (sort: SortName) => void
  /** Is told where a column stands now, in words. */
  readonly onMoved: (text: string) => void
}

/** Heads of the columns: a press sorts, a drag or Shift with an arrow key moves, their right edges give them a width. */
export function GridHead({ columns, settings, state, onSort, onMoved }: HeadProps) {
  const moved = useRef<Column['id'] | undefined>(undefined)
  const move = ({ id, label }: Column, at: number) => {
    moved.current = id
    const place = settings.move(id, at)
    onMoved(`${label} is column ${place + 1} of ${columns.length}`)
  }
  const { drag, handlersOf, hasDragged, cancel } = useColumnDrag(columns, (id, at) =>
    move(columns.find(column => column.id === id)!, at),
  )
  // An element that stands elsewhere has lost the focus.
  useLayoutEffect(() => {
    if (moved.current !== undefined) document.getElementById(`sort-${moved.current}`)?.focus()
    moved.current = undefined
  })
  return (
    <div role="rowgroup" className="head">
      <div role="row" aria-rowindex={1} className="columns">
        {columns.map((column, at) => {
          const isSorted = state.sort === column.sort && (column.sort !== 'hot' || column.id === 'hot')
          const order = isSorted ? (isAscending(column, state) ? 'ascending' : 'descending') : 'none'
          return (
            <div
              key={column.id}
              role="columnheader"
              aria-sort={order}
              aria-colindex={at + 1}
              className={headClass(column, at, columns, drag)}
            >
              <button
                type="button"
                id={`sort-${column.id}`}
                aria-keyshortcuts="Shift+ArrowLeft Shift+ArrowRight"
                title="Press to sort, drag to move"
                {...handlersOf(column.id)}
                onClick={() => {
                  if (!hasDragged.current) onSort(column.sort)
                }}
                onKeyDown={event => {
                  hasDragged.current = false
                  if (event.key === 'Escape' && drag !== undefined) {
                    event.stopPropagation()
                    hasDragged.current = true
                    cancel()
                  }
                  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
                  if (step === undefined || !event.shiftKey) return
                  event.preventDefault()
                  event.stopPropagation()
                  move(column, at + step)
                }}
              >
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

function headClass(
  { id, alignsRight }: Column,
  at: number,
  columns: readonly Column[],
  drag: ColumnDrag | undefined,
): string {
  const names = ['cell', id]
  if (alignsRight) names.push('right')
  if (drag?.id === id) names.push('dragged')
  if (drag?.gap === at) names.push('drop-before')
  else if (drag?.gap === columns.length && at === columns.length - 1) names.push('drop-after')
  return names.join(' ')
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
