import type { RefObject } from 'react'
import type { ListPosition } from '../list/list-position.js'
import type { View } from '../state/page-state.js'

export interface KeyCommands {
  readonly position: ListPosition
  readonly box: RefObject<HTMLInputElement | null>
  readonly grid: RefObject<HTMLDivElement | null>
  /** The list is on the page. */
  isListed(): boolean
  /** Goes to rows of databases where they stand in the place of the list; false if they do not. */
  enterRows(): boolean
  /** Goes to rows of databases, if there are any. */
  focusRows(): void
  open(): void
  reveal(): void
  copy(): void
  searchFolder(): void
  toggleDetails(): void
  toggleHelp(): void
  go(view: View): void
  /** Clears what was typed; false if there was nothing. */
  clear(): boolean
  focusBox(): void
}

/**
 * Keys of the page. Those of the list work in the box and in the list; in the box Home and End belong to the text until
 * one walks through the list.
 */
export function keyHandler(commands: KeyCommands): (event: KeyboardEvent) => void {
  let walks = false

  const inList = (event: KeyboardEvent): boolean => {
    const { target } = event
    if (!commands.isListed()) return false
    return target === commands.box.current || target === commands.grid.current || target === document.body
  }

  const walk = (event: KeyboardEvent): boolean => {
    const { position } = commands
    const isText = event.target === commands.box.current && !walks && !event.ctrlKey
    switch (event.key) {
      case 'ArrowDown':
        position.moveActive(1)
        return true
      case 'ArrowUp':
        if (event.altKey) commands.searchFolder()
        else position.moveActive(-1)
        return true
      case 'PageDown':
        position.moveActive(position.rowsPerPage)
        return true
      case 'PageUp':
        position.moveActive(-position.rowsPerPage)
        return true
      case 'Home':
        if (!isText) position.activate(0)
        return !isText
      case 'End':
        if (!isText) position.activate(position.scale.rows - 1)
        return !isText
      default:
        return false
    }
  }

  const act = (event: KeyboardEvent): boolean => {
    const withControl = event.ctrlKey || event.metaKey
    if (event.key === 'Enter') {
      if (withControl) commands.reveal()
      else commands.open()
      return true
    }
    if (event.key === 'c' && withControl && !hasSelection(commands.box.current)) {
      commands.copy()
      return true
    }
    return false
  }

  const anywhere = (event: KeyboardEvent): boolean => {
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
    if (event.key === 'F1' || (event.key === '?' && !isTyping)) commands.toggleHelp()
    else if (event.key === '/' && !isTyping && !event.ctrlKey) commands.focusBox()
    else if (event.altKey && event.code === 'KeyI') commands.toggleDetails()
    else if (event.altKey && event.code === 'KeyR') commands.focusRows()
    else if (event.altKey && event.code === 'Digit1') commands.go('search')
    else if (event.altKey && event.code === 'Digit2') commands.go('statistics')
    else if (event.altKey && event.code === 'Digit3') commands.go('rows')
    else if (entersList(event)) return commands.enterRows() || leaveStatistics(event)
    else if (event.key === 'Escape') return leave(event)
    else return false
    return true
  }

  const entersList = ({ key, target, altKey }: KeyboardEvent): boolean =>
    target === commands.box.current && !altKey && ['ArrowDown', 'PageDown', 'Enter'].includes(key)

  const leaveStatistics = ({ key }: KeyboardEvent): boolean => {
    if (key === 'Enter') commands.go('search')
    return key === 'Enter'
  }

  /** First what was typed goes, then the focus. */
  const leave = (event: KeyboardEvent): boolean => {
    if (commands.clear()) commands.focusBox()
    else if (event.target instanceof HTMLElement) event.target.blur()
    return true
  }

  return event => {
    if (event.defaultPrevented || event.isComposing) return
    if ((event.target as Element | null)?.closest?.('dialog[open]')) return
    const isWalk = inList(event) && walk(event)
    if (isWalk) walks = true
    else if (!['Shift', 'Control', 'Alt', 'Meta', 'Enter', 'Home', 'End'].includes(event.key)) walks = false
    if (isWalk || (inList(event) && act(event)) || anywhere(event)) event.preventDefault()
  }
}

function hasSelection(box: HTMLInputElement | null): boolean {
  if (box !== null && document.activeElement === box && box.selectionStart !== box.selectionEnd) return true
  return (getSelection()?.toString() ?? '') !== ''
}
