import type { Table } from '@hotpath/index-format'
import type { ExtensionPredicate, LengthPredicate, NamePredicate, Predicate, VolumePredicate } from '@hotpath/query'

/** The key has the needle where a word starts (words.ts of index-format). No query asks for it: it ranks. */
export interface WordStartTest {
  readonly kind: 'wordStart'
  readonly needle: Uint8Array
}

/** A boolean expression over names alone: it can be decided in the dictionary. */
export type NameExpression =
  | NamePredicate
  | ExtensionPredicate
  | LengthPredicate
  | WordStartTest
  | { readonly kind: 'and' | 'or'; readonly parts: readonly NameExpression[] }
  | { readonly kind: 'not'; readonly part: NamePredicate | ExtensionPredicate | LengthPredicate }

export function isNameExpression(predicate: Predicate): predicate is Predicate & NameExpression {
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

/** Whether a view's volume is what a predicate asks for. */
export function isOfVolume(volume: string, { prefix }: VolumePredicate): boolean {
  return volume
    .slice(0, prefix.length)
    .replace(/[A-Z]/g, letter => letter.toLowerCase())
    .startsWith(prefix)
}

/**
 * The predicate as it reads for directories (table `d`) or for everything else (`f`) of a volume: what these decide is
 * folded away, so that often nothing or a name expression remains.
 */
export function specialise(predicate: Predicate, table: Table, volume: string): Predicate {
  switch (predicate.kind) {
    case 'type':
      return predicate.directory === (table === 'd') ? { kind: 'all' } : { kind: 'none' }
    case 'extension':
    case 'kind':
      return table === 'd' ? { kind: 'none' } : predicate
    case 'child':
    case 'childCount':
      return table === 'f' ? { kind: 'none' } : predicate
    case 'duplicate':
      return table === 'd' && predicate.of === 'size' ? { kind: 'none' } : predicate
    case 'volume':
      return { kind: isOfVolume(volume, predicate) ? 'all' : 'none' }
    case 'size':
      return table === 'f' ? predicate : predicate.min <= 0 && predicate.max >= 0 ? { kind: 'all' } : { kind: 'none' }
    case 'unknown':
      return table === 'd' && predicate.column === 'size' ? { kind: 'none' } : predicate
    case 'not': {
      const part = specialise(predicate.part, table, volume)
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
        const special = specialise(part, table, volume)
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
