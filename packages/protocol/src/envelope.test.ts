import { HotpathError, InvalidInputError, UnsupportedVersionError } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSearchReply, encodeReplies, encodeSearchReply, markCached } from './encoded-replies.js'
import { BODY_TYPES, decodeEnvelope, encodeEnvelope } from './envelope.js'
import { noHits, searchRequest } from './messages/query.js'
import { body, bodyOf, searchReply } from './testing/arbitraries.js'
import { wire } from './wire.js'

const RUNS = process.env.SOAK ? 5_000 : 60

function unaligned(bytes: Uint8Array, by: number): Uint8Array {
  const moved = new Uint8Array(bytes.byteLength + by)
  moved.set(bytes, by)
  return moved.subarray(by)
}

describe('round trips', () => {
  for (const type of BODY_TYPES) {
    it(type, () => {
      fc.assert(
        fc.property(bodyOf(type), fc.nat({ max: 0xffffffff }), fc.nat({ max: 7 }), (body, requestId, shift) => {
          const envelope = { requestId, sender: 'test', deadlineMs: 12.5, body }
          expect(decodeEnvelope(unaligned(encodeEnvelope(envelope), shift))).toEqual(envelope)
        }),
        { numRuns: RUNS },
      )
    })
  }

  it('of a reply kept encoded and put into a batch', () => {
    fc.assert(
      fc.property(fc.array(searchReply, { maxLength: 5 }), fc.nat({ max: 0xffffffff }), (replies, requestId) => {
        const encoded = replies.map(encodeSearchReply)
        expect(encoded.map(decodeSearchReply)).toEqual(replies)
        const envelope = { requestId, sender: 'gäteway', deadlineMs: 0 }
        expect(decodeEnvelope(encodeReplies(requestId, envelope.sender, encoded, true))).toEqual({
          ...envelope,
          body: { type: 'searchBatchReply', value: { replies } },
        })
        for (const [at, value] of replies.entries()) {
          expect(decodeEnvelope(encodeReplies(requestId, envelope.sender, [encoded[at]!], false))).toEqual({
            ...envelope,
            body: { type: 'searchReply', value },
          })
          expect(decodeSearchReply(markCached(encoded[at]!, 77))).toEqual({ ...value, cached: true, number: 77 })
        }
      }),
      { numRuns: RUNS },
    )
  }, 600_000)

  it('leaves columns as views of an aligned message, without a copy', () => {
    const bytes = encodeEnvelope({
      requestId: 1,
      sender: 's',
      deadlineMs: 0,
      body: { type: 'entryBatch', value: batch(3) },
    })
    const decoded = decodeEnvelope(bytes).body
    if (decoded.type !== 'entryBatch') throw new Error(decoded.type)
    expect(decoded.value.entries.names.buffer).toBe(bytes.buffer)
  })
})

function batch(rows: number) {
  return {
    epoch: 1,
    sequence: 1,
    entries: {
      count: rows,
      parent: new Uint32Array(rows),
      directory: new Uint32Array(rows),
      kind: new Uint8Array(rows),
      nameOffsets: Uint32Array.from({ length: rows + 1 }, (_, i) => i * 2),
      names: new Uint8Array(rows * 2).fill(0x61),
      size: new Float64Array(rows),
    },
    listedDirectory: Uint32Array.of(1, 2),
    listedObserved: Float64Array.of(10, 20),
  }
}

/** Bytes of an EntryBatch whose wire form was changed after it had been checked. */
function tampered(change: (entries: NonNullable<ReturnType<typeof wireEntries>>) => void): Uint8Array {
  const message = wire.Envelope.decode(
    encodeEnvelope({ requestId: 1, sender: 's', deadlineMs: 0, body: { type: 'entryBatch', value: batch(3) } }),
  )
  const entries = wireEntries(message)
  if (!entries) throw new Error('no entries')
  change(entries)
  return wire.Envelope.encode(message).finish()
}

function wireEntries(message: ReturnType<typeof wire.Envelope.decode>) {
  return message.entryBatch?.entries
}

function failureOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('refusals name the column', () => {
  const cases: [string, (entries: NonNullable<ReturnType<typeof wireEntries>>) => void][] = [
    ['parent', entries => (entries.parent = new Uint8Array(11))],
    ['directory', entries => (entries.directory = new Uint8Array(16))],
    ['kind', entries => (entries.kind = new Uint8Array(2))],
    ['kind', entries => (entries.kind = Uint8Array.of(0, 4, 0))],
    ['nameOffsets', entries => (entries.nameOffsets = new Uint8Array(12))],
    ['nameOffsets', entries => (entries.nameOffsets = new Uint8Array(Uint32Array.of(1, 2, 4, 6).buffer))],
    ['nameOffsets', entries => (entries.nameOffsets = new Uint8Array(Uint32Array.of(0, 4, 2, 6).buffer))],
    ['nameOffsets', entries => (entries.nameOffsets = new Uint8Array(Uint32Array.of(0, 2, 4, 7).buffer))],
    ['names', entries => (entries.names = Buffer.from('aa/aaa'))],
    ['names', entries => (entries.names = Buffer.from('aa\0aaa'))],
    ['size', entries => (entries.size = new Uint8Array(25))],
    ['size', entries => (entries.size = new Uint8Array(Float64Array.of(0, -1, 0).buffer))],
    ['modified.seconds', entries => (entries.modified = { seconds: new Uint8Array(8), ticks: new Uint8Array(12) })],
    [
      'modified.ticks',
      entries => (entries.modified = { seconds: new Uint8Array(24), ticks: new Uint8Array(12).fill(255) }),
    ],
    ['attributes', entries => (entries.attributes = new Uint8Array(1))],
    ['ref.high', entries => (entries.ref = { low: new Uint8Array(12), birth: new Uint8Array(12) })],
    ['count', entries => (entries.count = 0xffffffff)],
  ]
  for (const [column, change] of cases) {
    it(column, () => {
      const failure = failureOf(() => decodeEnvelope(tampered(change)))
      expect(failure).toBeInstanceOf(InvalidInputError)
      expect((failure as InvalidInputError).what).toBe(`entryBatch.entries.${column}`)
    })
  }

  it('rows of hits', () => {
    const rows = { ...noHits(), count: 1, ids: new Uint8Array(23) }
    const bytes = encodeSearchReply({
      total: 1,
      fuzzyTotal: Number.NaN,
      clock: '',
      fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
      partial: false,
      tookMs: 0,
      rows: {
        ...rows,
        pathOffsets: Uint32Array.of(0, 0),
        nameStart: Uint32Array.of(0),
        kind: Uint8Array.of(0),
        size: Float64Array.of(0),
      },
      explain: '',
    })
    expect(() => decodeSearchReply(bytes)).toThrow(
      'searchReply.rows.ids: expected 1 values of 24 bytes, found 23 bytes',
    )
  })
})

