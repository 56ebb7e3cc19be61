import { matchedSpans, type Predicate, type Span, spansInText } from '@hotpath/query'

/** A piece of the text of a row, as it is shown. */
export interface Snippet {
  readonly text: string
  /** What matched, as UTF-16 offsets into `text`. */
  readonly matched: readonly Span[]
  /** Text of the row stands before it, after it. */
  readonly isCut: { readonly start: boolean; readonly end: boolean }
}

/** Bytes shown before the first match, and all in all. */
const LEAD_BYTES = 48
const SNIPPET_BYTES = 240
/** Bytes of a row that are looked at for matches: marking costs needles × bytes. */
const MARKED_BYTES = 64 * 1024

/** The piece around the first match of a row that the predicate matches; the beginning if nothing is to be marked. */
export function snippetOf(predicate: Predicate, text: Uint8Array): Snippet {
  const all = matchedSpans(predicate, text.subarray(0, boundary(text, MARKED_BYTES)))
  const first = all[0]?.from ?? 0
  const start = first > LEAD_BYTES ? boundary(text, first - LEAD_BYTES) : 0
  const end = boundary(text, start + SNIPPET_BYTES)
  const inside = all
    .filter(({ from }) => from >= start && from < end)
    .map(({ from, to }) => ({ from: from - start, to: Math.min(to, end) - start }))
  const { text: shown, spans } = spansInText(text.subarray(start, end), inside)
  return { text: shown, matched: spans, isCut: { start: start > 0, end: end < text.length } }
}

/** The start of the character that holds this byte; the end of the text if it is beyond that. */
function boundary(text: Uint8Array, at: number): number {
  if (at >= text.length) return text.length
  let start = at
  while (start > 0 && (text[start]! & 0xc0) === 0x80) start--
  return start
}
