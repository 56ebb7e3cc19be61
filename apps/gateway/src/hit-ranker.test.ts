import { describe, expect, it } from 'vitest'
import { hitRanker } from './hit-ranker.js'
import { parseSearchParams } from './http/search-params.js'
import type { SearchRow } from './search-backend.js'

function row(directory: string, name: string, hot = 0): SearchRow {
  const bytes = Buffer.from(name)
  const path = Buffer.concat([Buffer.from(`${directory}/`), bytes])
  return {
    id: '',
    path,
    nameSizeBytes: bytes.length,
    kind: 0,
    sizeBytes: 1,
    modified: undefined,
    created: undefined,
    hot,
    opens: 0,
    opened: undefined,
  }
}

const ranked = (params: string, of: SearchRow, fuzzy = false) => hitRanker(parseSearchParams(params))(of, fuzzy)

describe('hitRanker', () => {
  it('says what relevance compares', () => {
    expect(ranked('q=main&match=auto', row('/src/app', 'main.go', 1.5))).toEqual({
      hot: 1.5,
      nearness: 0,
      allTerms: true,
      place: 'whole',
      characters: 7,
      depth: 3,
    })
    expect(ranked('q=src+go&match=auto', row('/src/app', 'main.go'))).toMatchObject({ allTerms: false, place: 'part' })
    expect(ranked('q=ain', row('', 'main.go'))).toMatchObject({ place: 'inside', depth: 1 })
  })

  it('measures fuzzy hits by the tolerant terms', () => {
    const far = ranked('q=mian&fuzzy=auto', row('/x', 'main.go'), true)
    expect(far.nearness).toBeGreaterThan(0)
    expect(far.allTerms).toBe(true)
  })

  it('says where a name has no say, and counts characters', () => {
    expect(ranked('q=size:>1', row('/x', 'été'))).toMatchObject({ place: null, characters: 3 })
    // A query that is wrong has no hits; whoever asks gets no error from here.
    expect(ranked('q=(', row('/x', 'a'))).toMatchObject({ place: null })
  })
})
