import { readFileSync } from 'node:fs'
import { CorruptFileError, UnsupportedVersionError } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.js'
import {
  decodeManifest,
  encodeManifest,
  MANIFEST_HEADER_SIZE,
  MANIFEST_MAGIC,
  MANIFEST_VERSION,
  type Manifest,
} from './manifest-codec.js'
import { encodePortable } from './roaring-portable.js'
import { manifests } from './testing/arbitraries.js'
import {
  decodeTombstoneFile,
  encodeTombstoneFile,
  TOMBSTONE_HEADER_SIZE,
  TOMBSTONE_MAGIC,
  TOMBSTONE_VERSION,
} from './tombstone-file.js'

const [sample] = fc.sample(
  manifests.filter(m => m.roots.some(r => r.view && r.view.segments.length > 0 && r.lastScan?.listFile)),
  { seed: 5, numRuns: 1 },
)

describe('a manifest', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(manifests, manifest => {
        // -0 is a number that JSON does not have.
        const plain: Manifest = JSON.parse(JSON.stringify(manifest))
        expect(JSON.parse(JSON.stringify(decodeManifest(encodeManifest(manifest), 'f')))).toEqual(plain)
      }),
    )
  })

  it('is refused at every truncation and with every byte flipped', () => {
    const bytes = encodeManifest(sample)
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeManifest(bytes.subarray(0, length), 'f')).toThrow(CorruptFileError)
    }
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice()
      flipped[at] ^= 1 << (at % 8)
      expect(() => decodeManifest(flipped, 'f')).toThrow(CorruptFileError)
    }
  })

  it('is refused if a right checksum covers wrong contents', () => {
    const good = JSON.stringify(
      JSON.parse(new TextDecoder().decode(encodeManifest(sample).subarray(MANIFEST_HEADER_SIZE, -4))),
    )
    const wrong = [
      good.replace(/"generation":\d+/, '"generation":-1'),
      good.replace(/"nextFile":\d+/, '"nextFile":"1"'),
      good.replace(/"nextView":\d+,/, ''),
      good.replace(/"kind":"(tree|list)"/, '"kind":"forest"'),
      good.replace(/"origin":"\w+"/, '"origin":"air"'),
      good.replace(/"partial":\w+/, '"partial":0'),
      good.replace(/"trust":"\w+"/, '"trust":"some"'),
      good.replace(/"followed":/, '"followed":{},"was":'),
      good.replace(/"segments":\[/, '"segments":[null,'),
      good.replace('"roots":[', '"roots":['.replace('[', '{"a":[')),
      'null',
      '[]',
    ]
    for (const json of wrong) {
      expect(json).not.toBe(good)
      expect(() => decodeManifest(withJson(json), 'f'), json.slice(0, 200)).toThrow(CorruptFileError)
    }
    expect(decodeManifest(withJson(good), 'f')).toEqual(sample)
  })

  it('may say anything at any depth and length under a right checksum', () => {
    const good = new TextDecoder().decode(encodeManifest(sample).subarray(MANIFEST_HEADER_SIZE, -4))
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    for (const json of [good.replace(/"generation":\d+/, `"generation":${deep}`), deep]) {
      expect(() => decodeManifest(withJson(json), 'f')).toThrow(CorruptFileError)
    }
    const infinite = good.replace(/"startedAt":[^,]+/, '"startedAt":1e999')
    expect(() => decodeManifest(withJson(infinite), 'f')).toThrow(/expected a number in .*startedAt, found Infinity/)
    const prefixOf = (digits: number): string => good.replace(/"prefix":"\w*"/, `"prefix":"${'7'.repeat(digits)}"`)
    expect(decodeManifest(withJson(prefixOf(9_000_000)), 'f').roots[0].prefix.length).toBe(4_500_000)
    expect(() => decodeManifest(withJson(prefixOf(3)), 'f')).toThrow(CorruptFileError)
  })

  it('of another version is refused by name', () => {
    for (const version of [0, MANIFEST_VERSION + 1]) {
      const bytes = encodeManifest(sample)
      const view = new DataView(bytes.buffer)
      view.setUint32(8, version, true)
      view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true)
      expect(() => decodeManifest(bytes, 'f')).toThrow(UnsupportedVersionError)
    }
  })

  it('of version 1 says that nobody follows its roots', () => {
    const file = readFileSync(new URL('../fixtures/manifest-1', import.meta.url))
    const { roots, ...numbers } = decodeManifest(file, 'f')
    expect(numbers).toEqual({
      storeId: '00112233445566778899aabbccddeeff',
      generation: 12,
      incarnation: 3,
      nextFile: 8,
      nextView: 5,
    })
    expect(roots.map(({ spec, followed, trust, wholeUntilMs }) => [spec.path, followed, trust, wholeUntilMs])).toEqual([
      ['/home/ada', null, 'none', 0],
      ['/lists/nas.efu', null, 'none', 0],
    ])
    expect(roots[0].view).toMatchObject({ replayFrom: 4, applied: [['w/1', 17]], unlisted: [9] })
    expect(roots[1].lastScan?.listFile).toEqual({ sizeBytes: 4711, modifiedMs: 1.5e12, inode: '99' })
    // Written again it is one of today.
    expect(decodeManifest(encodeManifest({ ...numbers, roots }), 'f')).toEqual({ ...numbers, roots })
  })
})

