import { InvalidInputError } from '@hotpath/model'

const HEX = /^[0-9a-fA-F]{2}$/

/**
 * Parameters of a URL as bytes: a path that is not UTF-8 can be sent percent-encoded byte by byte, which
 * URLSearchParams would replace by U+FFFD. `+` is a space. A broken escape or a repeated name is an error.
 */
export function parseQueryString(query: string): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  for (const [name, value] of parseQueryParts(query)) {
    if (found.has(name)) throw new InvalidInputError(name, 'at most once', 'several times')
    found.set(name, value)
  }
  return found
}

/** As parseQueryString, in the order in which they stand; names may come again. */
export function* parseQueryParts(query: string): Generator<[string, Uint8Array]> {
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decodeText(percentDecode(equals < 0 ? part : part.slice(0, equals)), 'parameter name')
    yield [name, equals < 0 ? new Uint8Array(0) : percentDecode(part.slice(equals + 1))]
  }
}

export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new InvalidInputError(what, 'UTF-8', `bytes that are not (${cause instanceof Error ? cause.name : 'error'})`)
  }
}

function percentDecode(text: string): Uint8Array {
  const source = Buffer.from(text, 'utf8')
  const out = new Uint8Array(source.length)
  let length = 0
  for (let at = 0; at < source.length; at++) {
    const byte = source[at]!
    if (byte === 0x2b) out[length++] = 0x20
    else if (byte === 0x25) {
      const digits = source.toString('latin1', at + 1, at + 3)
      if (!HEX.test(digits))
        throw new InvalidInputError('percent escape', 'two hexadecimal digits', JSON.stringify(digits))
      out[length++] = Number.parseInt(digits, 16)
      at += 2
    } else out[length++] = byte
  }
  return out.subarray(0, length)
}
