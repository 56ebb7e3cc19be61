import type { BrowserClient, MarkedHit } from '@hotpath/client/browser'
import type { ReactNode } from 'react'
import type { HitCommands } from '../app/commands.js'
import { fileTypeOf, typeLabel } from '../list/file-types.js'
import { Heat } from '../list/result-row.js'
import { type SearchState, searchUrl } from '../state/page-state.js'
import { type PathRef, pathParts } from '../state/path-ref.js'
import { counted, formatCount, formatExactTime, formatMinute, formatSize } from '../text/format.js'
import { MarkedText, PlainText } from '../text/plain-text.js'
import { visibleText } from '../text/visible-text.js'
import { Icon } from '../ui/icons.js'
import { RankExplanation } from './rank-explanation.js'

interface DetailsProps {
  readonly client: Pick<BrowserClient, 'search'>
  readonly commands: HitCommands
  readonly hit: MarkedHit | undefined
  readonly row: number
  readonly search: SearchState | undefined
  readonly onUnder: (under: PathRef) => void
}

/** The place beside or below the list. */
export function DetailsPane({ onClose, children }: { readonly onClose: () => void; readonly children: ReactNode }) {
  return (
    <aside id="details" className="details" aria-label="Details">
      <header>
        <h2>Details</h2>
        <button type="button" className="tool small" aria-label="Close details" title="Close (Alt+I)" onClick={onClose}>
          <Icon name="clear" />
        </button>
      </header>
      {children}
    </aside>
  )
}

/** All that is known of the active hit, and what can be done with it. */
export function Details({ client, commands, hit, row, search, onUnder }: DetailsProps) {
  if (hit === undefined || search === undefined) return <p className="none">Nothing is selected.</p>
  return (
    <div className="details-body">
      <div className="details-name">
        <Icon name={fileTypeOf(hit)} className={`type-${fileTypeOf(hit)}`} />
        <h3>
          <MarkedText text={hit.name} spans={hit.matched} />
        </h3>
      </div>
      <Actions commands={commands} hit={hit} />
      <PathTrail hit={hit} onUnder={onUnder} />
      <Facts commands={commands} hit={hit} />
      <RankExplanation key={`${hit.id} ${searchUrl(search)}`} client={client} hit={hit} row={row} search={search} />
    </div>
  )
}

function Actions({ commands, hit }: { readonly commands: HitCommands; readonly hit: MarkedHit }) {
  return (
    <div className="actions">
      {commands.canLaunch && (
        <>
          <button type="button" id="open" className="primary" onClick={() => void commands.launch(hit, 'open')}>
            <Icon name="open" /> Open
          </button>
          <button type="button" id="reveal" onClick={() => void commands.launch(hit, 'reveal')}>
            <Icon name="reveal" /> Reveal
          </button>
        </>
      )}
      <button type="button" id="copy" onClick={() => void commands.copyPath(hit)}>
        <Icon name="copy" /> Copy path
      </button>
      {commands.canDownload(hit) && (
        <a id="download" href={commands.fileUrl(hit)} download={hit.name} onClick={() => commands.onUsed()}>
          <Icon name="download" /> Download
        </a>
      )}
    </div>
  )
}

/** Each directory on the way can be searched. */
function PathTrail({ hit, onUnder }: { readonly hit: MarkedHit; readonly onUnder: (under: PathRef) => void }) {
  const parts = pathParts(hit.pathBytes)
  const folders = hit.kind === 'directory' ? parts : parts.slice(0, -1)
  return (
    <nav className="trail" aria-label="Search below a folder">
      {folders.map(({ name, ref }, at) => (
        <span key={ref.encoded}>
          {at > 0 && folders[at - 1]!.name !== '/' && <Icon name="chevron" />}
          <button type="button" title={`Search below ${visibleText(ref.text)}`} onClick={() => onUnder(ref)}>
            <PlainText text={name} />
          </button>
        </span>
      ))}
    </nav>
  )
}

function Facts({ commands, hit }: { readonly commands: HitCommands; readonly hit: MarkedHit }) {
  const { sizeBytes, modified, created, accessed, hot } = hit
  const isLossy = hit.path.includes('\ufffd')
  return (
    <dl className="facts">
      <dt>Type</dt>
      <dd>{typeLabel(fileTypeOf(hit))}</dd>
      {sizeBytes !== undefined && (
        <>
          <dt>Size</dt>
          <dd>
            {formatSize(sizeBytes)}
            {sizeBytes >= 1_000 && <span className="exact"> {formatCount(sizeBytes)} bytes</span>}
          </dd>
        </>
      )}
      {modified !== undefined && (
        <>
          <dt>Modified</dt>
          <dd>{formatExactTime(modified)}</dd>
        </>
      )}
      {created !== undefined && (
        <>
          <dt>Created</dt>
          <dd>{formatExactTime(created)}</dd>
        </>
      )}
      {accessed !== undefined && (
        <>
          <dt>Accessed</dt>
          <dd>{formatExactTime(accessed)}</dd>
        </>
      )}
      <dt>Heat</dt>
      <dd>
        {hot > 0 ? (
          <>
            <Heat hot={hot} /> {hot.toFixed(2)}
            <button type="button" id="forget" className="link" onClick={() => void commands.forget(hit)}>
              forget
            </button>
          </>
        ) : (
          'never opened'
        )}
      </dd>
      {hit.opened !== undefined && (
        <>
          <dt>Opened</dt>
          <dd>
            {counted(hit.opens, 'time')}, last {formatMinute(hit.opened)}
          </dd>
        </>
      )}
      {hit.fuzzy && (
        <>
          <dt>Match</dt>
          <dd>similar: something is spelled otherwise</dd>
        </>
      )}
      {isLossy && (
        <>
          <dt>Name</dt>
          <dd>may not be UTF-8: � stands for what cannot be shown</dd>
        </>
      )}
      <dt>Path</dt>
      <dd className="whole-path">
        <PlainText text={hit.path} />
      </dd>
    </dl>
  )
}
