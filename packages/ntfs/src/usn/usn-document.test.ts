import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  DirectoryEntry,
  EnumRequestV1,
  JournalData,
  MAX_RECORD_BYTES,
  PAGE,
  ReadRequestV1,
  Reason,
  RecordHead,
  RecordReply,
  RecordV2,
  RecordV3,
  RecordV4,
  ReplyHead,
  Settings,
  VolumeData,
} from './usn-layout.js'

const page = readFileSync(new URL('../../../../docs/usn.md', import.meta.url), 'utf8')

/** Cells of the rows that begin with one of some names. */
function rows(pattern: RegExp): string[][] {
  return page
    .split('\n')
    .filter(line => pattern.test(line))
    .map(line => line.split('|').map(cell => cell.trim()))
}

describe('docs/usn.md', () => {
  it('has the fields of records where they are read', () => {
    const { bytes, referenceBytes, ...fields } = RecordV2
    for (const [name, offset] of Object.entries(fields)) {
      const [row] = rows(new RegExp(`^\\| ${name} \\| \\d+ \\| \\d+ \\|`))
      expect(row?.slice(2, 4), name).toEqual([String(offset), String(RecordV3[name as keyof typeof fields])])
    }
    expect(referenceBytes).toBe(8)
    expect(rows(/^\| bytes of all fields/)[0]!.slice(2, 5)).toEqual([bytes, RecordV3.bytes, RecordV4.bytes].map(String))
    expect(rows(/^\| usn/)[0]![4]).toBe(String(RecordV4.usn))
    expect(rows(/^\| extents/)[0]![4]).toBe(String(RecordV4.extents))
    expect(rows(/^\| major/)[0]![2]).toBe(String(RecordHead.major))
    expect(page).toContain(`page by page (${PAGE.toLocaleString('en')} bytes)`)
    expect(page).toContain(`longer than a page (${MAX_RECORD_BYTES.toLocaleString('en')} bytes)`)
  })

  it('has the fields of $Max', () => {
    for (const name of ['maximumSize', 'allocationDelta', 'id', 'lowestValidUsn'] as const)
      expect(rows(new RegExp(`^\\| \\d+ \\| ${name}\\b`))[0]![1]).toBe(String(Settings[name]))
  })

  it.each([
    ['USN_JOURNAL_DATA', JournalData],
    ['READ_USN_JOURNAL_DATA_V1', ReadRequestV1],
    ['MFT_ENUM_DATA_V1', EnumRequestV1],
    ['NTFS_VOLUME_DATA_BUFFER', VolumeData],
    ['NTFS_FILE_RECORD_OUTPUT_BUFFER', RecordReply],
    ['FILE_ID_BOTH_DIR_INFO', DirectoryEntry],
    ['replies with records', ReplyHead],
  ])('has the fields of %s', (structure, layout) => {
    const [row] = rows(new RegExp(`^\\| ${structure} \\|`))
    const fields = Object.fromEntries([...row![2]!.matchAll(/(\w+) (\d+)/g)].map(([, name, at]) => [name, Number(at)]))
    expect(fields).toEqual(layout)
  })

  it('has all reasons', () => {
    const documented = rows(/^\| \w+ \| 0x[0-9a-f]+ \|$/).map(([, name, bit]) => [name, Number(bit)])
    expect(Object.fromEntries(documented)).toEqual(Reason)
  })
})
