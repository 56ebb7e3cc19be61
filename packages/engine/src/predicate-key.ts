import type { Predicate } from '@hotpath/query'

/** What stands for a predicate where its hits are kept. */
export interface PredicateKey {
  /** Equal for predicates that ask the same, in the same words. */
  readonly text: string
  /** The hits in a segment depend on where directories are now. */
  readonly asksForPlaces: boolean
}

/**
 * The key of a predicate. Undefined if its hits in a segment depend on more than the segment, what is dead in it and where
 * directories are: on opens, on other segments, or on the delta.
 */
export function predicateKey(predicate: Predicate): PredicateKey | undefined {
  const scope = scopeOf(predicate)
  if (scope === 'index') return undefined
  return { text: plainDataKey(predicate), asksForPlaces: scope === 'places' }
}

/** Plain data as a text that is another one for other data. */
export function plainDataKey(data: unknown): string {
  const parts: string[] = []
  write(data, parts)
  return parts.join('')
}

type Scope = 'segment' | 'places' | 'index'

function scopeOf(predicate: Predicate): Scope {
  switch (predicate.kind) {
    case 'all':
    case 'none':
    case 'name':
    case 'extension':
    case 'size':
    case 'time':
    case 'unknown':
    case 'type':
    case 'kind':
    case 'attributes':
    case 'volume':
    case 'length':
      return 'segment'
    case 'path':
    case 'pathGlob':
    case 'pathRegex':
    case 'under':
    case 'parent':
    case 'depth':
      return 'places'
    case 'not':
      return scopeOf(predicate.part)
    case 'and':
    case 'or': {
      const scopes = predicate.parts.map(scopeOf)
      if (scopes.includes('index')) return 'index'
      return scopes.includes('places') ? 'places' : 'segment'
    }
    case 'runs':
    case 'opened':
    case 'root':
    case 'child':
    case 'childCount':
    case 'duplicate':
      return 'index'
  }
}

function write(value: unknown, parts: string[]): void {
  if (value instanceof Uint8Array) {
    parts.push('b', String(value.length), ':')
    parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'))
  } else if (Array.isArray(value)) {
    parts.push('[')
    for (const item of value) write(item, parts)
    parts.push(']')
  } else if (typeof value === 'object' && value !== null) {
    parts.push('{')
    for (const [name, item] of Object.entries(value)) {
      if (item === undefined) continue
      parts.push(name, ':')
      write(item, parts)
    }
    parts.push('}')
  } else if (typeof value === 'string') parts.push('s', String(value.length), ':', value)
  else parts.push(typeof value, String(value), ';')
}
