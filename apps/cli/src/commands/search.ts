import { resolve, sep } from 'node:path'
import { type CaseMode, QueryError, type SearchParams, type SearchResult, type Sort } from '@hotpath/client'
import { escapeForTerminal } from '@hotpath/service'
import { type CommandContext, CommandError, CommandExit, note, withClient } from '../context.js'
import type { IndexClient } from '../index-client.js'
import { ByteWriter } from '../output/byte-writer.js'
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

export interface SearchFlags {
  readonly data?: string
  readonly limit?: number
  readonly offset: number
  readonly sort?: string
  readonly json?: boolean
  readonly ndjson?: boolean
  readonly print0?: boolean
  readonly csv?: boolean
  readonly efu?: boolean
  readonly count?: boolean
  readonly fuzzy?: boolean
  readonly explain?: boolean
  readonly under?: string
  readonly case?: CaseMode
  readonly waitClock?: boolean
}

/** Names of sorts, as people write them, and what they are called on the wire. */
export const SORTS: Readonly<Record<string, Sort>> = {
  name: 'name',
  path: 'path',
  size: 'size',
  modified: 'modified',
  created: 'created',
  accessed: 'accessed',
  ext: 'extension',
  hot: 'hot',
  opened: 'opened',
}
const DESCENDING = '-desc'

/**
 * Hits asked for at once: with 100 bytes a path, a page is 10 MB. Fewer would make a walk through millions of hits
 * slow, because the store orders the hits anew for each page.
 */
const PAGE_ROWS = 100_000

/** Reads `size` or `size-desc`; undefined if it is neither. */
export function parseSort(text: string): { sort: Sort; descending: boolean } | undefined {
  const descending = text.endsWith(DESCENDING)
  const name = descending ? text.slice(0, -DESCENDING.length) : text
  const sort = Object.hasOwn(SORTS, name) ? SORTS[name] : undefined
  return sort === undefined ? undefined : { sort, descending }
}

/** `hotpath search QUERY`: prints what the query finds. Returns 0 if there is anything, 1 if there is not. */
export async function search(
  query: string,
  flags: SearchFlags,
  context: CommandContext,
  format: HitFormat = chooseFormat(flags, context.isTerminal),
): Promise<number> {
  return withClient(context, flags.data, async client => {
    const minClock = flags.waitClock ? (await client.clock()).clock : undefined
    const params: SearchParams = {
      query,
      ...(flags.sort === undefined ? {} : parseSort(flags.sort)),
      offset: flags.offset,
      countOnly: flags.count ?? false,
      fuzzy: flags.fuzzy ?? false,
      explain: flags.explain ?? false,
      ...(flags.case === undefined ? {} : { caseMode: flags.case }),
      ...(flags.under === undefined ? {} : { under: indexPath(context.workingDirectory, flags.under) }),
      ...(minClock === undefined ? {} : { minClock }),
    }
    const result = flags.count
      ? await printCount(client, params, context)
      : await printHits(client, params, flags, format, context)
    if (result.partial) note(context, 'a part of the index is missing; see `hotpath status`')
    return result.total > 0 ? CommandExit.found : CommandExit.nothingFound
  })
}

function chooseFormat(flags: SearchFlags, isTerminal: boolean): HitFormat {
  const { json, ndjson, print0, csv, efu } = flags
  if ([json, ndjson, print0, csv, efu].filter(Boolean).length > 1) {
    throw new CommandError('only one of --json, --ndjson, -0, --csv and --efu can be given')
  }
  if (json) return jsonFormat()
  if (ndjson) return ndjsonFormat()
  if (print0) return nulFormat()
  const format = csv ? listFormat('csv') : efu ? listFormat('efu') : lineFormat()
  return isTerminal ? escaped(format) : format
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
): Promise<SearchResult> {
  const out = new ByteWriter(context.out)
  let left = flags.limit ?? Number.POSITIVE_INFINITY
  let offset = flags.offset
  let first: SearchResult | undefined
  do {
    const asked = Math.min(left, PAGE_ROWS)
    const page = await ask(client, {
      ...params,
      offset,
      limit: asked,
      explain: flags.explain === true && first === undefined,
    })
    if (first === undefined) {
      first = page
      await out.write(format.begin(page))
      if (!flags.json) explain(page, context)
    }
    for (const hit of hitsOf(page.rows, page.exactRows)) await out.write(format.hit(hit))
    offset += page.rows.count
    left -= page.rows.count
    if (page.rows.count === 0) break
    // Where the exact hits end with the page nobody has looked for fuzzy ones yet.
    const isOpen = page.fuzzyTotal === undefined && params.fuzzy === true
    if (offset >= page.total + (page.fuzzyTotal ?? 0) && !isOpen) break
  } while (left > 0 && !out.closed)
  await out.write(format.end())
  await out.flush()
  return first
}

/** An absolute path as the index has it: with slashes, on Windows too. */
function indexPath(base: string, path: string): string {
  return resolve(base, path).replaceAll(sep, '/')
}

/** How the query ran is for people: it goes to standard error, but for `--json`, whose object holds it. */
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
