import { Kind } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SearchAnswer, SearchRow } from '../search-backend.js'
import { HOSTILE_NAMES } from '../testing/fake-backend.js'
import { searchReply } from './search-reply.js'

const show = (name: Uint8Array) => ({
  text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(name),
  matched: [] as [number, number][],
})

function answer(rows: SearchRow[]): SearchAnswer {
  const fresh = { state: 'unwatched', lagMs: undefined, dirty: 0, dirtySubtrees: [] } as const
  const counts = { total: rows.length, fuzzyTotal: 3, exactRows: Math.min(2, rows.length) }
  return { ...counts, clock: 'c', fresh, partial: true, engineMs: 0.123456, rows, explanation: undefined }
}

function row(path: Uint8Array | string, nameSizeBytes: number, rest: Partial<SearchRow> = {}): SearchRow {
  const bytes = typeof path === 'string' ? new TextEncoder().encode(path) : path
  const nothing = {
    sizeBytes: Number.NaN,
    modified: undefined,
    created: undefined,
    accessed: undefined,
    hot: 0,
    opens: 0,
    opened: undefined,
  }
  return { id: 'i', path: bytes, nameSizeBytes, kind: Kind.file, ...nothing, ...rest }
}

const hit = (one: SearchRow) => searchReply(answer([one]), show).hits[0]!

describe('searchReply', () => {
  it('says what is unknown with null', () => {
    const reply = searchReply(answer([row('/a/b', 1)]), show)
    expect(reply).toMatchObject({
      tookMs: 0.123,
      partial: true,
      fresh: { state: 'unwatched', lagMs: null, dirty: [], dirtyCount: 0 },
    })
    expect(reply.hits[0]).toMatchObject({ size: null, modified: null, created: null, accessed: null, hot: 0 })
    const accessed = { seconds: 5, ticks: 0 }
    expect(hit(row('/a/b', 1, { accessed }))).toMatchObject({ created: null, accessed: '1970-01-01T00:00:05Z' })
    expect('explain' in reply).toBe(false)
  })

  it.each([
    ['/a/b/c.txt', 5, 'c.txt', '/a/b'],
    ['/top', 3, 'top', '/'],
    ['/', 1, '/', ''],
    ['disk.img/x', 1, 'x', 'disk.img'],
    ['C:\\only', 7, 'C:\\only', ''],
  ])('cuts %s', (path, size, name, dir) => {
    expect(hit(row(path, size))).toMatchObject({ path, name, dir })
  })

  it('keeps the bytes of every name: as text, or beside it', () => {
    for (const name of HOSTILE_NAMES) {
      const path = new Uint8Array([...Buffer.from('/x/'), ...name])
      const { path: text, pathBytes } = JSON.parse(JSON.stringify(hit(row(path, name.length))))
      expect(new Uint8Array(pathBytes === undefined ? Buffer.from(text) : Buffer.from(pathBytes, 'base64'))).toEqual(
        path,
      )
    }
    // A name that really holds U+FFFD is text and needs nothing beside it.
    expect(hit(row('/x/\ufffd', 3)).pathBytes).toBeUndefined()
    expect(hit(row('/x/\ufeffbom', 6)).name).toBe('\ufeffbom')
  })

  it('keeps the bytes of any name', () => {
    const bytes = fc
      .uint8Array({ minLength: 1, maxLength: 60 })
      .map(name => name.map(byte => (byte % 47 === 0 ? 65 : byte)))
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).map(name => new TextEncoder().encode(name))
    fc.assert(
      fc.property(fc.oneof(bytes, text), name => {
        const path = new Uint8Array([0x2f, ...name])
        const { path: shown, pathBytes } = JSON.parse(JSON.stringify(hit(row(path, name.length))))
        const back = pathBytes === undefined ? Buffer.from(shown) : Buffer.from(pathBytes, 'base64')
        expect(new Uint8Array(back)).toEqual(path)
      }),
      { numRuns: process.env.SOAK === '1' ? 100_000 : 1_000 },
    )
  })

  it.each([
    [Kind.file, 'file'],
    [Kind.directory, 'directory'],
    [Kind.symlink, 'symlink'],
    [Kind.other, 'other'],
  ])('names kind %i', (kind, type) => {
    expect(hit(row('/a', 1, { kind })).type).toBe(type)
  })
})
