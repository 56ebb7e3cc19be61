import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FRESH_STATES, MATCH_MODES, SORT_KEYS, STORAGE_STATES } from '../search-backend.js'
import { FakeBackend } from '../testing/fake-backend.js'
import { rawRequest, startTestGateway } from '../testing/test-gateway.js'
import { MAX_CONCURRENT_REQUESTS } from './app.js'
import { MAX_STREAMS } from './event-hub.js'
import { MAX_TARGET_LENGTH } from './http-server.js'
import { MAX_BODY_BYTES } from './json-body.js'
import { DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, SEARCH_PARAMETERS } from './search-params.js'

const text = readFileSync(new URL('../../../../docs/http-api.md', import.meta.url), 'utf8')
const section = (title: string) => text.split('\n## ').find(part => part.startsWith(title)) ?? ''
const firstCells = (part: string) => [...part.matchAll(/^\| `([^|]+)` \|/gm)].map(([, cell]) => cell)

/** The document is what people write programs by: it must not drift from the code. */
describe('docs/http-api.md', () => {
  it('lists the parameters of a search, their values and bounds', () => {
    const part = section('`GET /api/search`')
    const table = part.slice(0, part.indexOf('```json'))
    expect(firstCells(table).sort()).toEqual([...SEARCH_PARAMETERS].sort())
    for (const word of [...SORT_KEYS, ...MATCH_MODES]) expect(table).toContain(`\`${word}\``)
    for (const number of [DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET]) expect(table).toContain(number.toLocaleString('en-US'))
    for (const state of FRESH_STATES) expect(part).toContain(`\`${state}\``)
  })

  it('shows an answer with the fields that an answer has', async () => {
    const gateway = await startTestGateway(new FakeBackend(30))
    const headers = { authorization: `Bearer ${gateway.token}` }
    const reply = JSON.parse((await rawRequest(gateway.port, '/api/search?q=report&limit=1', { headers })).body)
    const status = JSON.parse((await rawRequest(gateway.port, '/api/status', { headers })).body)
    await gateway.stop()
    const example = JSON.parse(/```json\n([\s\S]+?)```/.exec(section('`GET /api/search`'))?.[1] ?? '')
    expect(Object.keys(example)).toEqual(Object.keys(reply))
    expect(Object.keys(example.hits[0])).toEqual(Object.keys(reply.hits[0]))
    const other = section('Other addresses')
    for (const state of STORAGE_STATES) expect(other).toContain(`\`${state}\``)
    for (const key of [...Object.keys(status), ...Object.keys(status.roots[0]), ...Object.keys(status.stages[0])]) {
      expect(other).toMatch(new RegExp(`\\b${key}\\b`))
    }
  })

  it('names the limits', () => {
    const failures = section('Failures')
    for (const limit of [MAX_BODY_BYTES, MAX_TARGET_LENGTH]) expect(failures).toContain(limit.toLocaleString('en-US'))
    expect(failures).toContain(`more than ${MAX_CONCURRENT_REQUESTS} requests`)
    expect(failures).toContain(`more than ${MAX_STREAMS} event streams`)
  })
})
