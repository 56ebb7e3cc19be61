import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { protect } from '../testing/record-builder.js'
import { parseDirectoryEntries, parseRecordReply, recordReplyBytes, recordRequest, referenceOf } from './node-calls.js'

const CALL = 'C: FSCTL_GET_NTFS_FILE_RECORD'
const ROUNDS = process.env.SOAK === '1' ? 1_000_000 : 50_000
const SEED = Number(process.env.SEED ?? 20_262)

/** A record whose words are all different: as it is in memory, and as it is stored. */
function recordOf(bytes: number): { memory: Uint8Array; stored: Uint8Array } {
  const stored = new Uint8Array(bytes)
  new Uint16Array(stored.buffer).forEach((_, i, words) => {
    words[i] = i + 7
  })
  const view = new DataView(stored.buffer)
  view.setUint16(4, 48, true)
  view.setUint16(6, bytes / 512 + 1, true)
  const memory = stored.slice()
  protect(stored)
  // In memory the array has the word of the last write, and what the ends were before it: both are stale.
  memory.set(stored.subarray(48, 50), 48)
  return { memory, stored }
}

function replyWith(reference: bigint, record: Uint8Array, length = record.length): Uint8Array {
  const reply = new Uint8Array(12 + record.length)
  const view = new DataView(reply.buffer)
  view.setBigUint64(0, reference, true)
  view.setUint32(8, length, true)
  reply.set(record, 12)
  return reply
}

describe('records that Windows gives', () => {
  it('are asked for by their number, with the room that its page says', () => {
    expect(Buffer.from(recordRequest(0x1_0203_0405)).toString('hex')).toBe('0504030201000000')
    expect([recordReplyBytes(1024), recordReplyBytes(4096)]).toEqual([16 + 1024 - 1, 16 + 4096 - 1])
  })

  it.each([1024, 4096])('are as they are stored, whether their fix-ups are undone or not (%i bytes)', size => {
    const { memory, stored } = recordOf(size)
    for (const given of [memory, stored]) {
      const reply = replyWith(referenceOf(40, 3), given)
      const before = reply.slice()
      expect(Buffer.compare(parseRecordReply(CALL, reply, 40, size), stored)).toBe(0)
      // The reply is used again.
      expect(reply).toEqual(before)
    }
  })

  it('are zeros where another one is given: it is not in use', () => {
    const reply = replyWith(referenceOf(39, 1), recordOf(1024).memory)
    expect(parseRecordReply(CALL, reply, 40, 1024)).toEqual(new Uint8Array(1024))
  })

  it.each([
    ['a higher record', replyWith(41n, new Uint8Array(1024)), 0],
    ['a record of another size', replyWith(40n, new Uint8Array(4096)), 8],
    ['a record that the reply does not hold', replyWith(40n, new Uint8Array(512), 1024), 8],
    ['no head', new Uint8Array(8), 0],
  ])('are refused: %s', (_what, reply, offset) => {
    expect(() => parseRecordReply(CALL, reply, 40, 1024)).toThrow(
      expect.objectContaining({ name: 'CorruptFileError', offset }),
    )
  })
})

describe('entries of directories that Windows gives', () => {
  interface Entry {
    readonly name: string
    readonly reference: bigint
  }

  function entriesOf(entries: readonly Entry[], spare = 0): Uint8Array {
    const parts = entries.map(({ name, reference }, i) => {
      const bytes = Buffer.alloc(Math.ceil((104 + 2 * name.length) / 8) * 8)
      bytes.writeUInt32LE(i + 1 < entries.length ? bytes.length : 0, 0)
      bytes.writeUInt32LE(2 * name.length, 60)
      bytes.writeBigUInt64LE(reference, 96)
      bytes.write(name, 104, 'utf16le')
      return bytes
    })
    return new Uint8Array(Buffer.concat([...parts, Buffer.alloc(spare, 0xff)]))
  }

  it('are its files, without itself and the one above', () => {
    const bytes = entriesOf(
      [
        { name: '.', reference: referenceOf(40, 1) },
        { name: '..', reference: referenceOf(5, 5) },
        { name: '...', reference: referenceOf(41, 0xffff) },
        { name: 'Gr\u00fc\u00dfe', reference: referenceOf(0xffff_fff0, 2) },
      ],
      500,
    )
    expect(parseDirectoryEntries(CALL, bytes)).toEqual([
      { record: 41, sequence: 0xffff },
      { record: 0xffff_fff0, sequence: 2 },
    ])
  })

  it(`damaged ${ROUNDS.toLocaleString('en')} times, seed ${SEED}: files, or CorruptFileError`, {
    timeout: 900_000,
  }, () => {
    let state = SEED >>> 0
    const random = (limit: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * limit)
    }
    const count = 20
    const whole = entriesOf(
      Array.from({ length: count }, (_, i) => ({ name: 'n'.repeat(1 + random(20)), reference: BigInt(i) })),
    )
    let refused = 0
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = whole.slice()
      const view = new DataView(bytes.buffer)
      for (let i = random(8); i >= 0; i--) {
        const at = random(bytes.length - 8)
        if (random(2) === 0) bytes[at]! ^= 1 << random(8)
        else view.setUint32(at & ~3, random(2) === 0 ? random(2 ** 32) : 8 * random(64), true)
      }
      const part = bytes.subarray(0, random(4) === 0 ? random(bytes.length + 1) : bytes.length)
      try {
        const { length } = parseDirectoryEntries(CALL, part)
        if (length > part.length / 104) throw new Error(`seed ${SEED}, round ${round}: ${length} files`)
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw new Error(`seed ${SEED}, round ${round}`, { cause: error })
        refused++
      }
    }
    expect(refused).toBeGreaterThan(ROUNDS / 10)
    expect(refused).toBeLessThan(ROUNDS)
  })
})
