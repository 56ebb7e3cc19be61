import { readFileSync } from 'node:fs'
import { Kind } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { componentsOf, type Entry } from './entry.js'
import { naiveContext } from './naive-context.js'
import { matchesNaively } from './naive-matcher.js'
import { onlyTolerant, parseQuery } from './query.js'

const page = readFileSync(new URL('../../../docs/query.md', import.meta.url), 'utf8')
const now = new Date(2024, 4, 15, 12).getTime()

/** Cells of all table rows under a header, with their code spans unescaped. */
function rowsUnder(header: string): string[][] {
  const rows: string[][] = []
  let inside = false
  for (const line of page.split('\n')) {
    if (line === header) inside = true
    else if (!line.startsWith('|')) inside = false
    else if (inside && !/^\|[ -]+\|/.test(line)) {
      const cells = line.slice(1, -1).split(/(?<!\\)\|/)
      rows.push(cells.map(cell => cell.trim().replaceAll('\\|', '|')))
    }
  }
  return rows
}

function codeSpans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(match => match[1]!)
}

/** An entry as the page writes it: `/a/b {size 10}`, with a trailing slash if it is a directory. */
function entryOf(text: string): Entry {
  const [, written, column, value] = /^(.*?)(?: \{(\w+) ([^}]+)\})?$/.exec(text)!
  const isDirectory = written!.endsWith('/')
  const path = isDirectory && written !== '/' ? written!.slice(0, -1) : written!
  return {
    components: componentsOf(new TextEncoder().encode(path)),
    kind: isDirectory ? Kind.directory : Kind.file,
    size: Number.NaN,
    ...(column && factOf(column, value!)),
  }
}

/** A row as the page writes it, `database/table: text`, as the entry that it is to a predicate. */
function rowOf(written: string): Entry {
  const [, database, table, text] = /^(\w+)\/(\w+): (.*)$/.exec(written)!
  const components = [database, table, text].map(part => new TextEncoder().encode(part))
  return { components, kind: Kind.file, size: Number.NaN }
}

function factOf(column: string, value: string): Partial<Entry> {
  switch (column) {
    case 'size':
    case 'attributes':
      return { [column]: Number(value) }
    case 'volume':
      return { volume: value }
    case 'runs':
      return { use: { runs: Number(value), opened: now / 1000, hot: 1 } }
    case 'opened':
      return { use: { runs: 1, opened: new Date(value).getTime() / 1000, hot: 1 } }
    case 'kind':
      return { kind: Kind[value as keyof typeof Kind] }
    default:
      return { [column]: { seconds: new Date(value).getTime() / 1000, ticks: 0 } }
  }
}

describe('docs/query.md', () => {
  const examples = rowsUnder('| query | matches | does not match |')
  it('has examples', () => {
    expect(examples.length).toBeGreaterThan(100)
  })

  it.each(examples)('%s matches %s but not %s', (query, matching, others) => {
    const parsed = parseQuery(codeSpans(query!)[0]!, { now })
    if (parsed.kind === 'error') expect.fail(parsed.message)
    expect(matching! + others!).not.toBe('')
    const [right, wrong] = [codeSpans(matching!), codeSpans(others!)]
    const context = naiveContext([...right, ...wrong].map(entryOf))
    for (const text of right) expect(matchesNaively(parsed.predicate, entryOf(text), context), text).toBe(true)
    for (const text of wrong) expect(matchesNaively(parsed.predicate, entryOf(text), context), text).toBe(false)
  })

  it.each(rowsUnder('| query | rows that match | rows that do not |'))(
    '%s matches the rows %s but not %s',
    (query, matching, others) => {
      const parsed = parseQuery(codeSpans(query!)[0]!, { now, rows: true, match: 'auto' })
      if (parsed.kind === 'error') expect.fail(parsed.message)
      expect(matching! + others!).not.toBe('')
      for (const text of codeSpans(matching!)) expect(matchesNaively(parsed.rows!, rowOf(text)), text).toBe(true)
      for (const text of codeSpans(others!)) expect(matchesNaively(parsed.rows!, rowOf(text)), text).toBe(false)
    },
  )

  it('asks no file for a database', () => {
    for (const text of ['in:chat', 'table:message a']) {
      expect(parseQuery(text, { now })).toMatchObject({ predicate: { kind: 'none' } })
    }
  })

  it.each(rowsUnder('| query | finds also | does not find |'))(
    '%s finds also %s but not %s',
    (query, found, others) => {
      const parsed = parseQuery(codeSpans(query!)[0]!, { now })
      if (parsed.kind === 'error') expect.fail(parsed.message)
      const more = onlyTolerant(parsed)
      for (const text of codeSpans(found!)) {
        expect(matchesNaively(parsed.predicate, entryOf(text)), text).toBe(false)
        expect(more && matchesNaively(more, entryOf(text)), text).toBe(true)
      }
      for (const text of codeSpans(others!))
        expect(more ? matchesNaively(more, entryOf(text)) : false, text).toBe(false)
    },
  )

  it.each(rowsUnder('| query | error |'))('%s is the error %s', (query, message) => {
    const result = parseQuery(codeSpans(query!)[0]!, { now })
    expect(result).toMatchObject({ kind: 'error', message })
  })
})
