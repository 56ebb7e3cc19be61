import { expect, it } from 'vitest'
import { encodeWire } from './encoding.js'
import { type hotpath, wire } from './wire.js'

type Wire = hotpath.v1.Envelope.$Properties

const withNames = (bytes: number): Wire => ({
  protocolVersion: 1,
  requestId: 7,
  sender: 'a',
  entryBatch: { epoch: 1, sequence: 2, entries: { count: 1, names: new Uint8Array(bytes).fill(bytes & 0xff) } },
})
const plainly = (envelope: Wire) => Buffer.from(wire.Envelope.encode(envelope).finish())

it('encodes one envelope after the other, small and large, each into memory of its own', () => {
  const envelopes = [0, 10, 200_000, 3, 600_000, 2_000_000, 1, 400_000].map(withNames)
  const encoded = envelopes.map(encodeWire)
  for (const [i, bytes] of encoded.entries()) expect(Buffer.compare(bytes, plainly(envelopes[i]!))).toBe(0)
})

it('goes on after one that cannot be encoded', () => {
  const broken = withNames(100)
  Object.defineProperty(broken.entryBatch!.entries!, 'nameOffsets', {
    enumerable: true,
    get: () => {
      throw new Error('no offsets')
    },
  })
  for (const bytes of [5, 300_000]) {
    encodeWire(withNames(bytes))
    expect(() => encodeWire(broken)).toThrow('no offsets')
    expect(Buffer.compare(encodeWire(withNames(bytes)), plainly(withNames(bytes)))).toBe(0)
  }
})
