import type { FoundRows, SearchResult } from '@hotpath/client'
import { ListWriter } from '@hotpath/file-list'
import { instantText, Kind } from '@hotpath/model'
import { escapeBytesForTerminal } from '@hotpath/service'
import { directoryOf, type Hit, lossyBytes, textOf } from './hit.js'
import { rowJson, rowLines, rowMembers } from './row-format.js'
import { safeJson } from './safe-json.js'

/**
 * How hits are printed. `begin` gets the first page (total, clock, freshness), `hit` every row in order, and
 * what they return is written as it is.
 */
export interface HitFormat {
  begin(page: SearchResult): string | Uint8Array
  hit(hit: Hit): string | Uint8Array
  /** Rows of followed databases, after the hits and before the end; missing where there is no place for them. */
  rows?(found: FoundRows): string
  end(): string | Uint8Array
}

const nothing = () => ''

function withEnd(path: Uint8Array, end: number): Uint8Array {
  const line = new Uint8Array(path.length + 1)
  line.set(path)
  line[path.length] = end
  return line
}

/** A path a line, byte-exact. */
export function lineFormat(): HitFormat {
  return { begin: nothing, hit: ({ path }) => withEnd(path, 0x0a), rows: rowLines(false), end: nothing }
}

/** Byte-exact paths with a NUL after each. */
export function nulFormat(): HitFormat {
  return { begin: nothing, hit: ({ path }) => withEnd(path, 0), end: nothing }
}

/** A hit as the HTTP interface writes it, without highlights. */
export function hitObject(hit: Hit) {
  const pathBytes = lossyBytes(hit.path)
  return {
    id: Buffer.from(hit.id).toString('base64url'),
    path: textOf(hit.path),
    ...(pathBytes === undefined ? {} : { pathBytes }),
    name: textOf(hit.path.subarray(hit.nameStart)),
    dir: textOf(directoryOf(hit)),
    type: hit.type,
    size: hit.size ?? null,
    modified: instantText(hit.modified),
    created: instantText(hit.created),
    accessed: instantText(hit.accessed),
    hot: Math.round(hit.hot * 10_000) / 10_000,
    opens: hit.opens,
    opened: instantText(hit.opened),
    fuzzy: hit.fuzzy,
    ...(hit.rank && { rank: hit.rank }),
  }
}

/** One JSON object a line. */
export function ndjsonFormat(): HitFormat {
  return {
    begin: nothing,
    hit: hit => `${safeJson(hitObject(hit))}\n`,
    rows: ({ rows }) => rows.map(row => `${rowJson(row)}\n`).join(''),
    end: nothing,
  }
}

/** One JSON object, as the HTTP interface answers. Written in pieces, so that any number of hits fits. */
export function jsonFormat(): HitFormat {
  let separator = ''
  let members = ''
  return {
    begin({ total, fuzzyTotal = null, clock, fresh, partial, tookMs, explanation: explain }) {
      const head = { total, fuzzyTotal, clock, fresh, partial, tookMs: Math.round(tookMs * 1000) / 1000, explain }
      return `${safeJson(head).slice(0, -1)},"hits":[`
    },
    hit(hit) {
      const text = `${separator}\n${safeJson(hitObject(hit))}`
      separator = ','
      return text
    },
    rows(found) {
      members = `,${rowMembers(found)}`
      return ''
    },
    end: () => `${separator === '' ? '' : '\n'}]${members}}\n`,
  }
}

/** A file list, byte-exact: Everything's EFU, or CSV with dates in ISO 8601. */
export function listFormat(format: 'efu' | 'csv'): HitFormat {
  const writer = new ListWriter({ format })
  return {
    begin: () => writer.take(),
    hit({ path, type, size, modified, created }) {
      // A directory has no size of its own: Everything leaves it empty.
      const known = type === 'directory' ? undefined : size
      const times = { ...(modified === undefined ? {} : { modified }), ...(created === undefined ? {} : { created }) }
      writer.add({ path, kind: Kind[type], size: known ?? Number.NaN, ...times })
      return writer.take()
    },
    end: nothing,
  }
}

/** The same for a terminal: whatever it could obey is escaped, but for the ends of rows. */
export function escaped(format: HitFormat): HitFormat {
  const escapeRow = (data: string | Uint8Array) => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    return bytes.length === 0 ? '' : `${escapeBytesForTerminal(withoutLineEnd(bytes))}\n`
  }
  return {
    begin: page => escapeRow(format.begin(page)),
    hit: hit => escapeRow(format.hit(hit)),
    // Escaped already.
    ...(format.rows && { rows: format.rows }),
    end: () => escapeRow(format.end()),
  }
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--
  return bytes.subarray(0, end)
}
