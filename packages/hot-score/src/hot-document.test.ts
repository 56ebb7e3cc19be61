import { readFileSync } from 'node:fs'
import { crc32c } from '@hotpath/index-format'
import { describe, expect, it } from 'vitest'
import {
  encodeHotHeader,
  HOT_HEADER_BYTES,
  HOT_HEADER_FIELDS,
  HOT_MAGIC,
  HOT_RECORD_BYTES,
  HOT_VERSION,
} from './hot-file.js'
import { HOT_RECORD_FIELDS, Word } from './hot-record.js'
import { HotTable } from './hot-table.js'
import { pathRef, volumeKey } from './node-key.js'
import { DEFAULT_SCORING } from './scoring.js'

const page = readFileSync(new URL('../../../docs/formats/hot.md', import.meta.url), 'utf8')

/** Fields of the table under a heading: name to [offset, size]. */
function fieldsUnder(heading: string): Record<string, number[]> {
  const part = page.split('\n## ').find(section => section.startsWith(heading)) ?? ''
  const rows = [...part.matchAll(/^\| (\d+) \| (\d+) \| (\w+) \|/gm)]
  return Object.fromEntries(rows.map(([, offset, size, name]) => [name, [Number(offset), Number(size)]]))
}

describe('docs/formats/hot.md', () => {
  it('has the fields of the header and of a record, side by side without gaps', () => {
    expect(page).toContain(`# Hot records, version ${HOT_VERSION}`)
    const header = fieldsUnder(`Header (${HOT_HEADER_BYTES} bytes)`)
    const record = fieldsUnder(`Record (${HOT_RECORD_BYTES} bytes)`)
    expect(header).toEqual(HOT_HEADER_FIELDS)
    expect(record).toEqual(HOT_RECORD_FIELDS)
    for (const [fields, size] of [
      [header, HOT_HEADER_BYTES],
      [record, HOT_RECORD_BYTES],
    ] as const) {
      let end = 0
      for (const [offset, length] of Object.values(fields)) {
        expect(offset).toBe(end)
        end = offset + length
      }
      expect(end).toBe(size)
    }
    const words = Object.values(record).map(([offset]) => offset / 4)
    expect(words).toEqual(Object.values(Word))
  })

  it('is what is written', () => {
    const header = Buffer.from(encodeHotHeader())
    expect(header.toString('latin1', 0, 8)).toBe(HOT_MAGIC)
    expect(page).toContain(`\`${JSON.stringify(HOT_MAGIC).slice(1, -1).replace('\\u0000', '\\0')}\``)
    expect(header.toString('hex')).toBe(
      `4850484f54000d0a0100000020000000${'00'.repeat(12)}${hexOf(crc32c(header, 0, 28))}`,
    )
    const table = new HotTable(DEFAULT_SCORING)
    table.put({ volume: 1, low: 2, high: 3, birth: 4 }, { runs: 5, opened: 6, heat: 1.5 })
    const write = table.page(0)
    const record = Buffer.from(write.bytes).subarray(HOT_RECORD_BYTES)
    expect(write.offset).toBe(0)
    expect(record.toString('hex')).toBe(`${hexOf(crc32c(record, 4))}${[1, 2, 3, 4, 5, 6].map(hexOf).join('')}0000c03f`)
  })

  it('hashes as ids of hits have always done', () => {
    const bytes = new TextEncoder().encode('/usr/lib')
    expect([volumeKey('volume'), pathRef(bytes, bytes.subarray(5))]).toEqual(GOLDEN)
  })
})

/** Changing these orphans the records of every volume, and of every list. */
const GOLDEN = [3456500070, { low: 3599673104, high: 3022615922, birth: 992690264 }]

function hexOf(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes.toString('hex')
}
