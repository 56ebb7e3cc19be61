import { copyRange, partialKeyOf } from '@hotpath/index-format'
import type { Spelling } from './predicate.js'

/** The spelling of a name that a test with `spelling` looks at (see `Spelling`), as a new array. */
export function spelledKeyOf(name: Uint8Array, { keepCase, keepMarks, ascii }: Spelling): Uint8Array {
  if (!ascii) return partialKeyOf(name, keepCase, keepMarks)
  const spelled = copyRange(name)
  if (keepCase) return spelled
  for (let i = 0; i < spelled.length; i++) {
    const byte = spelled[i]!
    if (byte >= 0x41 && byte <= 0x5a) spelled[i] = byte + 0x20
  }
  return spelled
}
