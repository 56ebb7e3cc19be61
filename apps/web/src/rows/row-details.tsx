import type { FoundRowReply } from '@hotpath/client/browser'
import { PlainText } from '../text/plain-text.js'
import { rowKeyText } from '../text/row-key.js'
import { Icon } from '../ui/icons.js'
import { Snippet } from './snippet.js'

interface RowDetailsProps {
  readonly row: FoundRowReply
  readonly onCopy: (row: FoundRowReply) => void
}

/** What is known of a row of a followed database. */
export function RowDetails({ row, onCopy }: RowDetailsProps) {
  return (
    <div className="details-body">
      <div className="details-name">
        <Icon name="database" />
        <h3>
          <PlainText text={row.table} />
        </h3>
      </div>
      <div className="actions">
        <button type="button" id="copy-row" onClick={() => onCopy(row)}>
          <Icon name="copy" /> Copy text
        </button>
      </div>
      <dl className="facts">
        <dt>Database</dt>
        <dd>
          <PlainText text={row.database} />
        </dd>
        <dt>Table</dt>
        <dd>
          <PlainText text={row.table} />
        </dd>
        <dt>Key</dt>
        <dd className="whole-path">
          <PlainText text={rowKeyText(row.key)} />
        </dd>
        <dt>Text</dt>
        <dd className="row-text">
          <Snippet row={row} />
        </dd>
      </dl>
    </div>
  )
}
