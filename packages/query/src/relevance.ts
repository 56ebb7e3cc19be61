import { asciiOnly, isBoundary, keyOf } from '@hotpath/index-format'
import { type Entry, nameOf } from './entry.js'
import { holdsBytes, nearnessOf } from './fuzzy.js'
import { characterLength, holdsAt } from './glob.js'
import { compareNames, comparePaths } from './name-order.js'
import type { FuzzyTest, NameTest, Predicate } from './predicate.js'

/**
 * Where a name holds a term: as a whole (also without its extension), at its start, at a boundary of its words, inside a
 * word or not at all.
 */
export const Tier = { exact: 0, prefix: 1, boundary: 2, inside: 3 } as const
export type Tier = (typeof Tier)[keyof typeof Tier]

/** What of a query relevance goes by: the terms that names can satisfy. */
export interface RelevanceTerms {
  /** Keys, none empty, each once. */
  readonly needles: readonly Uint8Array[]
  /** The tolerant tests among them. */
  readonly tolerant: readonly FuzzyTest[]
}

/** The terms of a predicate, without negated ones, wildcards, and what asks for directories above. */
export function relevanceTerms(predicate: Predicate): RelevanceTerms {
  const needles = new Map<string, Uint8Array>()
  const tolerant = new Map<string, FuzzyTest>()
  const add = (test: NameTest): void => {
    if (test.mode === 'glob' || test.mode === 'regex' || test.needle.length === 0) return
    const id = test.needle.join()
    if (!needles.has(id) || test.mode === 'fuzzy') needles.set(id, test.needle)
    if (test.mode === 'fuzzy') tolerant.set(id, test)
  }
  const visit = (part: Predicate): void => {
    if (part.kind === 'and' || part.kind === 'or') part.parts.forEach(visit)
    else if (part.kind === 'name') add(part.test)
    else if (part.kind === 'path' && part.end !== 'inside') add(part.tests.at(-1)!)
  }
  visit(predicate)
  return { needles: [...needles.values()], tolerant: [...tolerant.values()] }
}

/** Best tier of the terms in a name. Cost: 0.1 µs for ASCII. */
export function tierOf(needles: readonly Uint8Array[], name: Uint8Array, key: Uint8Array): Tier {
  let best: Tier = Tier.inside
  for (const needle of needles) {
    const tier = tierOfNeedle(needle, name, key)
    if (tier < best) best = tier
  }
  return best
}

function tierOfNeedle(needle: Uint8Array, name: Uint8Array, key: Uint8Array): Tier {
  if (holdsAt(key, 0, key.length, needle)) {
    const rest = needle.length
    // `main` is all of main.go, but not of main.test.go.
    return rest === key.length || (key[rest] === 0x2e && key.indexOf(0x2e, rest + 1) < 0) ? Tier.exact : Tier.prefix
  }
  const aligned = asciiOnly(name)
  for (let at = 1; at < name.length; at++) {
    if ((aligned && key[at] !== needle[0]) || !isBoundary(name, at)) continue
    const held = aligned ? holdsAt(key, at, key.length, needle) : startsWith(keyOf(name, at), needle)
    if (held) return Tier.boundary
  }
  return Tier.inside
}

function startsWith(key: Uint8Array, needle: Uint8Array): boolean {
  return holdsAt(key, 0, key.length, needle)
}

/** The worst nearness of the tolerant terms that the name satisfies; 0 if there are none. */
export function nearnessIn(tolerant: readonly FuzzyTest[], name: Uint8Array, key: Uint8Array): number {
  let worst = 0
  for (const test of tolerant) worst = Math.max(worst, nearnessOf(test, name, key) ?? 0)
  return worst
}

/** True if the name holds every term, or passes its tolerant test: of a path that matches it is then the part that was meant. */
export function holdsAllTerms({ needles, tolerant }: RelevanceTerms, name: Uint8Array, key: Uint8Array): boolean {
  return needles.every(needle => {
    if (holdsBytes(key, needle)) return true
    const test = tolerant.find(candidate => candidate.needle === needle)
    return test !== undefined && nearnessOf(test, name, key) !== undefined
  })
}

/** Characters of a name; a byte that belongs to none counts as one. */
export function nameCharacters(name: Uint8Array): number {
  if (asciiOnly(name)) return name.length
  let count = 0
  for (let at = 0; at < name.length; count++) at += characterLength(name, at, name.length)
  return count
}

/**
 * The order of hits of the same heat, of those that were never opened above all: nearer (of tolerant hits), a name that holds all terms, better tier, shorter name, shallower, newer (unknown
 * last), then by name and path. Without terms that a name can satisfy: newer, then by name and path.
 */
export function compareRelevance(terms: RelevanceTerms, a: Entry, b: Entry): number {
  return (
    (terms.needles.length > 0 ? compareByTerms(terms, a, b) : 0) ||
    compareNewer(a, b) ||
    compareNames(nameOf(a), nameOf(b)) ||
    comparePaths(a.components, b.components)
  )
}

function compareByTerms(terms: RelevanceTerms, a: Entry, b: Entry): number {
  const { needles, tolerant } = terms
  const [left, right] = [nameOf(a), nameOf(b)]
  const [leftKey, rightKey] = [keyOf(left), keyOf(right)]
  return (
    nearnessIn(tolerant, left, leftKey) - nearnessIn(tolerant, right, rightKey) ||
    Number(holdsAllTerms(terms, right, rightKey)) - Number(holdsAllTerms(terms, left, leftKey)) ||
    tierOf(needles, left, leftKey) - tierOf(needles, right, rightKey) ||
    nameCharacters(left) - nameCharacters(right) ||
    a.components.length - b.components.length
  )
}

/** What of a name relevance compares, in that order: see `compareRelevance`. */
export interface NameRelevance {
  /** 0: as typed. */
  readonly nearness: number
  readonly holdsAll: boolean
  readonly tier: Tier
  readonly characters: number
}

/** Undefined: the terms are none that a name can satisfy. */
export function nameRelevance(terms: RelevanceTerms, name: Uint8Array): NameRelevance | undefined {
  if (terms.needles.length === 0) return undefined
  const key = keyOf(name)
  return {
    nearness: nearnessIn(terms.tolerant, name, key),
    holdsAll: holdsAllTerms(terms, name, key),
    tier: tierOf(terms.needles, name, key),
    characters: nameCharacters(name),
  }
}

/** Latest modification first, unknown ones last. */
export function compareNewer(a: Entry, b: Entry): number {
  const [left, right] = [a.modified, b.modified]
  const known = { left: isKnown(left?.seconds), right: isKnown(right?.seconds) }
  if (!known.left || !known.right) return Number(known.right) - Number(known.left)
  return right!.seconds - left!.seconds || right!.ticks - left!.ticks
}

function isKnown(seconds: number | undefined): boolean {
  return seconds !== undefined && !Number.isNaN(seconds)
}
