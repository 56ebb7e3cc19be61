import { parseQuery, type Query } from '@hotpath/query'
import { describe, expect, it } from 'vitest'
import { rowText } from './indexed-row.js'
import { snippetOf } from './snippet.js'

const snippet = (query: string, text: string) =>
  snippetOf((parseQuery(query, { now: 0, rows: true }) as Query).rows!, rowText([text])!)

describe('snippets', () => {
  it('are the whole of a short text, with what matched', () => {
    expect(snippet('größe', 'Die Grösse zählt, die GRÖSSE auch')).toEqual({
      text: 'Die Grösse zählt, die GRÖSSE auch',
      matched: [
        { from: 4, to: 10 },
        { from: 22, to: 29 },
      ],
      isCut: { start: false, end: false },
    })
  })

  it('are the surroundings of the first match of a long text, cut between characters', () => {
    const text = `${'ä'.repeat(1000)} needle ${'🙂'.repeat(1000)}`
    const { text: shown, matched, isCut } = snippet('NEEDLE', text)
    expect(isCut).toEqual({ start: true, end: true })
    expect(shown).not.toContain('\ufffd')
    expect(shown.slice(matched[0]!.from, matched[0]!.to)).toBe('needle')
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(240)
  })

  it('are the beginning where nothing is to be marked', () => {
    expect(snippet('!other', 'some text')).toEqual({
      text: 'some text',
      matched: [],
      isCut: { start: false, end: false },
    })
  })
})
