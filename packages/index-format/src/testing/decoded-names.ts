import type { EncodedNames } from '../encoded-names.js'
import { NamesBlockCursor } from '../names-block.js'

export function namesOf(names: EncodedNames): Uint8Array[] {
  return decoded(names, cursor => cursor.name.slice(0, cursor.nameLength))
}

export function keysOf(names: EncodedNames): Uint8Array[] {
  return decoded(names, cursor =>
    Uint8Array.from(cursor.key.subarray(cursor.keyStart, cursor.keyStart + cursor.keyLength)),
  )
}

function decoded(names: EncodedNames, read: (cursor: NamesBlockCursor) => Uint8Array): Uint8Array[] {
  const list: Uint8Array[] = []
  const cursor = new NamesBlockCursor()
  for (let block = 0; block + 1 < names.blockOffsets.length; block++) {
    cursor.open(names.bytes, names.blockOffsets[block], names.blockOffsets[block + 1])
    while (cursor.next()) list.push(read(cursor))
  }
  return list
}
