import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type TableShape, tableShape } from '../table-shape.js'

const FIXTURES = new URL('../../fixtures/', import.meta.url)

type ShownRow = readonly (number | string | null)[]

/** What the encrypted databases have: in the database, and after each transaction in the log. */
export interface ExpectedRows {
  readonly keys: Readonly<Record<string, string>>
  readonly states: readonly { readonly messages: readonly ShownRow[]; readonly tags: readonly ShownRow[] }[]
}

export function fixtureBytes(name: string): Uint8Array {
  return gunzipSync(readFileSync(new URL(`${name}.gz`, FIXTURES)))
}

export function expectedRows(): ExpectedRows {
  return JSON.parse(readFileSync(new URL('expected.json', FIXTURES), 'utf8'))
}

const column = (cid: number, name: string, type: string, primaryKey = 0) =>
  ({ cid, name, type, primaryKey, defaultExpression: null, hidden: 0 }) as const

/** The tables of the encrypted databases. @param rootOf says their root pages */
export function fixtureTables(rootOf: (table: string) => number): TableShape[] {
  return [
    tableShape({
      name: 'messages',
      rootPage: rootOf('messages'),
      withoutRowid: false,
      columns: [
        column(0, 'id', 'INTEGER', 1),
        column(1, 'body', 'TEXT'),
        column(2, 'picture', 'BLOB'),
        column(3, 'score', 'REAL'),
      ],
      primaryKeyIndex: null,
    }),
    tableShape({
      name: 'tags',
      rootPage: rootOf('tags'),
      withoutRowid: true,
      columns: [column(0, 'name', 'TEXT', 1), column(1, 'message', 'INT', 2)],
      primaryKeyIndex: [0, 1],
    }),
  ]
}