function withJson(json: string): Uint8Array {
  const text = new TextEncoder().encode(json)
  const bytes = new Uint8Array(MANIFEST_HEADER_SIZE + text.length + 4)
  const view = new DataView(bytes.buffer)
  bytes.set(new TextEncoder().encode(MANIFEST_MAGIC))
  view.setUint32(8, MANIFEST_VERSION, true)
  view.setUint32(12, text.length, true)
  bytes.set(text, MANIFEST_HEADER_SIZE)
  view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true)
  return bytes
}

describe('a tombstone file', () => {
  const file = { segment: 12, generation: 3, count: 2, bitmap: encodePortable(Uint32Array.of(5, 70_000)) }

  it('comes back as it was written', () => {
    const found = decodeTombstoneFile(encodeTombstoneFile(file), 'f')
    expect({ ...found, bitmap: [...found.bitmap] }).toEqual({ ...file, bitmap: [...file.bitmap] })
  })

  it('is refused at every truncation and with every byte flipped', () => {
    const bytes = encodeTombstoneFile(file)
    for (let at = 0; at < bytes.length; at++) {
      expect(() => decodeTombstoneFile(bytes.subarray(0, at), 'f')).toThrow(CorruptFileError)
      const flipped = bytes.slice()
      flipped[at] ^= 0x10
      expect(() => decodeTombstoneFile(flipped, 'f')).toThrow(CorruptFileError)
    }
  })

  it('is refused if its bitmap is not one of as many ids', () => {
    const { bitmap } = file
    for (const wrong of [
      { ...file, count: 3 },
      { ...file, bitmap: new Uint8Array(0) },
      { ...file, bitmap: Uint8Array.of(1, 2, 3, 4, 5) },
      { ...file, bitmap: new Uint8Array([...bitmap, 0]) },
      { ...file, bitmap: bitmap.subarray(0, -1) },
    ]) {
      expect(() => decodeTombstoneFile(encodeTombstoneFile(wrong), 'f')).toThrow(CorruptFileError)
    }
    expect(decodeTombstoneFile(encodeTombstoneFile({ ...file, count: 0, bitmap: new Uint8Array(0) }), 'f').count).toBe(
      0,
    )
  })

  it('of another version is refused by name', () => {
    const bytes = encodeTombstoneFile(file)
    const view = new DataView(bytes.buffer)
    view.setUint32(8, TOMBSTONE_VERSION + 1, true)
    view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true)
    expect(() => decodeTombstoneFile(bytes, 'f')).toThrow(UnsupportedVersionError)
  })
})

describe('docs/formats/manifest.md', () => {
  const doc = readFileSync(new URL('../../../docs/formats/manifest.md', import.meta.url), 'utf8')
  const shown = (magic: string): string => `\`${JSON.stringify(magic).slice(1, -1).replaceAll('\\u0000', '\\0')}\``

  it('names every key of the text, in order', () => {
    const json: unknown = JSON.parse(
      new TextDecoder().decode(encodeManifest(sample).subarray(MANIFEST_HEADER_SIZE, -4)),
    )
    const documented = new Set([...doc.matchAll(/`(\w+)`/g)].map(match => match[1]))
    const tables = doc.split('## Layout')[1].split('## Tombstone')[0]
    const rows = [...tables.matchAll(/^\| `(\w+)` \|/gm)].map(match => match[1])
    const visit = (value: unknown): void => {
      if (Array.isArray(value)) for (const item of value) visit(item)
      else if (typeof value === 'object' && value !== null) {
        const keys = Object.keys(value)
        for (const key of keys) expect(documented, key).toContain(key)
        if (!keys.includes('inode')) expect(rows.join()).toContain(keys.join())
        for (const item of Object.values(value)) visit(item)
      }
    }
    visit(json)
  })

  it('gives both layouts', () => {
    for (const magic of [MANIFEST_MAGIC, TOMBSTONE_MAGIC]) expect(doc).toContain(shown(magic))
    expect(doc).toContain(`# The manifest, version ${MANIFEST_VERSION}\n`)
    expect(doc).toContain(`| ${MANIFEST_HEADER_SIZE} | length | text |`)
    const fields = [...doc.split('## Tombstone files')[1].matchAll(/^\| (\d+) \| (\d+) \|/gm)]
    let end = 0
    for (const [, offset, size] of fields) {
      expect(Number(offset)).toBe(end)
      end = Number(offset) + Number(size)
    }
    expect(end).toBe(TOMBSTONE_HEADER_SIZE)
  })
})
