import fc from 'fast-check'
import { expect, it } from 'vitest'
import { describeEnvelope } from './describe.js'
import { type Body, encodeEnvelope } from './envelope.js'
import { noHits, searchRequest } from './messages/query.js'
import { encodeChanges } from './rows/row-part.js'
import { body } from './testing/arbitraries.js'

function describe(body: Body, requestId = 0): string {
  return describeEnvelope(encodeEnvelope({ requestId, sender: 'me', deadlineMs: 0, body }))
}

it('says what is in a message and leaves out what is at rest', () => {
  expect(describe({ type: 'searchRequest', value: searchRequest('report') }, 7)).toBe(
    '#7 searchRequest 25 bytes from "me": text="report" limit=100 sort="default" match="name" caseMode="ignore"',
  )
})

it('sums columns up', () => {
  const value = {
    epoch: 3,
    sequence: 1,
    entries: {
      count: 4,
      parent: new Uint32Array(4),
      directory: new Uint32Array(4),
      kind: new Uint8Array(4),
      nameOffsets: Uint32Array.of(0, 1, 2, 3, 4),
      names: Buffer.from('ab\xff\x1b', 'latin1'),
      size: new Float64Array(4),
      attributes: new Uint32Array(4),
    },
    listedDirectory: Uint32Array.of(1, 2, 3, 4),
    listedObserved: Float64Array.of(1, 2, 3, 4),
  }
  expect(describe({ type: 'entryBatch', value })).toMatch(
    /: epoch=3 sequence=1 entries=4 rows \["a", "b", "\\xff", …\] \+attributes listedDirectory=4×\[1, 2, 3, …\] listedObserved=4×\[1, 2, 3, …\]$/,
  )
})

it('counts changes of rows, and shows nothing of what is in them', () => {
  const changes = encodeChanges([
    { table: 'messages', operation: 'insert', key: 1n, new: ['a secret'] },
    { table: 'messages', operation: 'delete', key: 2n, old: ['a secret'] },
  ])
  const cursor = { epoch: 'a'.repeat(24), sequence: 7 }
  const value = { subscription: 1, database: 'chat', cursor, part: 0, last: true, committed: 5, tables: [], changes }
  const line = describe({ type: 'rowsPart', value: { ...value, method: 'pages', merged: false } })
  expect(line).toContain(`last=true committed=5 method="pages" changes=${changes.byteLength} bytes "messages"×2`)
  expect(line).not.toContain('secret')
  const broken = { subscription: 1, database: 'chat', tables: [], changes: Uint8Array.of(1) }
  expect(describe({ type: 'rowsPage', value: broken })).toContain('changes=1 bytes that are no changes')
})

it('shows hits, a tapped message and a fragment in short', () => {
  const rows = {
    ...noHits(),
    count: 1,
    ids: new Uint8Array(24),
    pathOffsets: Uint32Array.of(0, 4),
    paths: Buffer.from('/a/b'),
    nameStart: Uint32Array.of(3),
    kind: Uint8Array.of(0),
    size: Float64Array.of(1),
  }
  const reply = {
    total: 1,
    fuzzyTotal: Number.NaN,
    clock: 'c',
    fresh: { state: 'live' as const, lagMs: 0, dirty: 0, dirtySubtrees: [] },
    partial: false,
    tookMs: 0.5,
    rows,
    explain: '',
  }
  expect(describe({ type: 'searchReply', value: reply })).toContain(
    'total=1 fuzzyTotal=NaN clock="c" fresh={state="live"} tookMs=0.5 rows=1 rows ["/a/b"]',
  )
  const envelope = encodeEnvelope({ requestId: 1, sender: 's', deadlineMs: 0, body: { type: 'ping', value: {} } })
  const copy = { direction: 'in' as const, endpoint: 'e', peer: 'p', at: 1, envelope, size: 9, dropped: 2 }
  expect(describe({ type: 'tapCopy', value: copy })).toMatch(/: in "e" dropped=2: #1 ping \d+ bytes from "s"$/)
  const fragment = { index: 2, totalBytes: 100, data: new Uint8Array(9) }
  expect(describe({ type: 'fragment', value: fragment }, 3)).toContain(': index=2 9 of 100 bytes')
})

it('says that it cannot read garbage', () => {
  expect(describeEnvelope(Buffer.from('\x0b\x0b'))).toMatch(/^unreadable, 2 bytes: /)
})

it('is one short line that no terminal obeys, whatever the message holds', () => {
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/
  const hostile = fc
    .string({ unit: 'binary', maxLength: 200 })
    .map((text): Body => ({ type: 'searchRequest', value: searchRequest(`\u001b]0;${text}\u202e\n`) }))
  fc.assert(
    fc.property(fc.oneof(body, hostile), body => {
      const line = describe(body, 1)
      expect(line).not.toMatch(unsafe)
      expect(line.length).toBeLessThan(700)
    }),
    { numRuns: 500 },
  )
})
