import { type RefObject, useEffect, useRef } from 'react'
import { Icon } from '../ui/icons.js'

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'go to the search box'],
  ['↑ ↓ PgUp PgDn', 'walk through the list'],
  ['Home End', 'first and last hit (Ctrl from inside the text)'],
  ['Enter', 'open; where that is off, go into a folder or copy the path'],
  ['Ctrl Enter', 'show in its folder'],
  ['Ctrl C', 'copy the path'],
  ['Alt ↑', 'search in the folder of the hit'],
  ['Alt I', 'details on and off'],
  ['Shift ← →', 'move a column, from its head; or drag it'],
  ['Alt 1, 2, 3', 'files, statistics, rows of databases'],
  ['Alt R', 'go to rows of databases; ↑ above the first leads back'],
  ['Esc', 'close, then clear'],
  ['? or F1', 'this help'],
]

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['report 2024', 'both words, in any order'],
  ['*.pdf', 'names of this form'],
  ['src/main', 'across folders'],
  ['jpg|png', 'one or the other'],
  ['invoice !draft', 'without a word'],
  ['"annual report"', 'as it stands, with the space'],
  ['ext:jpg;png size:>1mb', 'by extension and size'],
  ['dm:today', 'changed today; also last7days, 2024-05, 2023..2024'],
  ['folder:src', 'folders only'],
  ['under:/usr/share doc:', 'documents below a folder'],
  ['dupe: size:>10mb', 'names that exist more than once'],
  ['empty: folder:', 'empty folders'],
  ['regex:^[a-z]{3}\\.txt$', 'regular expressions'],
  ['case:README', 'capitals matter'],
  ['in:chat invoice', 'rows of the followed database chat; no files'],
  ['table:message', 'rows of tables of this name'],
]

interface HelpProps {
  readonly dialog: RefObject<HTMLDialogElement | null>
  readonly onExample: (query: string) => void
}

export function HelpDialog({ dialog, onExample }: HelpProps) {
  const body = useRef<HTMLDivElement>(null)
  // A press outside of the window itself closes it.
  useEffect(() => {
    const element = dialog.current!
    const pressed = (event: MouseEvent) => {
      if (event.target === element) element.close()
    }
    element.addEventListener('click', pressed)
    return () => element.removeEventListener('click', pressed)
  }, [dialog])
  return (
    <dialog ref={dialog} id="help" className="help" aria-labelledby="help-title">
      <div ref={body}>
        <header>
          <h2 id="help-title">Help</h2>
          <button type="button" className="tool small" aria-label="Close help" onClick={() => dialog.current?.close()}>
            <Icon name="clear" />
          </button>
        </header>
        <div className="help-body">
          <section>
            <h3>What can be typed</h3>
            <p>A press tries an example.</p>
            <ul className="examples">
              {EXAMPLES.map(([query, meaning]) => (
                <li key={query}>
                  <button
                    type="button"
                    onClick={() => {
                      dialog.current?.close()
                      onExample(query)
                    }}
                  >
                    <code>{query}</code>
                    <span>{meaning}</span>
                  </button>
                </li>
              ))}
            </ul>
            <p>
              Capitals and accents make no difference. What is spelled slightly otherwise follows the exact hits and is
              marked with <span className="tag">≈</span>.
            </p>
          </section>
          <section>
            <h3>Keys</h3>
            <dl className="keys">
              {KEYS.map(([keys, meaning]) => (
                <div key={keys}>
                  <dt>
                    <kbd>{keys}</kbd>
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        </div>
      </div>
    </dialog>
  )
}
