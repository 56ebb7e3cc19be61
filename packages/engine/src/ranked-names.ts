import { BLOCK_NAMES, compareBytes, type DictionaryReader } from '@hotpath/index-format'
import {
  holdsAllTerms,
  type NameTest,
  Nearness,
  nameCharacters,
  nearnessIn,
  type RelevanceTerms,
  Tier,
  testUpTo,
  tierOf,
} from '@hotpath/query'
import type { Bitset } from './bitset.js'
import type { NameExpression } from './name-expression.js'
import type { NameVerdicts } from './name-verdicts.js'
import type { NamesFilter } from './names-filter.js'
import { ShortNameScan } from './short-name-scan.js'
import type { ShortNames } from './short-names.js'
import type { TableRows } from './table-rows.js'

/** Blocks whose names are all looked at, without asking first how long names are: 0.5 ms. */
const FEW_BLOCKS = 512
/** Blocks that say how long the names of a tier are. */
const SAMPLE_BLOCKS = 48
/** Names that are ranked at once: 1 ms. Fewer make more passes over the blocks, more are ranked in vain. */
const RANKED_NAMES = 1_000
/** Blocks that are verified without asking whether fewer would do, and names of them that are ranked: 2 ms each. */
const FOUND_BLOCKS = 4_096
const FOUND_NAMES = 2_048
/** Short names that are verified one by one before all names are: 1 ms. */
const VERIFIED_ALONE = 1_024
/** The longest name. */
const MAX_CHARACTERS = 4096
const ANY_NAME: NameExpression = { kind: 'length', min: 0, max: MAX_CHARACTERS }

/** What ranking needs of a table. */
export type RankedTable = Pick<TableRows, 'table' | 'dictionary' | 'matcher' | 'work'> & {
  readonly segment: Pick<TableRows['segment'], 'shortNames'>
}

/** An expression, and which names pass it. */
type PassingNames = Pick<NamesFilter, 'expression' | 'verdicts'>

/** Names of one rank: the rows of all of them are sorted together. */
export type NameGroup = readonly number[]

/**
 * The names that pass a filter (without one: all names), in groups of equal nearness, tier and length, best first.
 * Produced as they are asked for: whole names and starts of names are found by halving the dictionary, tiers are
 * verified one after the other, and of a tier with many names the short ones come first, most of them from the
 * list of short names.
 * @param fewNames up to so many are all ranked at once
 * @param mostBlocks ends before a tier for which more blocks are looked through. There are no tolerant terms then
 */
export function* rankedNames(
  table: RankedTable,
  names: PassingNames | undefined,
  terms: RelevanceTerms,
  fewNames = FOUND_NAMES,
  mostBlocks = Number.POSITIVE_INFINITY,
): Generator<NameGroup> {
  if (names === undefined || terms.tolerant.length === 0) {
    if (names && names.verdicts.candidateCount <= mostBlocks && areFew(names.verdicts, fewNames)) {
      yield* groupsOf(table, names.verdicts, { terms })
      return
    }
    const passing = names ?? { expression: ANY_NAME, verdicts: table.matcher.verdicts(ANY_NAME, table.work) }
    const short = table.segment.shortNames(table.table)
    if (short === undefined) {
      for (const tier of Object.values(Tier)) {
        if (!(yield* namesOfTier(table, passing, terms, tier, true, 0, mostBlocks))) return
      }
    } else {
      const scan = new ShortNameScan(short, table.dictionary, terms, table.work)
      for (const tier of Object.values(Tier)) {
        yield* shortNamesOf(short, scan, tier, passing, terms)
        if (!(yield* namesOfTier(table, passing, terms, tier, true, short.longest + 1, mostBlocks))) return
      }
    }
    if (holdsAlways(passing.expression, terms.needles)) return
    for (const tier of Object.values(Tier)) {
      if (!(yield* namesOfTier(table, passing, terms, tier, false, 0, mostBlocks))) return
    }
    return
  }
  const sole = isSoleTerm(names.expression, terms)
  let before: Bitset | undefined
  for (const nearness of Object.values(Nearness)) {
    // Whatever holds the only term is an exact hit.
    const stage = sole && nearness === Nearness.held ? undefined : stageOf(table, names, terms, nearness)
    if (stage === undefined) continue
    yield* shortestFirst(table, stage, sole, { terms, nearness, before, sole })
    if (sole) before = stage.all.all()
  }
}

