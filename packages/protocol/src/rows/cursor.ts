import { createHash, randomBytes } from 'node:crypto'
import { InvalidInputError } from '@hotpath/model'

/** A place in the changes of one database: all up to this transaction are known. */
export interface RowCursor {
  /** Of the log of changes: names the database (first 8 digits) and the log's life (16 digits). */
  readonly epoch: string
  /** The last transaction that is known; 0: none of this epoch. */
  readonly sequence: number
}

const DATABASE_DIGITS = 8
const EPOCH = /^[0-9a-f]{24}$/
const CURSOR = /^([0-9a-f]{24})\.(0|[1-9][0-9]{0,15})$/

/** An epoch that no other log has. */
export function newEpoch(databaseId: string): string {
  return databaseDigits(databaseId) + randomBytes(8).toString('hex')
}

export function isEpoch(text: string): boolean {
  return EPOCH.test(text)
}

/** Whether a cursor is of this database, be it of an earlier epoch. */
export function belongsTo(cursor: RowCursor, databaseId: string): boolean {
  return cursor.epoch.startsWith(databaseDigits(databaseId))
}

/** Whether two cursors are of one database. */
export function belongsTogether(one: RowCursor, other: RowCursor): boolean {
  return one.epoch.slice(0, DATABASE_DIGITS) === other.epoch.slice(0, DATABASE_DIGITS)
}

export function formatCursor({ epoch, sequence }: RowCursor): string {
  return `${epoch}.${sequence}`
}

/** Throws InvalidInputError. */
export function parseCursor(text: string, what = 'cursor'): RowCursor {
  const match = CURSOR.exec(text)
  const sequence = Number(match?.[2])
  if (match === null || !Number.isSafeInteger(sequence))
    throw new InvalidInputError(what, 'a cursor as it was given', JSON.stringify(text.slice(0, 60)))
  return { epoch: match[1]!, sequence }
}

function databaseDigits(databaseId: string): string {
  return createHash('sha256').update(databaseId).digest('hex').slice(0, DATABASE_DIGITS)
}
