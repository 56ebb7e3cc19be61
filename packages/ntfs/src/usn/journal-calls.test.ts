import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { enumRequest, parseJournalData, parseVolumeData, readRequest } from './journal-calls.js'

const CALL = 'C: FSCTL_QUERY_USN_JOURNAL'

function journalData(bytes: number): Uint8Array {
  const data = Buffer.alloc(80)
  data.writeBigUInt64LE(0x01da_4989_0000_00d5n, 0)
  data.writeBigInt64LE(4_194_304n, 8)
  data.writeBigInt64LE(8_388_608n, 16)
  data.writeBigInt64LE(1_048_576n, 24)
  data.writeBigInt64LE(0x7fff_ffff_ffff_0000n, 32)
  data.writeBigUInt64LE(33_554_432n, 40)
  data.writeBigUInt64LE(8_388_608n, 48)
  data.writeUInt16LE(2, 56)
  data.writeUInt16LE(4, 58)
  data.writeUInt32LE(1, 60)
  return new Uint8Array(data.subarray(0, bytes))
}

describe('USN_JOURNAL_DATA', () => {
  const v0 = {
    id: '01da4989000000d5',
    firstUsn: 4_194_304,
    nextUsn: 8_388_608,
    size: 8_388_608,
    lowestValidUsn: 1_048_576,
    maximumSize: 33_554_432,
    allocationDelta: 8_388_608,
  }

  it.each([
    [56, undefined, false],
    [64, { min: 2, max: 4 }, false],
    [80, { min: 2, max: 4 }, true],
  ])('of %i bytes', (bytes, versions, tracksRanges) => {
    expect(parseJournalData(CALL, journalData(bytes))).toEqual({ ...v0, versions, tracksRanges })
  })

  it('is refused when it is short', () => {
    for (let bytes = 0; bytes < 56; bytes++)
      expect(() => parseJournalData(CALL, journalData(bytes))).toThrow(CorruptFileError)
  })

  it.each([
    ['firstUsn', 8, -1n],
    ['firstUsn', 8, 2n ** 53n],
    ['nextUsn', 16, 4_194_303n],
    ['lowestValidUsn', 24, -8n],
  ])('is refused: %s', (_, at, value) => {
    const data = journalData(80)
    new DataView(data.buffer, data.byteOffset).setBigInt64(at, value, true)
    expect(() => parseJournalData(CALL, data)).toThrow(expect.objectContaining({ file: CALL, offset: at }))
  })
})

describe('requests', () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

  it('for the journal: all reasons, V2 to V3, without waiting', () => {
    expect(hex(readRequest('01da4989000000d5', 0x1_0000_0008))).toBe(
      `${'0800000001000000'}${'ffffffff'}${'00000000'}${'00'.repeat(16)}${'d50000008949da01'}${'02000300'}${'00000000'}`,
    )
  })

  it('for names: from a reference on, of any position', () => {
    expect(hex(enumRequest(0x0005_0000_0000_0005n))).toBe(
      `${'0500000000000500'}${'00'.repeat(8)}${'ffffffffffffff7f'}${'02000300'}${'00000000'}`,
    )
  })
})

describe('NTFS_VOLUME_DATA_BUFFER', () => {
  const data = new Uint8Array(96)
  const view = new DataView(data.buffer)
  view.setBigUint64(0, 0x0123_4567_89ab_cdefn, true)
  view.setUint32(48, 1024, true)
  view.setBigInt64(56, 262_144n, true)

  it('says serial number and records', () => {
    expect(parseVolumeData('v', data)).toEqual({ serial: '0123456789abcdef', records: 256 })
  })

  it('is refused when it cannot be', () => {
    expect(() => parseVolumeData('v', data.subarray(0, 95))).toThrow(CorruptFileError)
    for (const [at, value] of [
      [48, 0],
      [56, 0],
      [56, -1],
    ] as const) {
      const bad = data.slice()
      new DataView(bad.buffer).setBigInt64(at, BigInt(value), true)
      expect(() => parseVolumeData('v', bad)).toThrow(CorruptFileError)
    }
  })
})
