import type { FoundRowReply } from '@hotpath/client/browser'
import { type KeyboardEvent, memo, useEffect, useRef } from 'react'
import type { RowList } from '../search/row-list.js'
import { useStore } from '../state/store.js'
import { PlainText } from '../text/plain-text.js'
import { rowKeyText } from '../text/row-key.js'
import { Icon } from '../ui/icons.js'
import { Snippet } from './snippet.js'

export const ROW_OPTIONS_ID = 'found-rows'
const PAGE_KEY_ROWS = 10

interface OptionsProps {
  readonly found: RowList
  /** At most so many are shown. */
  readonly most: number
  /** The first is active until somebody goes to another. */
  readonly hasActive: boolean
  readonly onOpen: () => void
  readonly onCopy: (row: FoundRowReply) => void
  /** Up from the first row. */
  readonly onLeave: () => void
}

/** Rows to walk through. */
export function RowOptions({ found, most, hasActive, onOpen, onCopy, onLeave }: OptionsProps) {
  const { rows, shown, total } = useStore(found)
  const active = found.active ?? (hasActive ? 0 : undefined)
  const box = useRef<HTMLDivElement>(null)
  const seen = rows.slice(0, most)
  useEffect(() => {
    if (active !== undefined) document.getElementById(optionId(active))?.scrollIntoView({ block: 'nearest' })
  }, [active])
  // Another page begins at its top.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another request is another list
  useEffect(() => {
    box.current?.scrollTo(0, 0)
  }, [shown?.query, shown?.offset])

  const pressed = (event: KeyboardEvent) => {
    const to = placeAfter(event, active, seen.length)
    if (to !== undefined && to < 0) onLeave()
    else if (to !== undefined) found.activate(to)
    else if (event.key === 'Enter' && active !== undefined) onOpen()
    else if (isCopy(event) && active !== undefined && seen[active] !== undefined) onCopy(seen[active])
    else return
    event.preventDefault()
  }
  return (
    <div
      ref={box}
      id={ROW_OPTIONS_ID}
      className="row-options"
      role="listbox"
      aria-label="Rows of databases"
      aria-busy={found.isSearching}
      aria-activedescendant={active === undefined || active >= seen.length ? undefined : optionId(active)}
      tabIndex={0}
      onFocus={() => {
        if (found.active === undefined) found.activate(0)
      }}
      onKeyDown={pressed}
    >
      {seen.map((row, at) => (
        <RowOption
          key={`${row.database}\n${row.table}\n${JSON.stringify(row.key)}`}
          row={row}
          at={at}
          place={(shown?.offset ?? 0) + at + 1}
          total={total}
          found={found}
          isActive={at === active}
        />
      ))}
    </div>
  )
}

interface OptionProps {
  readonly row: FoundRowReply
  readonly at: number
  /** Among all, from 1. */
  readonly place: number
  readonly total: number
  readonly found: RowList
  readonly isActive: boolean
}

const RowOption = memo(function RowOption({ row, at, place, total, found, isActive }: OptionProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are taken by the list
    <div
      role="option"
      id={optionId(at)}
      className="found-row"
      aria-selected={isActive}
      aria-posinset={place}
      aria-setsize={total}
      onClick={() => found.activate(at)}
    >
      <span className="row-place">
        <Icon name="database" />
        <span className="row-table">
          <PlainText text={row.database} />
          <span className="cut"> / </span>
          <PlainText text={row.table} />
        </span>
      </span>
      <span className="row-key">
        <PlainText text={rowKeyText(row.key)} />
      </span>
      <span className="row-snippet">
        <Snippet row={row} inLine />
      </span>
    </div>
  )
})

function optionId(at: number): string {
  return `found-row-${at}`
}

/** Where a key leads: −1 out of the list by its top, undefined nowhere. */
function placeAfter(event: KeyboardEvent, active: number | undefined, length: number): number | undefined {
  if (event.altKey || event.ctrlKey || event.metaKey || length === 0) return undefined
  const at = active ?? -1
  switch (event.key) {
    case 'ArrowDown':
      return Math.min(at + 1, length - 1)
    case 'ArrowUp':
      return at - 1
    case 'PageDown':
      return Math.min(at + PAGE_KEY_ROWS, length - 1)
    case 'PageUp':
      return Math.max(0, at - PAGE_KEY_ROWS)
    case 'Home':
      return 0
    case 'End':
      return length - 1
    default:
      return undefined
  }
}

function isCopy(event: KeyboardEvent): boolean {
  return event.key === 'c' && (event.ctrlKey || event.metaKey) && (getSelection()?.toString() ?? '') === ''
}