/** True if all names that pass are found and ranked in a few milliseconds; then tiers one after the other cost more. */
function areFew(verdicts: NameVerdicts, fewNames: number): boolean {
  const { candidateCount } = verdicts
  // Of many blocks a sample says whether they hold much.
  const blocks = Math.min(SAMPLE_BLOCKS, candidateCount)
  const few = candidateCount <= FOUND_BLOCKS || (verdicts.sample(blocks) / blocks) * candidateCount <= fewNames
  return few && verdicts.count() <= fewNames
}

/** The names of a tier among the short ones: one length after the other. */
function* shortNamesOf(
  short: ShortNames,
  scan: ShortNameScan,
  tier: Tier,
  { expression, verdicts }: PassingNames,
  { needles }: RelevanceTerms,
): Generator<NameGroup> {
  // What holds the only term passes.
  const all =
    expression === ANY_NAME || (expression.kind === 'name' && isPlain(expression.test) && needles.length === 1)
  let alone = 0
  for (let length = 0; length <= short.longest; length++) {
    const ids = scan.namesOf(tier, length)
    if (all) yield ids
    else {
      alone += ids.length
      // One by one verifying costs more than all together, in the end.
      if (alone > VERIFIED_ALONE) verdicts.all()
      yield ids.filter(id => verdicts.has(id))
    }
  }
}

/** Names found by one expression. */
interface NameStage {
  readonly expression: NameExpression
  readonly all: NameVerdicts
}

/** What is asked of the names of a stage, and what is known of them. */
interface Asked {
  readonly terms: RelevanceTerms
  /** Others come in other stages. */
  readonly tier?: Tier
  /** Characters that names have at least. */
  readonly shortest?: number
  /** Names that hold all terms, or those that do not. */
  readonly whole?: boolean
  readonly nearness?: Nearness
  /** There is one term, which all names pass: what did not come before is of this nearness. */
  readonly sole?: boolean
  /** Names that came before. */
  readonly before?: Bitset | undefined
}

/** The names up to a nearness; undefined where these are the same as before. */
function stageOf(
  table: RankedTable,
  names: PassingNames,
  { tolerant }: RelevanceTerms,
  nearness: Nearness,
): NameStage | undefined {
  if (nearness === Nearness.gaps) return { expression: names.expression, all: names.verdicts }
  if (
    nearness === Nearness.twoEdits &&
    tolerant.every(test => test.runs.length < 2 && test.runs.every(run => run.edits < 2))
  )
    return undefined
  if (nearness <= Nearness.twoEdits && nearness > 0 && tolerant.every(test => test.runs.length === 0)) return undefined
  const expression = nearer(names.expression, nearness)
  return { expression, all: table.matcher.verdicts(expression, table.work) }
}

/** True if every name must pass the one tolerant test there is, and nothing else ranks. */
function isSoleTerm(expression: NameExpression, { needles, tolerant }: RelevanceTerms): boolean {
  const parts = expression.kind === 'and' ? expression.parts : [expression]
  // With several runs the test of a stage passes names of the next one.
  if (needles.length !== 1 || tolerant.length !== 1 || tolerant[0].runs.length > 1) return false
  return parts.some(part => part.kind === 'name' && part.test === tolerant[0])
}

