import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import type { RecordSpec } from '../testing/usn-bytes.js'
import { replyBytes } from '../testing/usn-reply-bytes.js'
import { MAX_RECORD_BYTES } from './usn-layout.js'
import { UsnReplies } from './usn-reply.js'
import { UsnRows } from './usn-rows.js'

const CALL = '\\\\.\\C: FSCTL_READ_USN_JOURNAL'
const ROUNDS = process.env.SOAK === '1' ? 1_000_000 : 50_000
const SEED = Number(process.env.SEED ?? 20_262)

function namesIn(rows: UsnRows): string[] {
  return Array.from({ length: rows.count }, (_, row) =>
    Buffer.from(rows.names.subarray(rows.nameOffsets[row]!, rows.nameOffsets[row + 1]!)).toString(),
  )
}

function journal(reply: Uint8Array, from: number) {
  const replies = new UsnReplies(CALL)
  const rows = UsnRows.forPiece(reply.length)
  const next = replies.journal(reply, from, rows)
  return { next, rows, names: namesIn(rows), stats: replies.stats }
}

describe('replies of FSCTL_READ_USN_JOURNAL', () => {
  const specs: RecordSpec[] = [
    {
      record: 40,
      sequence: 3,
      parent: 5,
      parentSequence: 5,
      name: 'Gr\u00fc\u00dfe',
      reasons: 0x100,
      attributes: 0x20,
    },
    { version: 4 },
    { version: 3, record: 41, sequence: 1, parent: 40, parentSequence: 3, name: 'b', reasons: 0x80000200 },
    { version: 3, record: 42, high: 1n, name: 'c' },
  ]

  it('have rows for named records, whatever lies between their positions', () => {
    const { next, rows, names, stats } = journal(
      replyBytes(90_000n, specs, i => 4096 * (i + 1)),
      4096,
    )
    expect(next).toBe(90_000)
    expect(names).toEqual(['Gr\u00fc\u00dfe', 'b', 'c'])
    expect([...rows.usn.subarray(0, 3)]).toEqual([4096, 12_288, 16_384])
    expect([...rows.record.subarray(0, 3)]).toEqual([40, 41, 0xffffffff])
    expect([...rows.sequence.subarray(0, 2)]).toEqual([3, 1])
    expect([...rows.parent.subarray(0, 2)]).toEqual([5, 40])
    expect([...rows.reasons.subarray(0, 2)]).toEqual([0x100, 0x80000200])
    expect(rows.attributes[0]).toBe(0x20)
    expect(stats).toEqual({ records: 3, ranges: 1, unknown: 0 })
  })

  it('may be empty: the end of the journal', () => {
    expect(
      journal(
        replyBytes(512n, [], () => 0),
        512,
      ),
    ).toMatchObject({ next: 512, names: [] })
  })

  it('step over versions that are not known', () => {
    const reply = replyBytes(512n, [{ name: 'a' }, { name: 'b' }], i => 64 * i)
    new DataView(reply.buffer).setUint16(8 + 4, 7, true)
    expect(journal(reply, 0)).toMatchObject({ names: ['b'], stats: { records: 1, unknown: 1 } })
  })

  const cases: [string, (view: DataView) => void, number, string, string][] = [
    ['a position before the one asked for', v => v.setBigInt64(0, 8n, true), 0, 'a position of 64 or more', '8'],
    ['a negative position', v => v.setBigInt64(0, -1n, true), 0, 'a position of 64 or more', '-1'],
    ['no length', v => v.setUint32(8, 0, true), 8, 'a multiple of 8 of at most 192', '0'],
    ['a length of no multiple', v => v.setUint32(8, 66, true), 8, 'a multiple of 8', '66'],
    ['a length behind the end', v => v.setUint32(8, 200, true), 8, 'at most 192', '200'],
    ['a short record', v => v.setUint32(8, 56, true), 8, '60 bytes or more', '56'],
    ['a version that never was', v => v.setUint16(12, 1, true), 12, 'a version from 2 on', '1'],
    ['a position that falls', v => v.setBigInt64(8 + 64 + 24, 64n, true), 96, 'a position from 65 on', '64'],
    ['a position behind the next', v => v.setBigInt64(8 + 24, 999n, true), 32, 'before 512', '999'],
    ['a name behind its record', v => v.setUint16(8 + 56, 300, true), 66, 'inside of the 64 bytes', '300 from 60 on'],
    ['a name of half units', v => v.setUint16(8 + 56, 1, true), 64, 'a name of 255 units', '1 bytes'],
  ]

  it.each(cases)('are refused: %s', (_, change, offset, expected, found) => {
    const reply = replyBytes(512n, [{ name: 'a' }, { name: 'b' }, { name: 'c' }], i => 64 * (i + 1))
    change(new DataView(reply.buffer))
    let error: unknown
    try {
      journal(reply, 64)
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(CorruptFileError)
    expect(error).toMatchObject({ file: CALL, offset, found })
    expect((error as CorruptFileError).expected).toContain(expected)
  })

  it('are refused wherever they are cut off', () => {
    const reply = replyBytes(512n, [{ name: 'abc' }, { version: 3, name: 'defg' }, { version: 4 }], i => 64 * (i + 1))
    const ends = new Set([8, 8 + 72, 8 + 72 + 88, reply.length])
    for (let length = 0; length <= reply.length; length++) {
      const cut = reply.slice(0, length)
      if (ends.has(length)) journal(cut, 0)
      else expect(() => journal(cut, 0), `${length}`).toThrow(CorruptFileError)
    }
  })
})

describe('replies of FSCTL_ENUM_USN_DATA', () => {
  const next = (42n << 48n) | 99n

  it('have a row for each file, with any position', () => {
    const rows = UsnRows.forPiece(4096)
    const reply = replyBytes(
      next,
      [
        { record: 30, name: 'a' },
        { record: 98, version: 3, name: 'b' },
      ],
      i => 4096 - 8 * i,
    )
    expect(new UsnReplies('e').names(reply, 0n, rows)).toBe(next)
    expect(namesIn(rows)).toEqual(['a', 'b'])
    expect([...rows.record.subarray(0, 2)]).toEqual([30, 98])
  })

  it('always lead on', () => {
    const rows = UsnRows.forPiece(64)
    const replies = new UsnReplies('e')
    expect(() =>
      replies.names(
        replyBytes(next, [], () => 0),
        next,
        rows,
      ),
    ).toThrow(CorruptFileError)
    expect(() =>
      replies.names(
        replyBytes(next, [{ name: 'a' }], () => -8),
        0n,
        rows,
      ),
    ).toThrow(/expected a position/)
  })
})

describe('damaged replies', () => {
  it(`${ROUNDS.toLocaleString('en')} of them, seed ${SEED}: rows inside of the reply, or CorruptFileError`, {
    timeout: 900_000,
  }, () => {
    let state = SEED >>> 0
    const random = (limit: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * limit)
    }
    const specs = Array.from({ length: 40 }, (_, i): RecordSpec => {
      const version = ([2, 2, 3, 4] as const)[i % 4]!
      return { version, record: i, sequence: 1, parent: 5, name: version === 4 ? '' : 'n'.repeat(1 + random(40)) }
    })
    const whole = replyBytes(1_000_000n, specs, i => 8192 + 128 * i)
    const bytes = new Uint8Array(whole.length)
    const view = new DataView(bytes.buffer)
    const rows = UsnRows.forPiece(whole.length)
    const replies = new UsnReplies('mutated')
    let refused = 0
    for (let round = 0; round < ROUNDS; round++) {
      bytes.set(whole)
      for (let i = random(3); i >= 0; i--) {
        const at = random(bytes.length - 8)
        switch (random(4)) {
          case 0:
            bytes[at]! ^= 1 << random(8)
            break
          case 1:
            view.setUint16(at & ~1, random(700), true)
            break
          case 2:
            view.setUint32(at & ~7, random(2) === 0 ? random(2 ** 32) : 8 * random(2 * MAX_RECORD_BYTES), true)
            break
          default:
            bytes.copyWithin(at & ~7, random(bytes.length) & ~7, bytes.length)
        }
      }
      const reply = bytes.subarray(0, random(4) === 0 ? random(bytes.length + 1) : bytes.length)
      rows.clear()
      try {
        if (random(2) === 0) replies.journal(reply, 8192, rows)
        else replies.names(reply, 0n, rows)
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw new Error(`seed ${SEED}, round ${round}`, { cause: error })
        if (error.offset > reply.length) throw new Error(`seed ${SEED}, round ${round}: ${error.message}`)
        refused++
      }
      if (rows.count > specs.length * 2) throw new Error(`seed ${SEED}, round ${round}: ${rows.count} rows`)
    }
    expect(refused).toBeGreaterThan(ROUNDS / 4)
    expect(refused).toBeLessThan(ROUNDS)
  })
})
