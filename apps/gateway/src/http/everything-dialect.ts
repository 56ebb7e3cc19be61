import {
  FILETIME_EPOCH_SECONDS,
  type Instant,
  InvalidInputError,
  KIND_MASK,
  Kind,
  TICKS_PER_SECOND,
} from '@hotpath/model'
import type { SearchAnswer, SearchRequest, SearchRow, SortKey } from '../search-backend.js'

/**
 * The JSON dialect of Everything's HTTP server, so that programs written for that find files here: `GET /?search=…&json=1`.
 * Layout of the answer, names, aliases and defaults as its documentation and `http_server.c` of its server have them (docs/http-api.md,
 * Everything's dialect). Pure.
 */

/** Names of a parameter, the first as the documentation of Everything has it. */
export const EVERYTHING_PARAMETERS = {
  search: ['search', 's', 'q'],
  offset: ['offset', 'o'],
  count: ['count', 'c', 'n'],
  json: ['json', 'j'],
  case: ['case', 'i'],
  wholeword: ['wholeword', 'whole_word', 'w'],
  path: ['path', 'p'],
  regex: ['regex', 'r'],
  diacritics: ['diacritics', 'm'],
  prefix: ['prefix'],
  suffix: ['suffix'],
  ignorePunctuation: ['ignore_punctuation'],
  ignoreWhitespace: ['ignore_whitespace'],
  pathColumn: ['path_column'],
  sizeColumn: ['size_column'],
  dateModifiedColumn: ['date_modified_column'],
  dateCreatedColumn: ['date_created_column'],
  sort: ['sort'],
  ascending: ['ascending'],
} as const
type Name = keyof typeof EVERYTHING_PARAMETERS

/** What its sorts are called here; an unknown name sorts by name, as there. */
export const EVERYTHING_SORTS: Readonly<Record<string, SortKey>> = {
  name: 'name',
  path: 'path',
  size: 'size',
  date_modified: 'modified',
  date_created: 'created',
}

/**
 * Switches that are refused, and what comes nearest to them here. What a word is there, and what counts as punctuation, is not documented:
 * other hits than those would be worse than none.
 */
const INSTEAD = {
  prefix: 'startwith: asks for starts of names',
  suffix: 'endwith: asks for ends of names',
  ignorePunctuation: 'wildcards (a?b) or regex: stand for what is to be ignored',
  ignoreWhitespace: 'wildcards (a?b) or regex: stand for what is to be ignored',
} as const

/** Its default of `count`: all. */
export const ALL_RESULTS = 0xffff_ffff

export interface EverythingColumns {
  readonly path: boolean
  readonly size: boolean
  readonly dateModified: boolean
  readonly dateCreated: boolean
}

export interface EverythingRequest {
  readonly search: Omit<SearchRequest, 'offset' | 'limit'>
  readonly offset: number
  readonly count: number
  readonly columns: EverythingColumns
}

/** Whether a request for `/` with these parameters wants JSON in this dialect. */
export function isEverythingRequest(query: string): boolean {
  return isSet(lastValues(query), 'json')
}

/**
 * What such a request asks for. Unknown parameters are ignored, as there.
 * @throws InvalidInputError for a switch that this program cannot honour
 */
export function parseEverythingRequest(query: string): EverythingRequest {
  const values = lastValues(query)
  for (const [name, instead] of Object.entries(INSTEAD) as [keyof typeof INSTEAD, string][]) {
    if (!isSet(values, name)) continue
    throw new InvalidInputError(EVERYTHING_PARAMETERS[name][0], `0, or nothing: ${instead} in the search text`, '1')
  }
  const sort = givenValue(values, 'sort')?.toLowerCase() ?? ''
  return {
    search: {
      query: searchText(values),
      sort: (Object.hasOwn(EVERYTHING_SORTS, sort) ? EVERYTHING_SORTS[sort] : undefined) ?? 'name',
      descending: values.has('ascending') && !isSet(values, 'ascending'),
      match: 'name',
      caseMode: 'ignore',
      under: undefined,
      minClock: undefined,
      explain: false,
      countOnly: false,
      fuzzy: false,
    },
    offset: wholeNumber(givenValue(values, 'offset'), 0),
    count: wholeNumber(givenValue(values, 'count'), ALL_RESULTS),
    columns: {
      path: isSet(values, 'pathColumn'),
      size: isSet(values, 'sizeColumn'),
      dateModified: isSet(values, 'dateModifiedColumn'),
      dateCreated: isSet(values, 'dateCreatedColumn'),
    },
  }
}