function nearer(expression: NameExpression, nearness: Nearness): NameExpression {
  switch (expression.kind) {
    case 'name':
      return expression.test.mode === 'fuzzy' ? { kind: 'name', test: testUpTo(expression.test, nearness) } : expression
    case 'and':
    case 'or':
      return { kind: expression.kind, parts: expression.parts.map(part => nearer(part, nearness)) }
    default:
      return expression
  }
}

/** @returns false if it would look through more than `mostBlocks` */
function* namesOfTier(
  table: RankedTable,
  names: PassingNames,
  terms: RelevanceTerms,
  tier: Tier,
  whole: boolean,
  shortest: number,
  mostBlocks: number,
): Generator<NameGroup, boolean> {
  const { needles } = terms
  // Of one term that a name does not hold no other tier comes in question.
  if (!whole && needles.length === 1 && tier !== Tier.inside) return true
  const passing = names.expression
  const held = needles.map((needle): NameExpression => ({ kind: 'name', test: { mode: 'substring', needle } }))
  const among = whole && !holdsAlways(passing, needles) ? joined([...held, passing]) : passing
  const expression = tierExpression(among, needles, tier)
  const all = expression === passing ? names.verdicts : table.matcher.verdicts(expression, table.work)
  if (all.candidateCount > mostBlocks) return false
  yield* shortestFirst(table, { expression, all }, true, { terms, tier, whole, shortest })
  return true
}

/** True if a name that passes holds all the needles. */
export function holdsAlways(passing: NameExpression, needles: readonly Uint8Array[]): boolean {
  const parts = passing.kind === 'and' ? passing.parts : [passing]
  return needles.every(needle => parts.some(part => part.kind === 'name' && isSubstring(part.test, needle)))
}

/** True if the key need only hold the needle. */
export function isPlain(test: NameTest): boolean {
  return test.mode === 'substring' && test.spelling === undefined && !test.words
}

/** True if the key must hold the needle. */
export function isSubstring(test: NameTest, needle: Uint8Array): boolean {
  return test.mode === 'substring' && compareBytes(test.needle, needle) === 0
}

/** The names of a stage in groups. @param byLength where there are many, the short ones first: within a stage nothing comes before the length */
function* shortestFirst(
  table: RankedTable,
  { expression, all }: NameStage,
  byLength: boolean,
  asked: Asked,
): Generator<NameGroup> {
  const verdictsOf = (min: number, max: number): NameVerdicts =>
    table.matcher.verdicts(joined([expression, { kind: 'length', min, max }]), table.work)
  const { shortest: least = 0 } = asked
  let shortest = least
  if (byLength && all.candidateCount > FEW_BLOCKS) {
    // Of many names the shortest first, some at a time.
    const lengths = sampledLengths(table.dictionary, all)
    const namesInAll = (lengths.length * all.candidateCount) / SAMPLE_BLOCKS
    for (let wanted = RANKED_NAMES; wanted < namesInAll / 2; wanted *= 16) {
      const longest = lengths[Math.floor((wanted / namesInAll) * lengths.length)]
      if (longest < shortest) continue
      yield* groupsOf(table, verdictsOf(shortest, longest), asked)
      shortest = longest + 1
    }
  }
  yield* groupsOf(table, shortest === least ? all : verdictsOf(shortest, MAX_CHARACTERS), asked)
}

/** Names among which are all of a tier. */
function tierExpression(passing: NameExpression, needles: readonly Uint8Array[], tier: Tier): NameExpression {
  if (tier === Tier.inside) return passing
  const found = needles.map((needle): NameExpression => {
    if (tier === Tier.boundary) return { kind: 'wordStart', needle }
    const prefix = (text: Uint8Array): NameExpression => ({ kind: 'name', test: { mode: 'prefix', needle: text } })
    if (tier === Tier.prefix) return prefix(needle)
    const whole: NameExpression = { kind: 'name', test: { mode: 'exact', needle } }
    return { kind: 'or', parts: [whole, prefix(Uint8Array.from([...needle, 0x2e]))] }
  })
  const any: NameExpression = found.length === 1 ? found[0] : { kind: 'or', parts: found }
  const isImplied = passing.kind === 'name' && isPlain(passing.test)
  return isImplied && needles.length === 1 ? any : joined([any, passing])
}

