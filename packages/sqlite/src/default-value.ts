import type { SqlValue } from '@hotpath/model'
import type { Affinity } from './affinity.js'

/**
 * The value that a column has in rows that are older than it: SQLite lets only literals be the default of a column that is added.
 *
 * @param expression as `PRAGMA table_xinfo` says it; null without a default
 * @returns null too for what is no literal: then no row is older than the column
 */
export function defaultValue(expression: string | null, affinity: Affinity): SqlValue {
  if (expression === null) return null
  const text = expression.trim()
  const number = numberLiteral(text)
  if (number === undefined) return withAffinity(literal(text), affinity)
  // SQLite takes a number here as its text, and has columns without an affinity prefer numbers: 3.0 is 3 in them.
  return withAffinity(number, affinity === 'blob' ? 'numeric' : affinity)
}

/** The text of a number with its sign, as SQLite would have it in a column of text. */
function numberLiteral(text: string): string | undefined {
  const bare = text.replace(/^\(\s*(.*?)\s*\)$/s, '$1')
  if (bare !== text) return numberLiteral(bare)
  const [, sign, digits] = /^([+-]?)\s*((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|0x[0-9a-f]{1,16})$/i.exec(text) ?? []
  if (digits === undefined) return undefined
  const minus = sign === '-' ? '-' : ''
  if (/^0x/i.test(digits)) {
    const value = BigInt.asIntN(64, BigInt(digits))
    return `${minus === '' ? value : -value}`
  }
  return minus + (/^\d+$/.test(digits) ? `${BigInt(digits)}` : digits)
}

function literal(text: string): SqlValue {
  if (text.startsWith('(') && text.endsWith(')')) return literal(text.slice(1, -1).trim())
  const quoted = /^(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)")$/s.exec(text)
  if (quoted !== null) return quoted[1]?.replaceAll("''", "'") ?? quoted[2]!.replaceAll('""', '"')
  if (/^x'(?:[0-9a-f]{2})*'$/i.test(text)) return new Uint8Array(Buffer.from(text.slice(2, -1), 'hex'))
  if (/^true$/i.test(text)) return 1n
  if (/^false$/i.test(text)) return 0n
  if (/^(?:null|current_timestamp|current_time|current_date)$/i.test(text)) return null
  // A bare word is read as a string.
  return /^[\p{L}_][\p{L}\p{N}_$]*$/u.test(text) ? text : null
}

function withAffinity(value: SqlValue, affinity: Affinity): SqlValue {
  if (affinity === 'text' || affinity === 'blob') return value
  const number = typeof value === 'string' ? numberIn(value) : value
  // Zero has no sign there: it is stored as an integer.
  if (affinity === 'real') return number === 0 ? 0 : typeof number === 'bigint' ? Number(number) : number
  const whole = typeof number === 'number' && Number.isInteger(number) && Math.abs(number) < 2 ** 63
  return whole ? BigInt(number) : number
}

/** The number that a text is, in columns that prefer numbers; else the text. */
function numberIn(text: string): SqlValue {
  const trimmed = text.trim()
  if (/^[+-]?\d+$/.test(trimmed)) {
    const value = BigInt(trimmed)
    // More than 64 bits are a real.
    return BigInt.asIntN(64, value) === value ? value : Number(trimmed)
  }
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : text
}
