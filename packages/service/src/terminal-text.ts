/**
 * What a terminal, a log viewer or a person could take for something else: C0 and C1 controls, DEL, line and paragraph
 * separators, marks without width, and those that change the direction of text.
 */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** Returns the text with everything unsafe written as `\xNN` or `\u{NNNN}`, so that it cannot act on a terminal. */
export function escapeForTerminal(text: string): string {
  return text.replace(UNSAFE, unit => {
    const code = unit.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/**
 * Returns bytes that should be UTF-8 as text for a terminal: bytes that are not UTF-8 appear as `\xNN`, everything
 * unsafe is escaped, and a backslash stays as it is (this is for reading, not for parsing).
 */
export function escapeBytesForTerminal(bytes: Uint8Array): string {
  try {
    return escapeForTerminal(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return escapeInvalid(bytes)
  }
}

function escapeInvalid(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at]!)
    const sequence = bytes.subarray(at, at + length)
    try {
      if (sequence.length < length) throw new TypeError('cut short')
      text += escapeForTerminal(decoder.decode(sequence))
      at += length
    } catch {
      text += `\\x${bytes[at]!.toString(16).padStart(2, '0')}`
      at++
    }
  }
  return text
}

/** Bytes of the UTF-8 sequence that starts with this byte; 1 for bytes that start none. */
function sequenceLength(first: number): number {
  if (first >= 0xf0) return 4
  if (first >= 0xe0) return 3
  return first >= 0xc0 ? 2 : 1
}
