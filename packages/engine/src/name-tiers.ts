import { BLOCK_NAMES } from '@hotpath/index-format'
import { type RelevanceTerms, Tier, tierOf } from '@hotpath/query'
import { prefixRange } from './candidate-blocks.js'
import type { NameExpression } from './name-expression.js'
import type { TableRows } from './table-rows.js'

/** How far names that do not hold all terms are behind those that do. */
export const NOT_ALL = Object.values(Tier).length

/**
 * Whether the names of a table hold all terms, and their tiers, as one number for each name: verified all together, where nothing
 * but names that start with a term is decoded. No term is tolerant. Memory: a byte a name.
 * @param holdsAll all hits hold all terms: others are not asked about
 */
export function nameTiers(table: TableRows, { needles }: RelevanceTerms, holdsAll: boolean): Uint8Array {
  const { dictionary, matcher, work } = table
  const { nameCount } = dictionary
  const tiers = new Uint8Array(nameCount).fill(Tier.inside)
  const atBoundary = needles.map((needle): NameExpression => ({ kind: 'wordStart', needle }))
  matcher.verdicts(joined('or', atBoundary), work).forEach(id => {
    tiers[id] = Tier.boundary
  })
  for (const needle of needles) {
    const { from, to } = prefixRange(dictionary, needle)
    if (from >= to) continue
    dictionary.forEachName(from, ({ name, nameLength, key, keyStart, keyLength }, id) => {
      if (id % BLOCK_NAMES === 0) work.checkCancelled()
      tiers[id] = tierOf(needles, name.subarray(0, nameLength), key.subarray(keyStart, keyStart + keyLength))
      return id + 1 < to
    })
  }
  if (holdsAll) return tiers
  const held = needles.map((needle): NameExpression => ({ kind: 'name', test: { mode: 'substring', needle } }))
  const holding = matcher.verdicts(joined('and', held), work).all()
  for (let id = 0; id < nameCount; id++) if (!holding.has(id)) tiers[id] += NOT_ALL
  return tiers
}

function joined(kind: 'and' | 'or', parts: readonly NameExpression[]): NameExpression {
  return parts.length === 1 ? parts[0] : { kind, parts }
}
