import { describe, expect, it } from 'vitest'
import { parseBootSector } from './boot-sector.js'
import { damageIn } from './testing/failure.js'
import { bootSector } from './testing/volume-builder.js'

const GOOD = { clusterBytes: 4096, recordBytes: 1024, clusters: 16_384 }
const AT = 1_000_000

function changed(change: (view: DataView) => void): Uint8Array {
  const bytes = bootSector(GOOD)
  change(new DataView(bytes.buffer))
  return bytes
}

const parse = (bytes: Uint8Array) => parseBootSector({ file: 'disk', bytes, offset: AT })

describe('boot sector', () => {
  it('says how a volume is laid out', () =>
    expect(parse(bootSector(GOOD))).toEqual({
      sectorBytes: 512,
      clusterBytes: 4096,
      recordBytes: 1024,
      clusters: 16_384,
      mftCluster: 16,
      mirrorCluster: 1,
      serial: '0000123456789abc',
    }))

  it.each([
    [512, 1, 512],
    [512, 8, 4096],
    [512, 128, 65_536],
    [512, 0xf9, 65_536],
    [512, 0xf4, 2_097_152],
    [4096, 1, 4096],
    [4096, 0xf7, 2_097_152],
  ])('reads sectors of %i bytes, field %i: clusters of %i', (sectorBytes, field, clusterBytes) => {
    const bytes = changed(view => {
      view.setUint16(11, sectorBytes, true)
      view.setUint8(13, field)
      view.setUint8(64, 0xf6)
    })
    expect(parse(bytes)).toMatchObject({ sectorBytes, clusterBytes, recordBytes: 1024 })
  })

  it.each([
    [0xf7, 512],
    [0xf6, 1024],
    [0xf4, 4096],
    [0xf0, 65_536],
    [1, 4096],
    [16, 65_536],
  ])('reads the field %i: records of %i bytes', (field, recordBytes) =>
    expect(parse(changed(view => view.setUint8(64, field)))).toMatchObject({ recordBytes }),
  )

  it.each([
    [
      3,
      'the OEM id "NTFS    "',
      '"EXFAT   "',
      (view: DataView) => new Uint8Array(view.buffer).set(Buffer.from('EXFAT   '), 3),
    ],
    ...[0, 128, 513, 8192].map(
      bytes =>
        [11, 'sectors of 256 to 4096 bytes', `${bytes}`, (view: DataView) => view.setUint16(11, bytes, true)] as const,
    ),
    ...(
      [
        [0, 0],
        [3, 1536],
        [0xf3, 4_194_304],
        [0x81, 512 * 2 ** 127],
      ] as const
    ).map(
      ([field, bytes]) =>
        [13, 'clusters of at most 2097152 bytes', `${bytes}`, (view: DataView) => view.setUint8(13, field)] as const,
    ),
    ...(
      [
        [0, 0],
        [3, 12_288],
        [0xf8, 256],
        [17, 69_632],
        [32, 131_072],
        [0xef, 131_072],
      ] as const
    ).map(
      ([field, bytes]) =>
        [64, 'records of 512 to 65536 bytes', `${bytes}`, (view: DataView) => view.setUint8(64, field)] as const,
    ),
    ...[2n ** 44n, 2n ** 64n - 1n].map(
      sectors =>
        [
          40,
          'sectors of at most 9007199254740991 bytes',
          `${Number(sectors)}`,
          (view: DataView) => view.setBigUint64(40, sectors, true),
        ] as const,
    ),
    [48, 'a cluster of the 0 of the volume', '16', (view: DataView) => view.setBigUint64(40, 7n, true)],
    ...[48, 56].flatMap(at =>
      [0n, 16_384n, 2n ** 63n].map(
        cluster =>
          [
            at,
            'a cluster of the 16384 of the volume',
            `${Number(cluster)}`,
            (view: DataView) => view.setBigUint64(at, cluster, true),
          ] as const,
      ),
    ),
  ] as const)('refuses at %i what is not %s: %s', (at, expected, found, change) =>
    expect(damageIn(() => parse(changed(change)))).toMatchObject({ file: 'disk', offset: AT + at, expected, found }),
  )

  it('refuses one that is cut off', () =>
    expect(damageIn(() => parse(bootSector(GOOD).slice(0, 511)))).toMatchObject({
      offset: AT,
      expected: '512 bytes of a boot sector',
      found: '511',
    }))
})
