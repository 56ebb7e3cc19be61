import { createRequire } from 'node:module'
import { asciiOnly, copyRange, keyOf, utf8SequenceLength } from '@hotpath/index-format'
import type { RE2JS } from 're2js'
import type { RegexTest, Spelling } from './predicate.js'
import { foldPattern } from './regex-pattern.js'
import { requiredText } from './required-text.js'
import { spelledKeyOf } from './spelled-key.js'

/** Why a text is no regular expression. */
export class BadRegex {
  constructor(readonly why: string) {}
}

/** Which part of a text a regular expression has to be found in. */
export interface RegexPlace {
  /** It begins, or ends, where the text does. */
  readonly start: boolean
  readonly end: boolean
  /** Words do not go on beyond the match. */
  readonly words: boolean
}

/**
 * The test of a regular expression as it is written in a query: its literals are folded as the names are that it is
 * compared with.
 *
 * @param subject the spelling that counts; undefined: the key
 */
export function regexTest(pattern: string, subject: Spelling | undefined, place: RegexPlace): RegexTest | BadRegex {
  const ignoreCase = !subject?.keepCase && !subject?.ascii
  // As it was written first: what is said about it should be about that.
  const why = whyBad(pattern)
  if (why !== undefined) return new BadRegex(why)
  const folded = foldPattern(pattern, subject)
  const { start, end, words } = place
  const source = words
    ? `${start ? '^' : NO_WORD_BEFORE}(${folded})${end ? '$' : NO_WORD_AFTER}`
    : start || end
      ? `${start ? '^' : ''}(?:${folded})${end ? '$' : ''}`
      : folded
  const foldedWhy = source === pattern ? undefined : whyBad(source)
  if (foldedWhy !== undefined) return new BadRegex(foldedWhy)
  const required = requiredText(source, subject === undefined)
  return {
    mode: 'regex',
    source,
    ignoreCase,
    ...(subject && { subject }),
    ...(required && { required }),
    ...(words && { flanked: true as const }),
  }
}

const NO_WORD_BEFORE = '(?:^|[^\\pL\\pN\\pM])'
const NO_WORD_AFTER = '(?:$|[^\\pL\\pN\\pM])'

/** True if the regular expression is found in a name or component. Cost: some 300 ns, linear in the name. */
export function matchesRegex(test: RegexTest, name: Uint8Array, key?: Uint8Array): boolean {
  return compiled(test).test(spelledText(test, name, key))
}

/** True if it is found in a whole path. */
export function matchesPathRegex(test: RegexTest, components: readonly Uint8Array[]): boolean {
  return matchesPathText(test, joinedPath(test, components))
}

/** The same for many entries of one directory, given its components: makes the text of its path once. */
export function pathRegexBelow(test: RegexTest, directory: readonly Uint8Array[]): (name: Uint8Array) => boolean {
  const above = directory.length === 0 ? '' : `${joinedPath(test, directory)}/`
  // Two backslashes are separators only at the start of a path.
  if (above === '') return name => matchesPathText(test, joinedPath(test, [name]))
  return name => matchesPathText(test, above + spelledText(test, name))
}

function matchesPathText(test: RegexTest, text: string): boolean {
  return compiled(test).test(text === '' ? '/' : text)
}

/** Where it is first found in a spelled key or key: UTF-16 offsets into `regexText` of it. */
export function findRegex(test: RegexTest, text: string): { from: number; to: number } | undefined {
  const matcher = compiled(test).matcher(text)
  if (!matcher.find()) return undefined
  const group = test.flanked ? 1 : 0
  return { from: matcher.start(group), to: matcher.end(group) }
}

/**
 * A path as a regular expression sees it: components in the spelling that counts, `/` between them, also where people
 * see `\\`; `\\\\server` is `//server`. (The path `/`, of one empty component, is made `/` of later.)
 */
function joinedPath(test: RegexTest, components: readonly Uint8Array[]): string {
  return components
    .map(component => spelledText(test, component))
    .join('/')
    .replace(/^\\\\/, '//')
}

/** A name or component in the spelling that counts. */
function spelledText({ subject }: RegexTest, name: Uint8Array, key?: Uint8Array): string {
  return regexText(subject ? spelledKeyOf(name, subject) : (key ?? keyOf(name)))
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** Bytes up to which a text is made of its character codes, which is the quickest for names. */
const SHORT_BYTES = 256

/** Bytes as the text that regular expressions are matched with: each that is of no UTF-8 sequence becomes U+FFFD. */
export function regexText(bytes: Uint8Array): string {
  if (bytes.length <= SHORT_BYTES && asciiOnly(bytes)) {
    return String.fromCharCode.apply(null, bytes as unknown as number[])
  }
  const copy = copyRange(bytes)
  try {
    return strict.decode(copy)
  } catch {
    let text = ''
    for (let at = 0; at < copy.length; ) {
      const length = utf8SequenceLength(copy, at, copy.length)
      text += length > 0 ? strict.decode(copy.subarray(at, at + length)) : '\ufffd'
      at += Math.max(1, length)
    }
    return text
  }
}

/** Instructions of a compiled expression: the cost of a character is at most so many steps. People's need some fifty. */
const MAX_PROGRAM = 5000
/** Compiled expressions that are kept: a query has at most 64. */
const MAX_KEPT = 128
const kept = new Map<string, RE2JS>()
/** What was found wrong with expressions: who follows a search, or pages through it, asks the same again. */
const judged = new Map<string, string | undefined>()
let loaded: typeof import('re2js') | undefined

/** Most queries have no regular expression, and to load this takes 20 ms, of which a first answer would have to wait. */
function library(): typeof import('re2js') {
  loaded ??= createRequire(import.meta.url)('re2js') as typeof import('re2js')
  return loaded
}

/** Compiling takes a millisecond at most; predicates are plain data, so what comes of it is kept here. */
function compiled({ source, ignoreCase }: RegexTest): RE2JS {
  return remembered(kept, `${ignoreCase ? 'i' : ''}/${source}`, () => {
    const { RE2JS } = library()
    return RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
  })
}

function remembered<T>(values: Map<string, T>, key: string, make: () => T): T {
  const known = values.get(key)
  if (known !== undefined || values.has(key)) return known as T
  const made = make()
  if (values.size >= MAX_KEPT) values.clear()
  values.set(key, made)
  return made
}

function whyBad(source: string): string | undefined {
  return remembered(judged, source, () => findWhyBad(source))
}

function findWhyBad(source: string): string | undefined {
  const { RE2JS, RE2JSException } = library()
  try {
    const size = RE2JS.compile(source).programSize()
    return size > MAX_PROGRAM ? 'it is too large' : undefined
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    return 'getDescription' in error && typeof error.getDescription === 'function'
      ? String(error.getDescription())
      : error.message
  }
}
