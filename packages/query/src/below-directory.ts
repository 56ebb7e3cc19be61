import { keyOf, partialKeyOf } from '@hotpath/index-format'
import type { DirectoryPredicate } from './predicate.js'

const SLASH = 0x2f
const BACKSLASH = 0x5c
const COLON = 0x3a

/**
 * What lies below the directory with this path, given as bytes as paths of hits are (`/a/b`, `C:\a`, `\\server\a`), with or
 * without a separator at its end. Unlike `under:` it tells capitals and marks apart; only composed and decomposed
 * spellings of a name are equal.
 */
export function belowDirectory(path: Uint8Array): DirectoryPredicate {
  const spelling = { keepCase: true, keepMarks: true }
  const tests = directoryComponents(path).map(component => ({
    mode: 'exact' as const,
    needle: keyOf(component),
    spelling: { ...spelling, needle: partialKeyOf(component, true, true) },
  }))
  return { kind: 'under', tests, anchored: true }
}

function directoryComponents(path: Uint8Array): Uint8Array[] {
  const server = path[0] === BACKSLASH && path[1] === BACKSLASH
  const isWindows = server || isDrive(path)
  const components: Uint8Array[] = []
  let start = 0
  for (let at = server ? 2 : 0; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH && !(isWindows && path[at] === BACKSLASH)) continue
    // Several separators are one; the empty name stands only before the first of an absolute path.
    if (at > start || at === 0) components.push(path.subarray(start, at))
    start = at + 1
  }
  return components
}

function isDrive(path: Uint8Array): boolean {
  const letter = (path[0] ?? 0) | 0x20
  const next = path[2]
  return (
    letter >= 0x61 &&
    letter <= 0x7a &&
    path[1] === COLON &&
    (next === undefined || next === SLASH || next === BACKSLASH)
  )
}
