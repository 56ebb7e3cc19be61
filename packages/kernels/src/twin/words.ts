import { BYTE_CLASSES, DIGIT_CLASS, forEachWord, isBoundary, SEPARATOR_CLASS } from '@hotpath/index-format'

/** As assembly/words.ts. */
export function hasWordStart(key: Uint8Array, name: Uint8Array, text: Uint8Array): boolean {
  return key.length === name.length && boundaries(name).some(start => sameAt(key, start, text))
}

/** As assembly/words.ts. */
export function hasWordOf(key: Uint8Array, name: Uint8Array, words: readonly Uint8Array[]): boolean {
  if (key.length !== name.length) return false
  const isListed = (start: number, end: number): boolean =>
    words.some(word => word.length === end - start && sameAt(key, start, word))
  let found = false
  forEachWord(name, 0, name.length, (start, end) => {
    found ||= isListed(start, end)
  })
  return (
    found ||
    boundaries(name).some(
      start => BYTE_CLASSES[name[start]] === DIGIT_CLASS && isListed(start, nextBoundary(name, start)),
    )
  )
}

/** As assembly/words.ts. */
export function hasInitials(key: Uint8Array, name: Uint8Array, letters: Uint8Array): boolean {
  if (key.length !== name.length) return false
  const first = name[0] === 0x2e ? 1 : 0
  const isPart = (start: number): boolean => BYTE_CLASSES[name[start]] !== SEPARATOR_CLASS
  if (first >= name.length || !isPart(first)) return false
  const reaches = (found: number, part: number): boolean => {
    if (found === letters.length) return true
    for (let start = part; start < name.length; start = nextBoundary(name, start)) {
      if (!isPart(start)) continue
      const end = nextBoundary(name, start)
      for (let i = 0; start + i < end && found + i < letters.length && key[start + i] === letters[found + i]; i++) {
        if (reaches(found + i + 1, end)) return true
      }
      if (found === 0) return false
    }
    return false
  }
  return reaches(0, first)
}

function boundaries(name: Uint8Array): number[] {
  return Array.from(name.keys()).filter(at => isBoundary(name, at))
}

function nextBoundary(name: Uint8Array, from: number): number {
  let at = from + 1
  while (!isBoundary(name, at)) at++
  return at
}

function sameAt(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}