/** The switches say of the whole search what modifiers say of a word. */
function searchText(values: ReadonlyMap<string, string>): string {
  const text = givenValue(values, 'search') ?? ''
  if (text.trim() === '') return ''
  const modifiers = [
    isSet(values, 'case') ? 'case:' : '',
    isSet(values, 'wholeword') ? 'ww:' : '',
    isSet(values, 'path') ? 'path:' : '',
    isSet(values, 'diacritics') ? 'diacritics:' : '',
  ].join('')
  // All of it is one expression: spaces and bars in it are no operators.
  if (isSet(values, 'regex')) return `${modifiers}regex:"${text.replaceAll('"', '""')}"`
  return modifiers === '' ? text : `${modifiers}<${text}>`
}

export const EVERYTHING_HEAD = (totalResults: number): string =>
  `{\r\n\t"totalResults":${totalResults},\r\n\t"results":[`
export const EVERYTHING_END = '\r\n\t]\r\n}\r\n'

/** The rows of a page. @param isFirst nothing stands before them */
export function everythingRows({ rows }: SearchAnswer, columns: EverythingColumns, isFirst: boolean): string {
  const texts = rows.map(row => {
    const fields = fieldsOf(row, columns).map(([name, value]) => `\t\t\t"${name}":${JSON.stringify(value)}`)
    return `\r\n\t\t{\r\n${fields.join(',\r\n')}\r\n\t\t}`
  })
  return texts.length === 0 ? '' : `${isFirst ? '' : ','}${texts.join(',')}`
}

// ignoreBOM: a name may begin with U+FEFF, and dropping it would show another file's name.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function fieldsOf(row: SearchRow, columns: EverythingColumns): [string, string][] {
  const { path, nameSizeBytes, sizeBytes } = row
  const nameStart = path.length - nameSizeBytes
  const isFolder = (row.kind & KIND_MASK) === Kind.directory
  const fields: [string, string][] = [
    ['type', isFolder ? 'folder' : 'file'],
    ['name', decoder.decode(path.subarray(nameStart))],
  ]
  const directory = path.subarray(0, nameStart === 0 ? 0 : Math.max(1, nameStart - 1))
  if (columns.path) fields.push(['path', decoder.decode(directory)])
  if (columns.size) fields.push(['size', isFolder || Number.isNaN(sizeBytes) ? '' : String(sizeBytes)])
  if (columns.dateModified) fields.push(['date_modified', fileTime(row.modified)])
  if (columns.dateCreated) fields.push(['date_created', fileTime(row.created)])
  return fields
}

/** FILETIME: units of 100 ns since 1601, as a text; empty where it is unknown or before that. */
function fileTime(instant: Instant | undefined): string {
  if (instant === undefined) return ''
  const seconds = BigInt(Math.trunc(instant.seconds) + FILETIME_EPOCH_SECONDS)
  const ticks = seconds * BigInt(TICKS_PER_SECOND) + BigInt(instant.ticks)
  return ticks < 0n ? '' : String(ticks)
}

/** Values of a query string in any case of their names; the last of several counts, as there. */
function lastValues(query: string): ReadonlyMap<string, string> {
  return new Map([...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value]))
}

function givenValue(values: ReadonlyMap<string, string>, name: Name): string | undefined {
  for (const alias of EVERYTHING_PARAMETERS[name]) {
    const value = values.get(alias)
    if (value !== undefined) return value
  }
  return undefined
}

/** As C reads a number: digits at the beginning, 0 without any. */
function isSet(values: ReadonlyMap<string, string>, name: Name): boolean {
  return Number.parseInt(givenValue(values, name) ?? '0', 10) > 0
}

function wholeNumber(text: string | undefined, fallback: number): number {
  const value = Number.parseInt(text ?? '', 10)
  return Number.isNaN(value) || value < 0 ? fallback : Math.min(value, ALL_RESULTS)
}