function joined(parts: readonly NameExpression[]): NameExpression {
  return { kind: 'and', parts: parts.flatMap(part => (part.kind === 'and' ? part.parts : [part])) }
}

/** Characters of the names that pass in some candidate blocks, ascending. */
function sampledLengths(dictionary: DictionaryReader, verdicts: NameVerdicts): number[] {
  const lengths: number[] = []
  for (const block of verdicts.sampled(SAMPLE_BLOCKS)) {
    const last = Math.min(dictionary.nameCount, (block + 1) * BLOCK_NAMES) - 1
    dictionary.forEachName(block * BLOCK_NAMES, (cursor, id) => {
      if (verdicts.has(id)) lengths.push(nameCharacters(cursor.name.subarray(0, cursor.nameLength)))
      return id < last
    })
  }
  return lengths.sort((a, b) => a - b)
}

interface RankedName {
  readonly id: number
  /** Nearness, tier and length in one number. */
  readonly rank: number
}

/** The names that pass and are what is asked for, in groups. */
function* groupsOf(table: RankedTable, verdicts: NameVerdicts, asked: Asked): Generator<NameGroup> {
  const ranked: RankedName[] = []
  const { dictionary } = table
  const { terms, tier, shortest = 0, whole, nearness, before, sole } = asked
  verdicts.all()
  // Of several terms a name may be farther from another than from the one that it passes for: it comes in a later stage.
  const only = sole ? nearness : undefined
  // Block by block: going to each name by itself would decode most blocks several times.
  for (let first = verdicts.next(0); first >= 0; ) {
    table.work.checkCancelled()
    const last = Math.min(dictionary.nameCount - 1, first | (BLOCK_NAMES - 1))
    dictionary.forEachName(first, (cursor, id) => {
      if (verdicts.has(id) && !before?.has(id)) {
        const name = cursor.name.subarray(0, cursor.nameLength)
        const key = cursor.key.subarray(cursor.keyStart, cursor.keyStart + cursor.keyLength)
        const characters = nameCharacters(name)
        if (characters < shortest) return id < last
        const own = tierOf(terms.needles, name, key)
        if (tier !== undefined && own !== tier) return id < last
        const near = only ?? nearnessIn(terms.tolerant, name, key)
        if (nearness !== undefined && near !== nearness) return id < last
        const holds = sole || holdsAllTerms(terms, name, key)
        if (whole === undefined || holds === whole) ranked.push({ id, rank: rankOfParts(near, holds, own, characters) })
      }
      return id < last
    })
    first = verdicts.next(last + 1)
  }
  ranked.sort((a, b) => a.rank - b.rank || a.id - b.id)
  for (let from = 0; from < ranked.length; ) {
    let to = from + 1
    while (to < ranked.length && ranked[to].rank === ranked[from].rank) to++
    yield ranked.slice(from, to).map(({ id }) => id)
    from = to
  }
}

/** What names are ordered by before anything about their rows: nearness, whether all terms are held, tier, characters. Ascending. */
export function rankOf(terms: RelevanceTerms, name: Uint8Array, key: Uint8Array): number {
  const near = nearnessIn(terms.tolerant, name, key)
  return rankOfParts(near, holdsAllTerms(terms, name, key), tierOf(terms.needles, name, key), nameCharacters(name))
}

/** All that makes a rank, as one number. */
export function rankOfParts(nearness: number, holdsAll: boolean, tier: Tier, characters: number): number {
  return ((nearness * 2 + (holdsAll ? 0 : 1)) * 4 + tier) * (MAX_CHARACTERS + 1) + characters
}
