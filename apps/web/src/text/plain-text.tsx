import { textParts } from './name-parts.js'
import { textPieces } from './visible-text.js'

/** A text of the file system: what hides or turns round is shown by its name, and its direction stays its own. */
export function PlainText({ text }: { readonly text: string }) {
  return <bdi>{pieces(text)}</bdi>
}

/** A name with what the query asked for. */
export function MarkedText({
  text,
  spans,
}: {
  readonly text: string
  readonly spans: readonly (readonly [number, number])[]
}) {
  let at = 0
  return (
    <bdi>
      {textParts(text, spans).map(part => {
        const key = at
        at += part.text.length
        return part.matched ? <mark key={key}>{pieces(part.text)}</mark> : <span key={key}>{pieces(part.text)}</span>
      })}
    </bdi>
  )
}

function pieces(text: string) {
  const found = textPieces(text)
  if (found.length <= 1 && found[0]?.escaped === undefined) return text
  let at = 0
  return found.map(piece => {
    const key = at++
    return piece.escaped === undefined ? (
      piece.text
    ) : (
      <span key={key} className="escaped" title={piece.escaped}>
        {piece.text}
      </span>
    )
  })
}
