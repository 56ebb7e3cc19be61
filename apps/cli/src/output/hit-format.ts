import type { SearchResult } from '@hotpath/client'
import { escapeBytesForTerminal } from '@hotpath/service'
import { directoryOf, type Hit, isoText, lossyBytes, textOf } from './hit.js'

/**
 * How hits are printed. `begin` gets the first page (total, clock, freshness), `hit` every row in order, and
 * what they return is written as it is.
 */
export interface HitFormat {
  begin(page: SearchResult): string
  hit(hit: Hit): string | Uint8Array
  end(): string
}

const nothing = () => ''

function withEnd(path: Uint8Array, end: number): Uint8Array {
  const line = new Uint8Array(path.length + 1)
  line.set(path)
  line[path.length] = end
  return line
}

/** A path a line: byte-exact for a program, escaped for a terminal. */
export function lineFormat(isTerminal: boolean): HitFormat {
  return {
    begin: nothing,
    hit: ({ path }) => (isTerminal ? `${escapeBytesForTerminal(path)}\n` : withEnd(path, 0x0a)),
    end: nothing,
  }
}

/** Byte-exact paths with a NUL after each. */
export function nulFormat(): HitFormat {
  return { begin: nothing, hit: ({ path }) => withEnd(path, 0), end: nothing }
}

/** A hit as the HTTP interface writes it, without highlights. */
function hitObject(hit: Hit) {
  const pathBytes = lossyBytes(hit.path)
  return {
    id: Buffer.from(hit.id).toString('base64url'),
    path: textOf(hit.path),
    ...(pathBytes === undefined ? {} : { pathBytes }),
    name: textOf(hit.path.subarray(hit.nameStart)),
    dir: textOf(directoryOf(hit)),
    type: hit.type,
    size: hit.size ?? null,
    modified: isoText(hit.modified) ?? null,
    created: isoText(hit.created) ?? null,
  }
}

/** JSON without anything that a terminal could obey: C1 controls and bidirectional overrides are escaped as well. */
function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** One JSON object a line. */
export function ndjsonFormat(): HitFormat {
  return { begin: nothing, hit: hit => `${safeJson(hitObject(hit))}\n`, end: nothing }
}

/** One JSON object, as the HTTP interface answers. Written in pieces, so that any number of hits fits. */
export function jsonFormat(): HitFormat {
  let separator = ''
  return {
    begin({ total, clock, fresh, partial, tookMs, explanation: explain }) {
      const head = { total, clock, fresh, partial, tookMs: Math.round(tookMs * 1000) / 1000, explain }
      return `${safeJson(head).slice(0, -1)},"hits":[`
    },
    hit(hit) {
      const text = `${separator}\n${safeJson(hitObject(hit))}`
      separator = ','
      return text
    },
    end: () => `${separator === '' ? '' : '\n'}]}\n`,
  }
}

/** One field of CSV (RFC 4180): quoted where it holds a comma, a quote or a line break, or starts or ends with a blank. */
export function csvField(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function csvRow(fields: readonly (string | number | undefined)[]): string {
  return `${fields.map(field => csvField(String(field ?? ''))).join(',')}\r\n`
}

/** CSV with a row of headings; `Path Bytes` is base64 and only filled where the path is not UTF-8. */
export function csvFormat(): HitFormat {
  return {
    begin: () => csvRow(['Path', 'Type', 'Size', 'Modified', 'Created', 'Path Bytes']),
    hit: hit =>
      csvRow([textOf(hit.path), hit.type, hit.size, isoText(hit.modified), isoText(hit.created), lossyBytes(hit.path)]),
    end: nothing,
  }
}
