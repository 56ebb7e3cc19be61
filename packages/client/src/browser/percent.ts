const UNRESERVED = /[A-Za-z0-9\-_.~/]/
const encoder = new TextEncoder()

/** Percent-encodes bytes (text as UTF-8) one by one, so that a path that is not UTF-8 arrives as it is. */
export function percentEncoded(value: string | Uint8Array): string {
  const bytes = typeof value === 'string' ? encoder.encode(value) : value
  let text = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    text += UNRESERVED.test(character) ? character : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`
  }
  return text
}
