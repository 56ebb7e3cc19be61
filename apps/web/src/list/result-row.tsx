import type { MarkedHit } from '@hotpath/client/browser'
import { memo } from 'react'
import type { Column } from '../state/columns.js'
import { formatExactTime, formatMinute, formatSize } from '../text/format.js'
import { MarkedText, PlainText } from '../text/plain-text.js'
import { visibleText } from '../text/visible-text.js'
import { Icon } from '../ui/icons.js'
import { extensionOf, fileTypeOf, typeLabel } from './file-types.js'

export function rowId(row: number): string {
  return `row-${row}`
}

interface RowProps {
  readonly row: number
  /** Undefined while it is loaded. */
  readonly hit: MarkedHit | undefined
  readonly isActive: boolean
  readonly columns: readonly Column[]
}

/** One line of the list. */
export const ResultRow = memo(function ResultRow({ row, hit, isActive, columns }: RowProps) {
  return (
    <div
      role="row"
      id={rowId(row)}
      className={hit === undefined ? 'row loading' : 'row'}
      data-row={row}
      // The head is row 1 for screen readers.
      aria-rowindex={row + 2}
      aria-selected={isActive}
    >
      {columns.map(({ id, alignsRight }) => (
        <div key={id} role="gridcell" className={alignsRight ? `cell ${id} right` : `cell ${id}`}>
          {hit === undefined ? <span className="bone" /> : cell(id, hit)}
        </div>
      ))}
    </div>
  )
})

function cell(id: Column['id'], hit: MarkedHit) {
  switch (id) {
    case 'name': {
      const type = fileTypeOf(hit)
      return (
        <>
          <Icon name={type} className={`type-${type}`} />
          <span className="name-text" title={visibleText(hit.name)}>
            <MarkedText text={hit.name} spans={hit.matched} />
          </span>
          {hit.fuzzy && (
            <span className="tag" title="Found although something is spelled otherwise">
              ≈
            </span>
          )}
        </>
      )
    }
    case 'path':
      return (
        <span className="path-text" title={visibleText(hit.directory)}>
          <PlainText text={hit.directory} />
        </span>
      )
    case 'ext':
      return <PlainText text={shortType(hit)} />
    case 'size':
      return hit.sizeBytes === undefined || hit.kind === 'directory' ? '' : formatSize(hit.sizeBytes)
    case 'modified':
    case 'created':
    case 'accessed': {
      const time = hit[id]
      return time === undefined ? '' : <span title={formatExactTime(time)}>{formatMinute(time)}</span>
    }
    case 'hot':
      return <Heat hot={hit.hot} />
  }
}

/** `Folder`, `Link`, or the extension. */
function shortType(hit: MarkedHit): string {
  if (hit.kind === 'directory') return 'Folder'
  if (hit.kind === 'symlink') return 'Link'
  const extension = extensionOf(hit.name)
  return extension === '' || extension.length > 10 ? typeLabel(fileTypeOf(hit)) : extension.toUpperCase()
}

const STEPS = [0.05, 0.5, 1.5, 4]

/** How hot an entry is, as bars of four. */
export function Heat({ hot }: { readonly hot: number }) {
  if (hot <= 0) return null
  const level = STEPS.filter(step => hot >= step).length
  return (
    <span className="heat" role="img" aria-label={`Heat ${hot.toFixed(2)}`} title={`Heat ${hot.toFixed(2)}`}>
      {STEPS.map((step, at) => (
        <span key={step} className={at < Math.max(1, level) ? 'on' : ''} />
      ))}
    </span>
  )
}
