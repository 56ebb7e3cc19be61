/** Pins docs/formats/change-log.md to the code and to bytes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32c } from '@hotpath/index-format'
import { encodeChanges, MAX_CHANGE_BYTES, PART_BYTES } from '@hotpath/protocol'
import { describe, expect, it } from 'vitest'
import { ChangeLog } from './change-log.js'
import {
  ChangeLogLayout,
  decodeLogHeader,
  decodeLogRecord,
  encodeLogHeader,
  encodeLogRecord,
  FileCipher,
  MAX_CONTENT_BYTES,
} from './log-file-format.js'
import { MAX_POSITION_BYTES } from './transaction-head.js'

const text = readFileSync(new URL('../../../../docs/formats/change-log.md', import.meta.url), 'utf8')
const epoch = '0123456789abcdef01234567'

/** field → [offset, size] of the layout table under a heading. */
function layout(heading: string): Record<string, unknown> {
  const section = text.split(`## ${heading}`)[1]!.split('\n## ')[0]!
  const rows = [...section.matchAll(/^\| (\d+) \| (\d+) \| (\w+) \|/gm)]
  return Object.fromEntries(rows.map(([, offset, size, name]) => [name, [Number(offset), Number(size)]]))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('docs/formats/change-log.md', () => {
  it('gives the layout of header and record', () => {
    expect(text).toContain(`# The log of changes of a followed database, version ${ChangeLogLayout.version}\n`)
    expect(text).toContain(`## Header (${ChangeLogLayout.headerBytes} bytes)`)
    expect(text).toContain(`## Record (${ChangeLogLayout.recordHeaderBytes} bytes and its content)`)
    expect(layout('Header')).toEqual(ChangeLogLayout.headerFields)
    expect(layout('Record')).toEqual(ChangeLogLayout.recordFields)
    expect(String.fromCharCode(...ChangeLogLayout.magic)).toBe('HPROW\0\r\n')
  })

  it('gives the bounds', () => {
    for (const bound of [MAX_CONTENT_BYTES, MAX_POSITION_BYTES, PART_BYTES, MAX_CHANGE_BYTES])
      expect(text).toMatch(new RegExp(`\\b${bound === MAX_CONTENT_BYTES ? bound + 16 : bound}\\b`))
  })

  it('gives these bytes', () => {
    expect(hex(encodeLogHeader({ epoch, number: 3, firstSequence: 17, created: 0 })).slice(0, -8)).toBe(
      [
        '4850524f57000d0a',
        '01000000',
        '00000000',
        Buffer.from(epoch).toString('hex'),
        '0000000000000840',
        '0000000000003140',
        '00'.repeat(8 + 16 + 16 + 4),
      ].join(''),
    )
    const [header, content] = encodeLogRecord({ flags: 3, number: 5, sequence: 17, content: Uint8Array.of(0xab) })
    expect(hex(header).slice(8)).toBe(['01000000', '03', '000000', '05000000', '0000000000003140'].join(''))
    expect(Buffer.from(header.buffer, header.byteOffset).readUInt32LE(0)).toBe(
      crc32c(Buffer.concat([header.subarray(4), content])),
    )
    const old = [null, -1n, 300n, 2n ** 40n, 1.5]
    const values = ['é', Uint8Array.of(9), { invalidText: Uint8Array.of(255) }]
    const group = [
      ['01000000', '74', '02000000'],
      ['02', '00', '0700000000000000'],
      ['05000000', '00', '06ff', '072c010000', '010000000000010000', '02000000000000f83f'],
      ['03000000', '0302000000c3a9', '040100000009', '0501000000ff'],
      ['03', '01', '01000000', '030100000061', '01000000', '030100000061'],
    ]
      .flat()
      .join('')
    const changes = encodeChanges([
      { table: 't', operation: 'update', key: 7n, old, new: values },
      { table: 't', operation: 'delete', key: ['a'], old: ['a'] },
    ])
    const length = Buffer.alloc(4)
    length.writeUInt32LE(group.length / 2)
    expect(hex(changes)).toBe(hex(length) + group)
  })

  it('gives the fields of the mark', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hotpath-mark-'))
    const log = ChangeLog.open(directory, { databaseId: 'x', name: 'x', boot: 'b' })
    log.close()
    const mark = JSON.parse(readFileSync(join(directory, 'changes.json'), 'utf8'))
    expect(readdirSync(directory).sort()).toEqual(['changes-000000000001.log', 'changes.json'])
    rmSync(directory, { recursive: true })
    expect(mark).toEqual({ version: 1, epoch: log.epoch, boot: 'b', closed: true, sequence: 0 })
    const documented = /`\{("version".*)\}`/.exec(text)![1]!
    expect([...documented.matchAll(/"(\w+)":/g)].map(([, name]) => name)).toEqual(Object.keys(mark))
  })
})

describe('a file of the log', () => {
  const key = new Uint8Array(32).fill(1)
  const salt = new Uint8Array(16).fill(2)
  const cipher = new FileCipher(key, salt)

  it('has a header that comes back, or none where a bit is another', () => {
    const header = { epoch, number: 3, firstSequence: 17, created: 5, salt, keyCheck: cipher.keyCheck }
    const bytes = encodeLogHeader(header)
    expect(decodeLogHeader(bytes)).toEqual(header)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(decodeLogHeader(flipped)).toBeUndefined()
    }
    expect(decodeLogHeader(bytes.subarray(0, bytes.length - 1))).toBeUndefined()
  })

  it.each([
    ['in clear', undefined],
    ['encrypted', cipher],
  ])('has records %s that come back, or none where a bit is another', (_, one) => {
    const record = { flags: 2, number: 9, sequence: 4, content: new Uint8Array([1, 2, 3]) }
    const [header, stored] = encodeLogRecord(record, one)
    expect(decodeLogRecord(header, stored, one)).toMatchObject({ flags: 2, number: 9, sequence: 4 })
    expect([...decodeLogRecord(header, stored, one)!.content]).toEqual([1, 2, 3])
    const whole = Buffer.concat([header, stored])
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const flipped = Buffer.from(whole)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(decodeLogRecord(flipped.subarray(0, 24), flipped.subarray(24), one)).toBeUndefined()
    }
  })

  it('authenticates what it encrypts: a right checksum alone does not make a record', () => {
    const record = { flags: 2, number: 9, sequence: 4, content: new Uint8Array([1, 2, 3]) }
    const [header, stored] = encodeLogRecord(record, cipher)
    const moved = Buffer.from(header)
    moved.writeDoubleLE(5, 16)
    moved.writeUInt32LE(crc32c(stored, 0, stored.length, crc32c(moved, 4)), 0)
    expect(decodeLogRecord(moved, stored, cipher)).toBeUndefined()
    expect(decodeLogRecord(header, stored, new FileCipher(key, new Uint8Array(16).fill(3)))).toBeUndefined()
    // The same content under another number is other bytes.
    expect(hex(encodeLogRecord({ ...record, number: 10 }, cipher)[1])).not.toBe(hex(stored))
  })
})
