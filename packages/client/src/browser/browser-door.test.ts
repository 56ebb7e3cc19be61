import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { pause, pauseMs } from './back-off.js'
import { failureIn, requestFailure } from './failures.js'
import { percentEncoded } from './percent.js'
import { rowSearchText, searchText } from './search-text.js'

it('imports nothing that a browser has not', async () => {
  const entry = new URL('./index.ts', import.meta.url).pathname
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
  })
  const code = outputFiles[0]!.text
  expect(code).not.toMatch(/\bBuffer\b|\bprocess\.|\brequire\(|from\s*["']node:/)
  expect(code.length).toBeLessThan(40_000)
})

describe('percentEncoded', () => {
  it('keeps any bytes, and what is safe readable', () => {
    expect(percentEncoded('/a b/é?#&+%')).toBe('/a%20b/%C3%A9%3F%23%26%2B%25')
    expect(percentEncoded(new Uint8Array([0x2f, 0xff, 0x00]))).toBe('/%FF%00')
    // A lone surrogate is no text.
    expect(percentEncoded('\ud800')).toBe('%EF%BF%BD')
  })
})

describe('searchText', () => {
  it('says what is not the default', () => {
    expect(searchText({ query: '' })).toBe('')
    expect(searchText({ query: 'a&b', limit: 0, offset: 0, sort: 'default', match: 'name', caseMode: 'ignore' })).toBe(
      'q=a%26b&limit=0',
    )
    const all = {
      query: 'x',
      limit: 5,
      offset: 10,
      sort: 'extension',
      descending: true,
      under: '/a',
      minClock: '1.2',
    } as const
    expect(searchText({ ...all, match: 'auto', caseMode: 'smart', fuzzy: true, explain: true })).toBe(
      'q=x&limit=5&offset=10&sort=ext-desc&match=auto&case=smart&fuzzy=auto&under=/a&minClock=1.2&explain=1',
    )
    expect(searchText({ query: '', sort: 'default', descending: true })).toBe('sort=hot-desc')
  })

  it('leaves out with the total alone what goes not with it', () => {
    expect(searchText({ query: 'x', countOnly: true, limit: 5, sort: 'name' })).toBe('q=x&count=1')
  })
})

describe('rowSearchText', () => {
  it('says what is not the default', () => {
    expect(rowSearchText({ query: '', offset: 0, caseMode: 'ignore' })).toBe('')
    expect(rowSearchText({ query: 'in:chat a&b', limit: 0, offset: 10, caseMode: 'smart' })).toBe(
      'q=in%3Achat%20a%26b&limit=0&offset=10&case=smart',
    )
  })
})

describe('requestFailure', () => {
  it('tells what may pass from what will not', () => {
    expect(requestFailure(503, { code: 'BUSY', message: 'm' })).toMatchObject({ code: 'UNAVAILABLE' })
    expect(requestFailure(403, { code: 'DISABLED', message: 'm' })).toMatchObject({ status: 403, reason: 'DISABLED' })
    expect(requestFailure(400, { code: 'INVALID_INPUT', message: 'm' })).toMatchObject({ code: 'REQUEST' })
    expect(requestFailure(400, { code: 'SYNTAX', message: 'm', position: 2 }, 'éé(')).toMatchObject({ position: 4 })
    expect(requestFailure(400, { code: 'UNSUPPORTED', message: 'm' })).toMatchObject({ position: undefined })
  })

  it('makes do with answers that are not of the gateway', () => {
    expect(failureIn('<html>', 502)).toMatchObject({ code: 'UNAVAILABLE' })
    expect(failureIn({ error: 'x' }, 418)).toEqual({ code: 'REQUEST', message: 'the server answered with status 418' })
  })
})

describe('pauses', () => {
  it('grow to a bound, and are scattered', () => {
    const backOff = { firstMs: 100, mostMs: 1_000 }
    expect([1, 2, 3, 4, 5, 1_000].map(failures => pauseMs(backOff, failures, 1))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ])
    expect(pauseMs(backOff, 1, 0)).toBe(50)
  })

  it('end when they are cut short', async () => {
    const stopping = new AbortController()
    const waiting = pause(60_000, stopping.signal)
    stopping.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(pause(0, stopping.signal)).rejects.toThrow('enough')
    await expect(pause(0)).resolves.toBeUndefined()
  })
})
