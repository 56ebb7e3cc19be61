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
  const needed =
    kind === 'and' ? kept.filter((part, i) => !kept.some((other, j) => i !== j && implies(other, part))) : kept
  if (needed.length === 0) return { kind: neutral }
  return needed.length === 1 ? needed[0]! : { kind, parts: needed }
}

/**
 * True if it is plain that whatever passes `a` passes `b`: a name that passes a test is a component of its path that does.
 * So of the two that `match: 'auto'` makes of a single term only the name is left, which is much cheaper to find.
 */
function implies(a: Predicate, b: Predicate): boolean {
  if (a.kind === 'or') return a.parts.every(part => implies(part, b))
  if (b.kind === 'or') return b.parts.some(part => implies(a, part))
  if (a.kind !== 'name' || b.kind !== 'path' || b.tests.length !== 1) return false
  return b.start === 'anywhere' && b.end === 'anywhere' && b.tests[0] === a.test
}
