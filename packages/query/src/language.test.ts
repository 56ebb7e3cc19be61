import { readFileSync } from 'node:fs'
import { Kind } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { componentsOf, type Entry } from './entry.js'
import { matchesNaively } from './naive-matcher.js'
import { parseQuery } from './query.js'

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
  const time = column && column !== 'size' ? { [column]: { seconds: new Date(value!).getTime() / 1000, ticks: 0 } } : {}
  return {
    components: componentsOf(new TextEncoder().encode(path)),
    kind: isDirectory ? Kind.directory : Kind.file,
    size: column === 'size' ? Number(value) : Number.NaN,
    ...time,
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
    for (const text of codeSpans(matching!)) {
      expect(matchesNaively(parsed.predicate, entryOf(text)), text).toBe(true)
    }
    for (const text of codeSpans(others!)) {
      expect(matchesNaively(parsed.predicate, entryOf(text)), text).toBe(false)
    }
  })

  it.each(rowsUnder('| query | error |'))('%s is the error %s', (query, message) => {
    const result = parseQuery(codeSpans(query!)[0]!, { now })
    expect(result).toMatchObject({ kind: 'error', message })
  })
})
