import { keyOf } from '@hotpath/index-format'
import { KIND_MASK } from '@hotpath/model'
import { attributesOf, type Entry, isDirectory, nameOf, sizeOf } from './entry.js'
import { nearnessOf } from './fuzzy.js'
import { type NaiveContext, naiveContext } from './naive-context.js'
import type { DirectoryPredicate, GlobToken, NameTest, NeedleTest, PathPredicate, Predicate } from './predicate.js'
import { matchesPathRegex, matchesRegex } from './regex.js'
import { spelledKeyOf } from './spelled-key.js'

/**
 * True if the entry is what the predicate asks for. The meaning of the language in the plainest code that there is: no
 * index, no cache, no cleverness. It is slow, and it is what everything faster is tested against.
 *
 * @param context what there is besides the entry; without it the entry is all that there is
 */
export function matchesNaively(predicate: Predicate, entry: Entry, context?: NaiveContext): boolean {
  const { components } = entry
  const others = () => context ?? naiveContext([entry])
  switch (predicate.kind) {
    case 'all':
      return true
    case 'none':
      return false
    case 'and':
      return predicate.parts.every(part => matchesNaively(part, entry, context))
    case 'or':
      return predicate.parts.some(part => matchesNaively(part, entry, context))
    case 'not':
      return !matchesNaively(predicate.part, entry, context)
    case 'name':
      return passes(predicate.test, nameOf(entry))
    case 'path':
      return passesPath(predicate, components)
    case 'pathGlob': {
      const { tokens, spelling } = predicate
      if (!globHolds(tokens, joined(components.map(component => keyOf(component))))) return false
      if (!spelling) return true
      return globHolds(spelling.tokens, joined(components.map(component => spelledKeyOf(component, spelling))))
    }
    case 'pathRegex':
      return matchesPathRegex(predicate.test, components)
    case 'extension': {
      const key = text(keyOf(nameOf(entry)))
      return !isDirectory(entry) && predicate.extensions.some(extension => key.endsWith(`.${text(extension)}`))
    }
    case 'size':
      return sizeOf(entry) >= predicate.min && sizeOf(entry) <= predicate.max
    case 'time': {
      const seconds = entry[predicate.column]?.seconds ?? Number.NaN
      return seconds >= predicate.from && seconds < predicate.to
    }
    case 'unknown':
      return Number.isNaN(
        predicate.column === 'size' ? sizeOf(entry) : (entry[predicate.column]?.seconds ?? Number.NaN),
      )
    case 'runs': {
      const runs = entry.use?.runs ?? 0
      return runs >= predicate.min && runs <= predicate.max
    }
    case 'opened': {
      const opened = entry.use?.opened ?? Number.NaN
      return opened >= predicate.from && opened < predicate.to
    }
    case 'type':
      return isDirectory(entry) === predicate.directory
    case 'kind':
      return !isDirectory(entry) && predicate.kinds.some(kind => (entry.kind & KIND_MASK) === kind)
    case 'attributes':
      return (attributesOf(entry.kind, entry.attributes ?? 0) & predicate.bits) === predicate.bits
    case 'volume':
      return (entry.volume ?? '').replace(/[A-Z]/g, letter => letter.toLowerCase()).startsWith(predicate.prefix)
    case 'root':
      return !others().hasParent(entry)
    case 'child':
      return (
        isDirectory(entry) &&
        others()
          .childrenOf(entry)
          .some(child => passes(predicate.test, nameOf(child)))
      )
    case 'childCount': {
      if (!isDirectory(entry)) return false
      const children = others()
        .childrenOf(entry)
        .filter(child => predicate.of === 'entries' || isDirectory(child) === (predicate.of === 'directories'))
      return children.length >= predicate.min && children.length <= predicate.max
    }
    case 'duplicate':
      if (predicate.of === 'name') return others().countOfName(entry) > 1
      return !isDirectory(entry) && others().countOfSize(entry) > 1
    case 'under':
      // Every directory above the entry.
      return components.some((_, count) => count > 0 && isDirectoryAskedFor(predicate, components.slice(0, count)))
    case 'parent':
      return components.length > 1 && isDirectoryAskedFor(predicate, components.slice(0, -1))
    case 'length': {
      const length = characters(nameOf(entry)).length
      return length >= predicate.min && length <= predicate.max
    }
    case 'depth':
      return components.length - 1 >= predicate.min && components.length - 1 <= predicate.max
  }
}

