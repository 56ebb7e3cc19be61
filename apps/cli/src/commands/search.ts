import { resolve, sep } from 'node:path'
import { type CaseMode, QueryError, type SearchParams, type SearchResult } from '@hotpath/client'
import { escapeForTerminal } from '@hotpath/service'
import { type ClientFlags, type CommandContext, CommandError, CommandExit, note, withClient } from '../context.js'
import type { IndexClient } from '../index-client.js'
import { ByteWriter } from '../output/byte-writer.js'
import { colouredFormat } from '../output/coloured-format.js'
import { hitsOf } from '../output/hit.js'
import {
  escaped,
  type HitFormat,
  jsonFormat,
  lineFormat,
  listFormat,
  ndjsonFormat,
  nulFormat,
} from '../output/hit-format.js'
import { rankLine } from '../output/rank-text.js'
import { templateFormat } from '../output/template-format.js'
import { parseSort } from './sort-names.js'

export interface SearchFlags extends ClientFlags {
  readonly limit?: number
  readonly offset: number
  readonly sort?: string
  readonly json?: boolean
  readonly ndjson?: boolean
  readonly print0?: boolean
  readonly csv?: boolean
  readonly efu?: boolean
  /** A template. */
  readonly format?: string
  readonly color: 'auto' | 'always' | 'never'
  readonly count?: boolean
  readonly fuzzy?: boolean
  /** False with `--no-cache`. */
  readonly cache?: boolean
  readonly explain?: boolean
  readonly under?: string
  readonly case?: CaseMode
  readonly waitClock?: boolean
  /** Rows of followed databases that are printed at most. */
  readonly rows?: number
}

/**
 * Hits asked for at once: with 100 bytes a path, a page is 10 MB. Fewer would make a walk through millions of hits
 * slow, because the store orders the hits anew for each page.
 */
const PAGE_ROWS = 100_000
/** Rows of followed databases that a person is shown who did not ask for them. */
const SHOWN_ROWS = 5

/** `hotpath search QUERY`: prints what the query finds. Returns 0 if there is anything, 1 if there is not. */
export async function search(
  query: string,
  flags: SearchFlags,
  context: CommandContext,
  ownFormat?: HitFormat,
): Promise<number> {
  const format = ownFormat ?? (await chooseFormat(query, flags, context))
  if (flags.rows !== undefined && (flags.count || !format.rows)) {
    throw new CommandError('--rows goes with lines, --json and --ndjson')
  }
  return withClient(context, flags, async client => {
    const minClock = flags.waitClock ? (await client.clock()).clock : undefined
    const params: SearchParams = {
      query,
      ...(flags.sort === undefined ? {} : parseSort(flags.sort)),
      offset: flags.offset,
      countOnly: flags.count ?? false,
      fuzzy: flags.fuzzy ?? false,
      explain: flags.explain ?? false,
      noCache: flags.cache === false,
      ...(flags.case === undefined ? {} : { caseMode: flags.case }),
      ...(flags.under === undefined ? {} : { under: indexPath(context.workingDirectory, flags.under) }),
      ...(minClock === undefined ? {} : { minClock }),
    }
    const { result, rows } = flags.count
      ? { result: await printCount(client, params, context), rows: 0 }
      : await printHits(client, params, flags, format, context)
    if (result.partial) note(context, 'a part of the index is missing; see `hotpath status`')
    return result.total + rows > 0 ? CommandExit.found : CommandExit.nothingFound
  })
}

async function chooseFormat(query: string, flags: SearchFlags, context: CommandContext): Promise<HitFormat> {
  const { json, ndjson, print0, csv, efu, format: template, color } = flags
  // A template may end each hit with a NUL.
  if ([json, ndjson, print0 && template === undefined, csv, efu, template !== undefined].filter(Boolean).length > 1) {
    throw new CommandError('only one of --json, --ndjson, -0, --csv, --efu and --format can be given')
  }
  if (json) return jsonFormat()
  if (ndjson) return ndjsonFormat()
  // Colours are for people, wherever they read: what they read is escaped.
  const isColoured = color === 'always' || (color === 'auto' && context.wantsColours)
  const isEscaped = (context.isTerminal || isColoured) && !print0
  if (template !== undefined) return templateFormat(template, { end: print0 ? '\0' : '\n', isEscaped })
  if (print0) return nulFormat()
  if (csv || efu) return context.isTerminal ? escaped(listFormat(csv ? 'csv' : 'efu')) : listFormat(csv ? 'csv' : 'efu')
  if (isColoured) {
    const { nameMarker } = await import('../output/name-marker.js')
    const { case: caseMode, fuzzy } = flags
    return colouredFormat(nameMarker(query, { ...(caseMode && { caseMode }), ...(fuzzy && { fuzzy }) }))
  }
  return isEscaped ? escaped(lineFormat()) : lineFormat()
}

