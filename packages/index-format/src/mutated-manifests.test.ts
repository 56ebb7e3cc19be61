import fc from 'fast-check'
import { RoaringBitmap32 } from 'roaring'
import { describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.js'
import { decodeManifest, encodeManifest, MANIFEST_HEADER_SIZE } from './manifest-codec.js'
import { encodePortable } from './roaring-portable.js'
import { manifests } from './testing/arbitraries.js'
import { mutatedFile } from './testing/mutated-file.js'
import { MUTATED_INPUTS, MUTATION_TIMEOUT_MS, tryMutations, unlessRefused } from './testing/mutation-trials.js'
import { Random } from './testing/random-rows.js'
import { decodeTombstoneFile, encodeTombstoneFile, TOMBSTONE_HEADER_SIZE } from './tombstone-file.js'

/** Manifests and tombstone files: a header with a length, a body, and a checksum of all that. */
interface Format {
  readonly files: readonly Uint8Array[]
  readonly lengthAt: number
  readonly bodyAt: number
  /** Reads a file and writes what was found. @throws CorruptFileError, UnsupportedVersionError */
  readonly copy: (bytes: Uint8Array) => Uint8Array
  /** The body with a value of another kind somewhere in it. */
  readonly oddBody: (random: Random, body: Uint8Array, note: (what: string) => void) => Uint8Array
}

const MANIFESTS: Format = {
  files: fc.sample(manifests, { seed: 9, numRuns: 150 }).map(encodeManifest),
  lengthAt: 12,
  bodyAt: MANIFEST_HEADER_SIZE,
  copy: bytes => encodeManifest(decodeManifest(bytes, 'f')),
  oddBody: oddJson,
}

const TOMBSTONES: Format = {
  files: Array.from({ length: 60 }, (_, i) => randomTombstones(new Random(i))),
  lengthAt: 32,
  bodyAt: TOMBSTONE_HEADER_SIZE,
  copy: bytes => {
    const tombstones = decodeTombstoneFile(bytes, 'f')
    // What the store does with it: the library trusts the bytes.
    const { bitmap, count } = tombstones
    if (bitmap.length > 0) expect(RoaringBitmap32.deserialize(Buffer.from(bitmap), 'portable').size).toBe(count)
    return encodeTombstoneFile(tombstones)
  },
  oddBody: (random, body, note) => {
    const { bytes, changes } = mutatedFile(random, { bytes: body, resizing: 0.1 })
    note(`bitmap of ${body.length} bytes: ${changes.join(', ')}`)
    return bytes
  },
}

/** Sets with all types of containers. */
function randomTombstones(random: Random): Uint8Array {
  const ids = new Set<number>()
  for (let containers = random.below(6); containers > 0; containers--) {
    const first = random.below(8) * 0x10000
    const step = random.pick([1, 97, 97, 3])
    const count = step === 3 ? 4_200 : 1 + random.below(20)
    for (let i = 0; i < count; i++) ids.add(first + i * step)
  }
  const bitmap = ids.size === 0 ? new Uint8Array(0) : encodePortable(Uint32Array.from(ids).sort())
  return encodeTombstoneFile({ segment: random.u32(), generation: random.below(100), count: ids.size, bitmap })
}

const DEEP = 20_000
/** What JSON can say instead of what is expected. */
const ODD_JSON = [
  ...['null', 'true', '""', '"x"', '"ab"', '"\\u0000\\ud800"', '[]', '[null]', '{}', '{"__proto__":1,"length":9}'],
  ...['-1', '0', '-0', '0.5', '9007199254740992', '18446744073709551616', '1e300', '1e999', '-1e999', '1e-999'],
  ...[`"${'0'.repeat(10_001)}"`, `[${'0,'.repeat(5_000)}0]`, `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`],
]

function oddJson(random: Random, body: Uint8Array, note: (what: string) => void): Uint8Array {
  const json: unknown = JSON.parse(new TextDecoder().decode(body))
  const holders: object[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if (Object.keys(value).length > 0) holders.push(value)
    Object.values(value).forEach(visit)
  }
  visit(json)
  const holder = random.pick(holders)
  const key = random.pick(Object.keys(holder))
  const odd = random.pick(ODD_JSON)
  note(`${key} = ${odd.slice(0, 30)}`)
  const mark = '\u0001'
  Object.defineProperty(holder, key, { value: mark })
  return new TextEncoder().encode(JSON.stringify(json).replace(JSON.stringify(mark), () => odd))
}

/** The file with this body, its length and its checksum. */
function withBody(bytes: Uint8Array, { lengthAt, bodyAt }: Format, body: Uint8Array): Uint8Array {
  const file = new Uint8Array(bodyAt + body.length + 4)
  const view = new DataView(file.buffer)
  file.set(bytes.subarray(0, bodyAt))
  file.set(body, bodyAt)
  view.setUint32(lengthAt, body.length, true)
  view.setUint32(file.length - 4, crc32c(file, 0, file.length - 4), true)
  return file
}

/** A file with a right length and a right checksum, whose other bytes may be anything. */
function repairedFile(random: Random, format: Format, note: (what: string) => void): Uint8Array {
  const [good, other] = [random.pick(format.files), random.pick(format.files)]
  const bodyOf = (bytes: Uint8Array): Uint8Array =>
    bytes.subarray(format.bodyAt, Math.max(format.bodyAt, bytes.length - 4))
  if (random.chance(0.5)) return withBody(good, format, format.oddBody(random, bodyOf(good), note))
  const { bytes, changes } = mutatedFile(random, { bytes: good, other })
  note(`${good.length} bytes: ${changes.join(', ')}, repaired`)
  return withBody(bytes, format, bodyOf(bytes))
}

describe('mutated manifests and tombstone files', () => {
  it(`are refused unless they are as they were, ${MUTATED_INPUTS} of them`, { timeout: MUTATION_TIMEOUT_MS }, () => {
    let read = 0
    tryMutations({ maxMebibytes: 128 }, (random, note) => {
      const { files, copy } = random.pick([MANIFESTS, TOMBSTONES])
      const good = { bytes: random.pick(files), other: random.pick(files) }
      const { bytes, changes } = mutatedFile(random, good)
      note(`${good.bytes.length} bytes: ${changes.join(', ')}`)
      const isGood = [good.bytes, good.other].some(written => Buffer.compare(written, bytes) === 0)
      const found = unlessRefused(() => copy(bytes))
      expect(found !== undefined).toBe(isGood)
      if (found === undefined) return
      expect(Buffer.compare(found, bytes)).toBe(0)
      read++
    })
    // Some changes change nothing.
    expect(read).toBeLessThan(MUTATED_INPUTS / 10)
  })

  it('are refused or can be written again as they are read, where checksums are right', {
    timeout: MUTATION_TIMEOUT_MS,
  }, () => {
    let read = 0
    tryMutations({ maxMebibytes: 128 }, (random, note) => {
      const format = random.pick([MANIFESTS, TOMBSTONES])
      const bytes = repairedFile(random, format, note)
      const found = unlessRefused(() => format.copy(bytes))
      if (found === undefined) return
      expect(Buffer.compare(format.copy(found), found)).toBe(0)
      read++
    })
    // Both happen.
    expect(read).toBeGreaterThan(MUTATED_INPUTS / 50)
    expect(read).toBeLessThan((MUTATED_INPUTS * 9) / 10)
  })
})
