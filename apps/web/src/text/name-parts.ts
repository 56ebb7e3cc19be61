export interface TextPart {
  readonly text: string
  readonly matched: boolean
}

/** Cuts a text at its matched spans ([start, length], UTF-16 units). Spans that overlap, are out of order or out of range do no harm. */
export function textParts(text: string, spans: readonly (readonly [number, number])[]): TextPart[] {
  const parts: TextPart[] = []
  let at = 0
  for (const [start, length] of [...spans].sort((a, b) => a[0] - b[0])) {
    const from = Math.max(at, Math.min(start, text.length))
    const to = Math.min(start + length, text.length)
    if (to <= from) continue
    if (from > at) parts.push({ text: text.slice(at, from), matched: false })
    parts.push({ text: text.slice(from, to), matched: true })
    at = to
  }
  if (at < text.length) parts.push({ text: text.slice(at), matched: false })
  return parts
}
