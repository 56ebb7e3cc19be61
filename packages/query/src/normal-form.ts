import type { Predicate } from './predicate.js'

/** Any combination of predicates, before it is brought into normal form. */
export type Combination =
  | Predicate
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Combination[] }
  | { readonly kind: 'not'; readonly part: Combination }

/** The equal predicate in normal form (see `Predicate`). */
export function normalForm(combination: Combination, negated = false): Predicate {
  switch (combination.kind) {
    case 'all':
    case 'none':
      return { kind: (combination.kind === 'all') === negated ? 'none' : 'all' }
    case 'not':
      return normalForm(combination.part, !negated)
    case 'and':
    case 'or':
      return joined(
        (combination.kind === 'and') === negated ? 'or' : 'and',
        combination.parts.map(part => normalForm(part, negated)),
      )
    case 'type':
      return negated ? { kind: 'type', directory: !combination.directory } : combination
    default:
      return negated ? { kind: 'not', part: combination } : combination
  }
}

function joined(kind: 'and' | 'or', parts: readonly Predicate[]): Predicate {
  const neutral = kind === 'and' ? 'all' : 'none'
  const absorbing = kind === 'and' ? 'none' : 'all'
  const kept: Predicate[] = []
  for (const part of parts) {
    if (part.kind === absorbing) return { kind: absorbing }
    if (part.kind === neutral) continue
    if (part.kind === kind) kept.push(...part.parts)
    else kept.push(part)
  }
  if (kept.length === 0) return { kind: neutral }
  return kept.length === 1 ? kept[0]! : { kind, parts: kept }
}