describe('what a sender may not send', () => {
  const send = (query: ReturnType<typeof searchRequest>) =>
    encodeEnvelope({ requestId: 1, sender: '', deadlineMs: 0, body: { type: 'searchRequest', value: query } })

  it('values beyond their bounds', () => {
    expect(() => send(searchRequest('x', { limit: 1_000_001 }))).toThrow('searchRequest.limit')
    expect(() => send(searchRequest('x', { offset: -1 }))).toThrow('searchRequest.offset')
    expect(() => send(searchRequest(new Uint8Array(65_537)))).toThrow('searchRequest.text')
    expect(() => send(searchRequest('x', { minClock: '\ud800' }))).toThrow('searchRequest.minClock')
    expect(() => send(searchRequest('x', { minClock: 'ü'.repeat(513) }))).toThrow('searchRequest.minClock')
  })

  it('prose is cut at a character instead', () => {
    const encoded = encodeEnvelope({
      requestId: 1,
      sender: '',
      deadlineMs: 0,
      body: { type: 'bye', value: { reason: `x${'ü'.repeat(2_000)}` } },
    })
    const decoded = decodeEnvelope(encoded).body
    expect(decoded).toEqual({ type: 'bye', value: { reason: `x${'ü'.repeat(511)}` } })
  })
})

describe('garbage', () => {
  it('is one typed error, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        expect(failureOf(() => decodeEnvelope(bytes))).toBeInstanceOf(HotpathError)
      }),
      { numRuns: RUNS * 20 },
    )
  })

  it('of flipped and cut messages is a typed error or a value', () => {
    fc.assert(
      fc.property(body, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (body, place, flip, cut) => {
        const bytes = encodeEnvelope({ requestId: 7, sender: 'peer', deadlineMs: 0, body })
        const at = place % bytes.byteLength
        const broken = cut ? bytes.subarray(0, at) : bytes.map((byte, i) => (i === at ? byte ^ flip : byte))
        const failure = failureOf(() => decodeEnvelope(broken))
        if (failure !== undefined) expect(failure).toBeInstanceOf(HotpathError)
      }),
      { numRuns: RUNS * 20 },
    )
  })

  it('of nested messages does not exhaust the stack', () => {
    const groups = new Uint8Array(1_000_000).fill(0x0b)
    expect(failureOf(() => decodeEnvelope(groups))).toBeInstanceOf(InvalidInputError)
  })

  it('of another version is told apart', () => {
    const other = wire.Envelope.encode({ protocolVersion: 2, requestId: 1, ping: {} }).finish()
    const failure = failureOf(() => decodeEnvelope(other))
    expect(failure).toBeInstanceOf(UnsupportedVersionError)
    expect((failure as UnsupportedVersionError).found).toBe(2)
  })

  it('without a known body, with unknown flags or a bad deadline is refused', () => {
    const decode = (message: Parameters<typeof wire.Envelope.encode>[0]) =>
      failureOf(() => decodeEnvelope(wire.Envelope.encode({ protocolVersion: 1, ...message }).finish()))
    expect(decode({})).toMatchObject({ what: 'envelope.body' })
    expect(decode({ flags: 2, ping: {} })).toMatchObject({ what: 'envelope.flags' })
    expect(decode({ flags: 1, ping: {} })).toMatchObject({ what: 'envelope.flags' })
    expect(decode({ deadlineMs: Number.NaN, ping: {} })).toMatchObject({ what: 'envelope.deadlineMs' })
    expect(decode({ sender: 'x'.repeat(129), ping: {} })).toMatchObject({ what: 'envelope.sender' })
    expect(decode({ event: { sequence: 1 } })).toMatchObject({ what: 'event.kind' })
  })

  it('unknown fields are skipped, so that later versions can add some', () => {
    const known = wire.Envelope.encode({ protocolVersion: 1, requestId: 3, sender: 'a', ping: {} })
    known.uint32((1_000 << 3) | 2).string('from the future')
    expect(decodeEnvelope(known.finish())).toMatchObject({ requestId: 3, body: { type: 'ping' } })
  })
})
