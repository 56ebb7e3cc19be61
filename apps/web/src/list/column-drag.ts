import { type PointerEvent, useRef, useState } from 'react'
import type { Column } from '../state/columns.js'

/** A press becomes a drag when it has gone so far: until then it sorts. */
const DRAG_PX = 6

/** A column that is on its way. */
export interface ColumnDrag {
  readonly id: Column['id']
  /** Gap between columns in which it would land: 0 is before the first. */
  readonly gap: number
}

/**
 * Columns are dragged by their heads, with the mouse, a pen or a finger that does not scroll. What is returned are the handlers of
 * a head's button.
 *
 * @param onDrop with the place among the other columns
 */
export function useColumnDrag(columns: readonly Column[], onDrop: (id: Column['id'], at: number) => void) {
  const [drag, setDrag] = useState<ColumnDrag>()
  const press = useRef<{ readonly id: Column['id']; readonly fromX: number } | undefined>(undefined)
  /** The click that ends a drag sorts nothing. */
  const hasDragged = useRef(false)
  const stop = () => {
    press.current = undefined
    setDrag(undefined)
  }
  const handlersOf = (id: Column['id']) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      hasDragged.current = false
      if (event.button !== 0) return
      // A quick hand is over the next head before the first move is told.
      event.currentTarget.setPointerCapture(event.pointerId)
      press.current = { id, fromX: event.clientX }
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      if (press.current === undefined) return
      if (drag === undefined && Math.abs(event.clientX - press.current.fromX) < DRAG_PX) return
      hasDragged.current = true
      setDrag({ id, gap: gapAt(event.currentTarget, event.clientX) })
    },
    onPointerUp: (event: PointerEvent<HTMLElement>) => {
      if (drag !== undefined) {
        const from = columns.findIndex(column => column.id === drag.id)
        const gap = gapAt(event.currentTarget, event.clientX)
        onDrop(drag.id, gap > from ? gap - 1 : gap)
      }
      stop()
    },
    onPointerCancel: stop,
  })
  return { drag, handlersOf, hasDragged, cancel: stop }
}

/** Columns whose middle lies before `x`. */
function gapAt(button: HTMLElement, x: number): number {
  const heads = [...button.closest('[role="row"]')!.querySelectorAll('[role="columnheader"]')]
  return heads.filter(head => {
    const { left, width } = head.getBoundingClientRect()
    return left + width / 2 < x
  }).length
}
