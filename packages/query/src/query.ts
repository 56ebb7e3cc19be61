import { compile } from './compiler.js'
import { normalForm } from './normal-form.js'
import { parseSyntax } from './parser.js'
import type { Predicate } from './predicate.js'
import { type QueryError, QueryFailure, type SyntaxNode } from './syntax.js'

export interface ParseOptions {
  /** Milliseconds since 1970: what `today` and `last3days` count from. */
  readonly now: number
  /**
   * `match`: as if `case:` stood before everything. `smart`: as if it stood before every text with a capital letter in it.
   * Default `ignore`.
   */
  readonly caseMode?: 'ignore' | 'smart' | 'match'
  /** As if `diacritics:` stood before everything. Default false. */
  readonly diacritics?: boolean
  /**
   * What a term without a separator is matched with. `name` (default): the name. `path`: as if `path:` stood before
   * everything. `auto`: any component of the path, and the name must match at least one of the terms that are not negated.
   */
  readonly match?: 'name' | 'path' | 'auto'
  /** As if `fuzzy:` stood before everything. Default false. */
  readonly fuzzy?: boolean
  /**
   * Also says what the query asks of rows of followed databases (`Query.rows`). Default false.
   */
  readonly rows?: boolean
}

export interface Query {
  readonly kind: 'query'
  readonly text: string
  readonly syntax: SyntaxNode
  readonly predicate: Predicate
  /** Most hits that are wanted (`count:`): totals are no larger, whatever matches. Undefined: all. */
  readonly maxCount: number | undefined
  /** What also finds entries that a mistake keeps from matching: at least all that `predicate` matches. */
  readonly tolerant?: Predicate
  /**
   * What is asked of rows of followed databases: a row is to it what an entry with the path [database, table, text] is, and only `all`,
   * `none`, `and`, `or`, `not`, `name` and `path` occur. What rows do not have (sizes, times, kinds) none of them matches.
   */
  readonly rows?: Predicate
}

/** What the tolerant terms of a query find beside what it matches; undefined if it has none. */
export function onlyTolerant({ predicate, tolerant }: Query): Predicate | undefined {
  if (tolerant === undefined) return undefined
  return normalForm({ kind: 'and', parts: [tolerant, { kind: 'not', part: predicate }] })
}

/**
 * Parses a query (docs/query.md is the language). Never throws: what is wrong with a text is a value. Dates are local
 * times of the process. Cost: some ten microseconds for what people type; bounded by the limits of the language.
 */
export function parseQuery(text: string, options: ParseOptions): Query | QueryError {
  try {
    const syntax = parseSyntax(text)
    const { now, caseMode = 'ignore', diacritics = false, match = 'name', fuzzy = false, rows = false } = options
    const compiled = compile(syntax, { now, caseMode, diacritics, match, fuzzy, subject: 'entry' })
    if (!rows) return { kind: 'query', text, syntax, ...compiled }
    const ofRows = compile(syntax, { now, caseMode, diacritics, match: 'name', fuzzy: false, subject: 'row' })
    return { kind: 'query', text, syntax, ...compiled, rows: ofRows.predicate }
  } catch (error) {
    if (error instanceof QueryFailure) return error.error
    throw error
  }
}
