import type { Table } from '@hotpath/index-format'
import type { ExtensionPredicate, LengthPredicate, NamePredicate, Predicate } from '@hotpath/query'

/** A boolean expression over names alone: it can be decided in the dictionary. */
export type NameExpression =
  | NamePredicate
  | ExtensionPredicate
  | LengthPredicate
  | { readonly kind: 'and' | 'or'; readonly parts: readonly NameExpression[] }
  | { readonly kind: 'not'; readonly part: NamePredicate | ExtensionPredicate | LengthPredicate }

export function isNameExpression(predicate: Predicate): predicate is NameExpression {
  switch (predicate.kind) {
    case 'name':
    case 'extension':
    case 'length':
      return true
    case 'and':
    case 'or':
      return predicate.parts.every(isNameExpression)
    case 'not':
      return isNameExpression(predicate.part)
    default:
      return false
  }
}

/**
 * The predicate as it reads for directories (table `d`) or for everything else (`f`): what the table decides is folded
 * away, so that often nothing or a name expression remains.
 */
export function specialise(predicate: Predicate, table: Table): Predicate {
  switch (predicate.kind) {
    case 'type':
      return predicate.directory === (table === 'd') ? { kind: 'all' } : { kind: 'none' }
    case 'extension':
      return table === 'd' ? { kind: 'none' } : predicate
    case 'size':
      return table === 'f' ? predicate : predicate.min <= 0 && predicate.max >= 0 ? { kind: 'all' } : { kind: 'none' }
    case 'unknown':
      return table === 'd' && predicate.column === 'size' ? { kind: 'none' } : predicate
    case 'not': {
      const part = specialise(predicate.part, table)
      if (part.kind === 'all') return { kind: 'none' }
      if (part.kind === 'none') return { kind: 'all' }
      return predicate
    }
    case 'and':
    case 'or': {
      const neutral = predicate.kind === 'and' ? 'all' : 'none'
      const absorbing = predicate.kind === 'and' ? 'none' : 'all'
      const parts: Predicate[] = []
      for (const part of predicate.parts) {
        const special = specialise(part, table)
        if (special.kind === absorbing) return special
        if (special.kind !== neutral) parts.push(special)
      }
      if (parts.length === 0) return { kind: neutral }
      return parts.length === 1 ? parts[0] : { kind: predicate.kind, parts }
    }
    default:
      return predicate
  }
}
