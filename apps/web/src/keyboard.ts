import type { ResultList } from './result-list.js'

export interface KeyboardActions {
  copyActive(): void
  clear(): void
}

/** Keys of the page. The focus stays in the box while the arrows move through the list, as in every launcher. */
export function bindKeyboard(input: HTMLInputElement, list: ResultList, actions: KeyboardActions): void {
  document.addEventListener('keydown', event => {
    if (event.isComposing || event.altKey) return
    const inBox = document.activeElement === input
    const command = event.ctrlKey || event.metaKey
    if (event.key === '/' && !command && !inBox) input.focus()
    else if (event.key === 'Escape') {
      if (input.value === '') input.blur()
      else actions.clear()
    } else if (event.key === 'Enter' && (inBox || document.activeElement === document.body)) actions.copyActive()
    else if (event.key === 'c' && command && !hasSelection(input)) actions.copyActive()
    else if (event.key === 'ArrowDown' && !command) list.moveActive(1)
    else if (event.key === 'ArrowUp' && !command) list.moveActive(-1)
    else if (event.key === 'PageDown') list.moveActive(list.rowsPerPage)
    else if (event.key === 'PageUp') list.moveActive(-list.rowsPerPage)
    else if (event.key === 'Home' && command) list.activateRow(0)
    else if (event.key === 'End' && command) list.activateRow(Number.MAX_SAFE_INTEGER)
    else return
    event.preventDefault()
  })
}

function hasSelection(input: HTMLInputElement): boolean {
  const inBox = document.activeElement === input && input.selectionStart !== input.selectionEnd
  return inBox || (getSelection()?.toString() ?? '') !== ''
}
