import { describe, expect, it } from 'vitest'
import { MAX_QUERY_BYTES } from './parser.js'
import { parseQuery } from './query.js'
import { type QueryVocabulary, type Random, randomOf, randomQueries } from './testing/index.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const QUERIES = process.env.SOAK ? 1_000_000 : 20_000
const NOW = Date.UTC(2026, 5, 15, 12)

const VOCABULARY: QueryVocabulary = {
  paths: ['/usr/share/doc/readme.md', '/home/Å/größe.TXT', 'C:/x y/a(1).tar.gz', '/a/./..b/*?', '/日本/ファイル'],
  sizes: [0, 1, 255, 70_000, 5e12],
  seconds: [-5, 0, 1_700_000_000],
  volumes: ['v', '0123-abcd'],
}
/** What the language gives a meaning, and what is hard on somebody. */
const PIECES = [
  ...' |!<>()":;,.-=*?\\/#&[]{}^$+',
  ...['""', '<=', '>=', '..', '**', 'regex:', 'ww:', 'size:', 'dm:', '!!', '#x41:', '#x110000:', 'count:', 'fuzzy:'],
  ...['\0', '\n', '\ud800', '\u0301', 'İ', '🎉', '\\p{L}', '(?i)', '{1,1000}', '9'.repeat(40)],
]

/** A query that somebody, or something, has damaged. */
function mutated(random: Random, text: string): string {
  let characters = [...text]
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(characters.length + 1)
    switch (random.below(5)) {
      case 0:
        characters.splice(at, 0, random.pick(PIECES))
        break
      case 1:
        characters.splice(at, 1 + random.below(3))
        break
      case 2:
        characters = [...characters.slice(at), ...characters.slice(0, at)]
        break
      case 3:
        characters.splice(at, 0, ...characters.slice(0, random.below(20)))
        break
      default:
        characters[at] = String.fromCharCode(random.below(0x10000))
    }
  }
  return characters.join('')
}

describe('damaged queries', () => {
  it(`are queries or say where they are wrong, ${QUERIES} of them`, { timeout: 3_600_000 }, () => {
    const random = randomOf(SEED)
    const next = randomQueries(SEED, VOCABULARY)
    let right = 0
    for (let i = 0; i < QUERIES; i++) {
      const text = mutated(random, next())
      const match = random.pick(['name', 'path', 'auto'] as const)
      const caseMode = random.pick(['ignore', 'smart', 'match'] as const)
      const parsed = parseQuery(text, { now: NOW, match, caseMode })
      const why = `seed ${SEED}, query ${i}: ${JSON.stringify(text)}`
      if (parsed.kind === 'query') {
        right++
        continue
      }
      expect(parsed.kind, why).toBe('error')
      expect(parsed.position >= 0 && parsed.position <= text.length, why).toBe(true)
      expect(parsed.message.length > 0 && parsed.expected.length > 0, why).toBe(true)
    }
    // Both happen.
    expect(right).toBeGreaterThan(QUERIES / 20)
    expect(right).toBeLessThan(QUERIES)
  })

  it('are refused when they are too long, too many or too deep', () => {
    for (const text of [
      'a'.repeat(MAX_QUERY_BYTES + 1),
      'a '.repeat(2_000),
      '<'.repeat(500),
      '!'.repeat(4_000),
      '('.repeat(3_000),
    ]) {
      expect(parseQuery(text, { now: NOW }).kind).not.toBe('query')
    }
  })
})
