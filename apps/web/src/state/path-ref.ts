import { type MarkedHit, percentEncoded } from '@hotpath/client/browser'

/** A path of the file system, which need not be UTF-8: as it is shown, and exactly. */
export interface PathRef {
  readonly text: string
  /** Its bytes, percent-encoded one by one. */
  readonly encoded: string
}

const SLASH = 0x2f
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function pathRef(path: string | Uint8Array): PathRef {
  const text = typeof path === 'string' ? path : decoder.decode(path)
  return { text, encoded: percentEncoded(path) }
}

/** From an address; undefined if it is no encoding. */
export function decodedPathRef(encoded: string): PathRef | undefined {
  if (encoded === '' || /%(?![0-9a-fA-F]{2})/.test(encoded)) return undefined
  return pathRef(bytesOf({ text: '', encoded }))
}

/** What `encoded` stands for: a text where that loses nothing. */
export function bytesOf({ encoded }: PathRef): Uint8Array {
  const bytes: number[] = []
  for (let at = 0; at < encoded.length; at++) {
    if (encoded[at] === '%') {
      bytes.push(Number.parseInt(encoded.slice(at + 1, at + 3), 16))
      at += 2
    } else bytes.push(...new TextEncoder().encode(encoded[at]!))
  }
  return Uint8Array.from(bytes)
}

/** A directory on the way to a path, with its own name. */
export interface PathPart {
  readonly name: string
  readonly ref: PathRef
}

/** The parts of a path from the top: `/a/b` is `/`, `a` (`/a`) and `b` (`/a/b`). */
export function pathParts(path: Uint8Array): PathPart[] {
  const parts: PathPart[] = []
  if (path[0] === SLASH) parts.push({ name: '/', ref: pathRef(path.subarray(0, 1)) })
  let from = 0
  for (let at = 0; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH) continue
    if (at > from) parts.push({ name: decoder.decode(path.subarray(from, at)), ref: pathRef(path.subarray(0, at)) })
    from = at + 1
  }
  return parts
}

/** The directory that holds a hit. */
export function folderOf(hit: MarkedHit): PathRef {
  const bytes = hit.pathBytes
  return pathRef(bytes.subarray(0, Math.max(1, hit.nameStart - 1)))
}