async function printCount(client: IndexClient, params: SearchParams, context: CommandContext): Promise<SearchResult> {
  const result = await ask(client, params)
  const out = new ByteWriter(context.out)
  await out.write(`${result.total}\n`)
  await out.flush()
  explain(result, context)
  return result
}

async function printHits(
  client: IndexClient,
  params: SearchParams,
  flags: SearchFlags,
  format: HitFormat,
  context: CommandContext,
): Promise<{ result: SearchResult; rows: number }> {
  const out = new ByteWriter(context.out)
  let left = flags.limit ?? Number.POSITIVE_INFINITY
  let offset = flags.offset
  let first: SearchResult | undefined
  do {
    const asked = Math.min(left, PAGE_ROWS)
    const page = await ask(client, { ...params, offset, limit: asked })
    if (first === undefined) {
      first = page
      await out.write(format.begin(page))
      if (!flags.json) explain(page, context)
    }
    let at = offset
    for (const hit of hitsOf(page.rows, page.exactRows)) {
      await out.write(format.hit(hit))
      if (!flags.json && !flags.ndjson) context.err.write(rankLine(hit, at++))
    }
    offset += page.rows.count
    left -= page.rows.count
    if (page.rows.count === 0) break
    // Where the exact hits end with the page nobody has looked for fuzzy ones yet.
    const isOpen = page.fuzzyTotal === undefined && params.fuzzy === true
    if (offset >= page.total + (page.fuzzyTotal ?? 0) && !isOpen) break
  } while (left > 0 && !out.closed)
  const limit = flags.rows ?? (context.isTerminal && isForPeople(flags) ? SHOWN_ROWS : 0)
  let rows = 0
  if (limit > 0 && format.rows && !out.closed) {
    const { query, caseMode } = params
    const found = await client.searchRows({ query, limit, ...(caseMode && { caseMode }) })
    rows = found.total
    await out.write(format.rows(found))
    const more = found.total - found.rows.length
    if (more > 0 && isForPeople(flags)) note(context, `${more} more rows of databases match`)
  }
  await out.write(format.end())
  await out.flush()
  return { result: first, rows }
}

function isForPeople({ json, ndjson }: SearchFlags): boolean {
  return !json && !ndjson
}

/** An absolute path as the index has it: with slashes, on Windows too. */
function indexPath(base: string, path: string): string {
  return resolve(base, path).replaceAll(sep, '/')
}

/** How the query ran is for people: it goes to standard error, but for `--json`, whose object holds it. Why hits stand where they stand does, too. */
function explain({ explanation }: SearchResult, context: CommandContext): void {
  if (explanation === undefined) return
  const text = JSON.stringify(explanation, undefined, 2)
  context.err.write(`${text.split('\n').map(escapeForTerminal).join('\n')}\n`)
}

async function ask(client: IndexClient, params: SearchParams): Promise<SearchResult> {
  try {
    return await client.search(params)
  } catch (error) {
    if (error instanceof QueryError) throw new CommandError(describeQueryError(error, Buffer.from(params.query)))
    throw error
  }
}

/** The message, and below it the query with a mark where it went wrong. */
export function describeQueryError({ message, expected, position }: QueryError, query: Buffer): string {
  const isSaid = message.includes(expected)
  const text = escapeForTerminal(isSaid ? message : `${message}; expected ${expected}`)
  if (position === undefined) return text
  const before = escapeForTerminal(query.toString('utf8', 0, position))
  const after = escapeForTerminal(query.toString('utf8', position))
  return `${text}\n  ${before}${after}\n  ${' '.repeat([...before].length)}^`
}
