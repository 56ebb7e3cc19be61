import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeSearchRequest } from './encoded-replies.js'
import { type Body, decodeEnvelope, encodeEnvelope } from './envelope.js'
import { type SearchRequest, searchRequest } from './messages/query.js'
import { scanSearches, searchKey } from './search-scan.js'
import { searchRequest as anyRequest, body } from './testing/arbitraries.js'
import { wire } from './wire.js'

const RUNS = process.env.SOAK ? 20_000 : 400

const encoded = (body: Body, requestId = 7) => encodeEnvelope({ requestId, sender: 'peer', deadlineMs: 12.5, body })
const batchOf = (requests: readonly SearchRequest[]): Body => ({ type: 'searchBatch', value: { requests } })

/** What of a request decides about the answer. */
const essence = ({ known: _, ...request }: SearchRequest) => ({
  ...request,
  deadlineMs: 0,
  minClock: '',
  noCache: false,
})

/** What a key asks for. Throws where it breaks the contract. */
function requestOfKey(key: string): SearchRequest {
  const message = wire.Envelope.encode({ protocolVersion: 1, requestId: 1, sender: 'peer' })
  message.uint32((60 << 3) | 2).bytes(Buffer.from(key, 'latin1'))
  const { body } = decodeEnvelope(message.finish())
  if (body.type !== 'searchRequest') throw new Error(`a key of ${body.type}`)
  return body.value
}

function requestsOf({ body }: { readonly body: Body }): readonly SearchRequest[] {
  if (body.type === 'searchRequest') return [body.value]
  if (body.type === 'searchBatch') return body.value.requests
  throw new Error(`no searches but ${body.type}`)
}

describe('scanning searches', () => {
  it('finds what the decoder finds, one search or several', () => {
    fc.assert(
      fc.property(fc.array(anyRequest, { minLength: 1, maxLength: 5 }), fc.boolean(), (requests, alone) => {
        const asked: Body = alone ? { type: 'searchRequest', value: requests[0]! } : batchOf(requests)
        const found = scanSearches(encoded(asked))
        if (requests.some(({ minClock }) => /[^\0-\x7f]/.test(minClock))) return
        const expected = alone ? requests.slice(0, 1) : requests
        expect(found).toMatchObject({ requestId: 7, isBatch: !alone })
        expect(found!.searches.map(({ minClock, noCache, known }) => ({ minClock, noCache, known }))).toEqual(
          expected.map(({ minClock, noCache, known }) => ({ minClock, noCache, known: known ?? 0 })),
        )
        expect(found!.searches.map(({ key }) => requestOfKey(key))).toEqual(expected.map(essence))
        expect(found!.searches.map(({ key }) => key)).toEqual(
          expected.map(one => searchKey(encodeSearchRequest(essence(one)))),
        )
      }),
      { numRuns: RUNS },
    )
  })

  it('gives the same key to what asks for the same, and no other', () => {
    const key = (request: SearchRequest) => scanSearches(encoded(batchOf([request])))!.searches[0]!.key
    const one = searchRequest('notes', { limit: 20 })
    const later = { ...one, deadlineMs: 1.5, minClock: 'store:7', noCache: true, known: 8 }
    expect(key(later)).toBe(key(one))
    for (const other of [
      { ...one, limit: 21 },
      { ...one, explain: true },
      { ...one, fuzzy: true },
      searchRequest('note'),
    ])
      expect(key(other)).not.toBe(key(one))
  })

  it('leaves every other message alone', () => {
    fc.assert(
      fc.property(
        body.filter(({ type }) => type !== 'searchRequest' && type !== 'searchBatch'),
        body => {
          expect(scanSearches(encoded(body))).toBeUndefined()
        },
      ),
      { numRuns: RUNS },
    )
    // What wants no reply, and a batch of nothing.
    expect(scanSearches(encoded(batchOf([searchRequest('a')]), 0))).toBeUndefined()
    expect(scanSearches(encoded(batchOf([])))).toBeUndefined()
  })

  it('of flipped, cut and lengthened messages agrees with the decoder, or leaves them to it', () => {
    fc.assert(
      fc.property(
        fc.array(anyRequest, { minLength: 1, maxLength: 3 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom('flip', 'cut', 'insert'),
        (requests, place, flip, how) => {
          const whole = Buffer.from(encoded(batchOf(requests)))
          const at = place % whole.byteLength
          const rest = whole.subarray(at)
          const broken = {
            flip: Buffer.concat([whole.subarray(0, at), Buffer.of(rest[0]! ^ flip), rest.subarray(1)]),
            cut: whole.subarray(0, at),
            insert: Buffer.concat([whole.subarray(0, at), Buffer.of(flip), rest]),
          }[how]!
          const found = scanSearches(broken)
          if (found === undefined) return
          const decoded = attempt(() => decodeEnvelope(broken))
          const keyed = found.searches.map(({ key }) => attempt(() => requestOfKey(key)))
          if (decoded === undefined) {
            // What the decoder refuses stands in a key, under which no answer is ever kept.
            expect(keyed).toContain(undefined)
            return
          }
          expect(found.requestId).toBe(decoded.requestId)
          expect(keyed).toEqual(requestsOf(decoded).map(essence))
          expect(found.searches.map(({ noCache, known }) => [noCache, known])).toEqual(
            requestsOf(decoded).map(({ noCache, known }) => [noCache, known ?? 0]),
          )
        },
      ),
      { numRuns: RUNS * 5 },
    )
  })

  it('of garbage finds nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        expect(scanSearches(bytes)).toBeUndefined()
      }),
      { numRuns: RUNS },
    )
  })
})

function attempt<T>(step: () => T): T | undefined {
  try {
    return step()
  } catch {
    return undefined
  }
}
