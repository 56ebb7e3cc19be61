/**
 * Names as they may be shown. Every character that could reorder, hide or break a line is shown as what it is called
 * (`RLO`, `ESC`), so that no name looks like another; where only text can stand it becomes U+FFFD, one for one. What is
 * copied is the original.
 */

export interface TextPiece {
  readonly text: string
  /** What the character is, in words; undefined: the text is shown as it is. */
  readonly escaped?: string
}

/**
 * C0, DEL, C1; soft hyphen; marks, embeddings, overrides and isolates of direction; zero width; line separators; fillers;
 * annotations; BOM; tags. Also what cannot be decoded, as U+FFFD, is left as it is: it shows already.
 */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\u034f|\u{1d173}|\u{1d174}|[\u{e0000}-\u{e007f}]/gu

/** Joiners where writing needs them: within emoji, and between letters of scripts that are joined. */
const NEEDED_JOINER =
  /(?<=\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]*)\u200d(?=\p{Extended_Pictographic})|(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Malayalam}]\p{M}*)[\u200c\u200d](?=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Malayalam}])/gu

const C0 = [
  'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI',
  'DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US',
]
  .join(' ')
  .split(' ')

const NAMES: Readonly<Record<number, string>> = {
  127: 'DEL',
  173: 'SHY',
  1564: 'ALM',
  8203: 'ZWSP',
  8204: 'ZWNJ',
  8205: 'ZWJ',
  8206: 'LRM',
  8207: 'RLM',
  8232: 'LSEP',
  8233: 'PSEP',
  8234: 'LRE',
  8235: 'RLE',
  8236: 'PDF',
  8237: 'LRO',
  8238: 'RLO',
  8288: 'WJ',
  8294: 'LRI',
  8295: 'RLI',
  8296: 'FSI',
  8297: 'PDI',
  65279: 'BOM',
}

/** For titles, messages and labels: one U+FFFD for each UTF-16 unit that must not be shown. */
export function visibleText(name: string): string {
  const joiners = neededJoiners(name)
  return name.replace(HIDDEN, (found, at: number) => (joiners.has(at) ? found : '\ufffd'.repeat(found.length)))
}

/** A text in pieces: what is shown as it is, and what is shown by its name. Joined, the texts of plain pieces lose nothing. */
export function textPieces(text: string): TextPiece[] {
  const pieces: TextPiece[] = []
  const joiners = neededJoiners(text)
  let at = 0
  for (const { 0: found, index } of text.matchAll(HIDDEN)) {
    if (joiners.has(index)) continue
    if (index > at) pieces.push({ text: text.slice(at, index) })
    const code = found.codePointAt(0)!
    const hex = code.toString(16).toUpperCase().padStart(4, '0')
    pieces.push({ text: C0[code] ?? NAMES[code] ?? hex, escaped: `invisible character U+${hex}` })
    at = index + found.length
  }
  if (at < text.length) pieces.push({ text: text.slice(at) })
  return pieces
}

function neededJoiners(text: string): ReadonlySet<number> {
  if (!/[\u200c\u200d]/.test(text)) return NONE
  return new Set(Array.from(text.matchAll(NEEDED_JOINER), ({ index }) => index))
}

const NONE: ReadonlySet<number> = new Set()
