import { escapeBytesForTerminal } from '@hotpath/service'

/** Ranges of a name, in bytes, that a search asked for: ascending, apart from each other. */
export type MarkName = (name: Uint8Array) => readonly { readonly from: number; readonly to: number }[]

/** A name for a terminal, in pieces that are marked or not. It is cut before it is escaped, because ranges are of bytes. */
export function namePieces(name: Uint8Array, mark: MarkName): { text: string; isMatched: boolean }[] {
  const pieces: { text: string; isMatched: boolean }[] = []
  const add = (from: number, to: number, isMatched: boolean) => {
    if (to > from) pieces.push({ text: escapeBytesForTerminal(name.subarray(from, to)), isMatched })
  }
  let at = 0
  for (const { from, to } of mark(name)) {
    add(at, from, false)
    add(from, to, true)
    at = to
  }
  add(at, name.length, false)
  return pieces
}
