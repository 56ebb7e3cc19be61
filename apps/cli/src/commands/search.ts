import { resolve } from 'node:path'
import { type SearchError, type SearchReply, type SearchRequest, type Sort, searchRequest } from '@hotpath/protocol'
import { escapeForTerminal } from '@hotpath/service'
import { type CommandContext, CommandError, CommandExit, note, withClient } from '../context.js'
import type { IndexClient } from '../index-client.js'
import { ByteWriter } from '../output/byte-writer.js'
import { efuFormat } from '../output/efu-format.js'
import { hitsOf } from '../output/hit.js'
import { csvFormat, type HitFormat, jsonFormat, lineFormat, ndjsonFormat, nulFormat } from '../output/hit-format.js'

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
  readonly explain?: boolean
  readonly under?: string
  readonly waitClock?: boolean
}

/** Names of sorts, as people write them, and what they are called on the wire. */
export const SORTS: Readonly<Record<string, Sort>> = {
  name: 'name',
  path: 'path',
  size: 'size',
  modified: 'modified',
  created: 'created',
  ext: 'extension',
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
export async function search(query: string, flags: SearchFlags, context: CommandContext): Promise<number> {
  const format = chooseFormat(flags, context.isTerminal)
  return withClient(context, flags.data, async client => {
    const minClock = flags.waitClock ? (await client.clock()).clock : ''
    const request = searchRequest(query, {
      ...(flags.sort === undefined ? {} : parseSort(flags.sort)),
      offset: flags.offset,
      countOnly: flags.count ?? false,
      explain: flags.explain ?? false,
      under:
        flags.under === undefined ? new Uint8Array(0) : Buffer.from(resolve(context.workingDirectory, flags.under)),
      minClock,
    })
    const reply = flags.count
      ? await printCount(client, request, context)
      : await printHits(client, request, flags, format, context)
    if (reply.partial) note(context, 'a part of the index is missing; see `hotpath status`')
    return reply.total > 0 ? CommandExit.found : CommandExit.nothingFound
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
  if (csv) return csvFormat()
  return efu ? efuFormat() : lineFormat(isTerminal)
}

async function printCount(client: IndexClient, request: SearchRequest, context: CommandContext): Promise<SearchReply> {
  const reply = await ask(client, request)
  const out = new ByteWriter(context.out)
  await out.write(`${reply.total}\n`)
  await out.flush()
  explain(reply, context)
  return reply
}

async function printHits(
  client: IndexClient,
  request: SearchRequest,
  flags: SearchFlags,
  format: HitFormat,
  context: CommandContext,
): Promise<SearchReply> {
  const out = new ByteWriter(context.out)
  let left = flags.limit ?? Number.POSITIVE_INFINITY
  let offset = request.offset
  let first: SearchReply | undefined
  do {
    const page = await ask(client, {
      ...request,
      offset,
      limit: Math.min(left, PAGE_ROWS),
      explain: request.explain && first === undefined,
    })
    if (first === undefined) {
      first = page
      await out.write(format.begin(page))
      if (!flags.json) explain(page, context)
    }
    for (const hit of hitsOf(page.rows)) await out.write(format.hit(hit))
    offset += page.rows.count
    left -= page.rows.count
    if (page.rows.count === 0 || offset >= page.total) break
  } while (left > 0 && !out.closed)
  await out.write(format.end())
  await out.flush()
  return first
}

/** How the query ran is for people: it goes to standard error, but for `--json`, whose object holds it. */
function explain(reply: SearchReply, context: CommandContext): void {
  if (reply.explain === '') return
  const text = JSON.stringify(JSON.parse(reply.explain), undefined, 2)
  context.err.write(`${text.split('\n').map(escapeForTerminal).join('\n')}\n`)
}

async function ask(client: IndexClient, request: SearchRequest): Promise<SearchReply> {
  const reply = await client.search(request)
  if (reply.error !== undefined) throw new CommandError(describeQueryError(reply.error, request.text))
  return reply
}

/** The message, and below it the query with a mark where it went wrong. */
export function describeQueryError(error: SearchError, query: Uint8Array): string {
  const expected = error.expected === '' ? '' : `; expected ${error.expected}`
  const message = escapeForTerminal(`${error.message}${expected}`)
  if (Number.isNaN(error.position)) return message
  const text = Buffer.from(query)
  const before = escapeForTerminal(text.toString('utf8', 0, error.position))
  const after = escapeForTerminal(text.toString('utf8', error.position))
  return `${message}\n  ${before}${after}\n  ${' '.repeat([...before].length)}^`
}