/** Whether a name or component passes a test, spelling included. */
function passes(test: NameTest, name: Uint8Array): boolean {
  const key = keyOf(name)
  if (test.mode === 'regex') return matchesRegex(test, name, key)
  if (test.mode === 'fuzzy') return nearnessOf(test, name, key) !== undefined
  const { spelling } = test
  const spelledKey = spelling && spelledKeyOf(name, spelling)
  if (test.mode === 'glob') {
    return globHolds(test.tokens, key) && (!test.spelling || globHolds(test.spelling.tokens, spelledKey!))
  }
  const holdsFor = test.words ? holdsAsWords : holds
  return (
    holdsFor(test.mode, test.needle, key) && (!test.spelling || holdsFor(test.mode, test.spelling.needle, spelledKey!))
  )
}

/** Every place where the needle stands, as characters, with the two characters at each end. */
function holdsAsWords(mode: NeedleTest['mode'], needle: Uint8Array, hay: Uint8Array): boolean {
  const [units, wanted] = [characters(hay), characters(needle)]
  for (let at = 0; at + wanted.length <= units.length; at++) {
    const end = at + wanted.length
    if (units.slice(at, end).join('') !== text(needle)) continue
    if ((mode === 'prefix' || mode === 'exact') && at !== 0) continue
    if ((mode === 'suffix' || mode === 'exact') && end !== units.length) continue
    if (!goesOn(units[at - 1], units[at]) && !goesOn(units[end - 1], units[end])) return true
  }
  return false
}

/** True if a word goes on from one character to the next; the ends of the name are undefined. */
function goesOn(before: string | undefined, after: string | undefined): boolean {
  return isOfWord(before) && isOfWord(after)
}

function isOfWord(character: string | undefined): boolean {
  if (character === undefined || (character.length === 1 && character >= '\x80')) return false
  const bytes = Uint8Array.from(character, byte => byte.charCodeAt(0))
  return /^[\p{L}\p{N}\p{M}]$/u.test(strict.decode(bytes))
}

function holds(mode: NeedleTest['mode'], needle: Uint8Array, hay: Uint8Array): boolean {
  switch (mode) {
    case 'substring':
      return text(hay).includes(text(needle))
    case 'exact':
      return text(hay) === text(needle)
    case 'prefix':
      return text(hay).startsWith(text(needle))
    case 'suffix':
      return text(hay).endsWith(text(needle))
  }
}

function passesPath({ tests, start, end }: PathPredicate, components: readonly Uint8Array[]): boolean {
  for (let first = 0; first + tests.length <= components.length; first++) {
    const last = first + tests.length - 1
    if (start === 'first' && first !== 0) continue
    if (end === 'last' && last !== components.length - 1) continue
    if (end === 'inside' && last === components.length - 1) continue
    if (tests.every((test, index) => passes(test, components[first + index]!))) return true
  }
  return false
}

function isDirectoryAskedFor({ tests, anchored }: DirectoryPredicate, directory: readonly Uint8Array[]): boolean {
  return passesPath({ kind: 'path', tests, start: anchored ? 'first' : 'anywhere', end: 'last' }, directory)
}

/**
 * Whether the tokens match all the bytes: the sets of places that are reachable after each token. Written apart from
 * `matchesGlob`, which is tested against it.
 */
function globHolds(tokens: readonly GlobToken[], bytes: Uint8Array): boolean {
  const units = characters(bytes)
  let reachable = new Set([0])
  for (const token of tokens) {
    const next = new Set<number>()
    for (const place of reachable) {
      for (let end = place; end <= units.length; end++) {
        if (tokenHolds(token, units.slice(place, end))) next.add(end)
      }
    }
    reachable = next
  }
  return reachable.has(units.length)
}

function tokenHolds(token: GlobToken, part: readonly string[]): boolean {
  switch (token.kind) {
    case 'literal':
      return part.join('') === text(token.bytes)
    case 'one':
      return part.length === 1 && part[0] !== '/'
    case 'many':
      return !part.includes('/')
    case 'deep':
      return true
    case 'directories':
      return part.length === 0 || part.at(-1) === '/'
  }
}

/** Bytes as a string of one character a byte, which has all the string functions and loses nothing. */
function text(bytes: Uint8Array): string {
  let string = ''
  for (const byte of bytes) string += String.fromCharCode(byte)
  return string
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The characters of a name, each as `text` of its bytes: what a strict decoder accepts, else single bytes. */
function characters(bytes: Uint8Array): string[] {
  const list: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find(n => at + n <= bytes.length && isOneCharacter(bytes.subarray(at, at + n))) ?? 1
    list.push(text(bytes.subarray(at, at + length)))
    at += length
  }
  return list
}

function isOneCharacter(bytes: Uint8Array): boolean {
  if (bytes.length === 1) return bytes[0]! < 0x80
  try {
    return [...strict.decode(bytes)].length === 1
  } catch {
    return false
  }
}

function joined(components: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(components.flatMap((component, index) => (index > 0 ? [0x2f, ...component] : [...component])))
}
