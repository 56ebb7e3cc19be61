import { copyRange } from '@hotpath/index-format'

/** Paths as lists of components (see predicate.ts of the query package) and as the bytes that people see. */

const SLASH = 0x2f
const BACKSLASH = 0x5c

/** Components of what stands before a root: `/home/` → ["", "home"], "" → []. */
export function componentsOfPrefix(prefix: Uint8Array): Uint8Array[] {
  const components: Uint8Array[] = []
  let start = 0
  for (let i = 0; i < prefix.length; i++) {
    if (prefix[i] !== SLASH) continue
    components.push(copyRange(prefix, start, i))
    start = i + 1
  }
  if (start < prefix.length) components.push(copyRange(prefix, start))
  return components
}

/** `\` for rows of Windows lists (`C:`, `\\server`), `/` for all else. */
export function separatorOf(components: readonly Uint8Array[]): number {
  const first = components[0]
  if (first === undefined) return SLASH
  const drive = first.length === 2 && first[1] === 0x3a && (first[0] | 0x20) >= 0x61 && (first[0] | 0x20) <= 0x7a
  return drive || (first[0] === BACKSLASH && first[1] === BACKSLASH) ? BACKSLASH : SLASH
}

/** The path of a directory followed by a separator: what stands before the names of its children. */
export function childPrefix(components: readonly Uint8Array[]): Uint8Array {
  const separator = separatorOf(components)
  let length = 0
  for (const component of components) length += component.length + 1
  const bytes = new Uint8Array(length)
  let at = 0
  for (const component of components) {
    bytes.set(component, at)
    at += component.length
    bytes[at++] = separator
  }
  return bytes
}

/** Joins what stands before an entry with its name; the root directory `/` has an empty name. */
export function joinPath(prefix: Uint8Array, name: Uint8Array): Uint8Array {
  if (name.length === 0 && prefix.length === 0) return Uint8Array.of(SLASH)
  const path = new Uint8Array(prefix.length + name.length)
  path.set(prefix, 0)
  path.set(name, prefix.length)
  return path
}
