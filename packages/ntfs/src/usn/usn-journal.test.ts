import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { drive, type ReadRequest } from '../stream.js'
import { readFixture } from '../testing/fixture.js'
import { namedLines, usnLine } from '../testing/usn-lines.js'
import { Volume } from '../volume.js'
import { continuationOf, type JournalState } from './journal-state.js'
import { UsnJournal } from './usn-journal.js'
import { PAGE } from './usn-layout.js'
import { UsnParser } from './usn-parser.js'
import { UsnReader } from './usn-reader.js'

type Read = (request: ReadRequest) => Uint8Array

const JOURNALS = ['v2', 'v3', 'mix', 'mix4', 'appended', 'trimmed', 'restamped', 'recreated', 'tiny']
const FIRST_ID = 133_500_000_000_000_001n.toString(16).padStart(16, '0')
const SECOND_ID = 133_500_000_000_000_002n.toString(16).padStart(16, '0')
const START = 4 * 1024 * 1024

function findJournal(name: string, around: (read: Read) => Read = read => read) {
  const fixture = readFixture(`journal-${name}`)
  const read = around(fixture.read)
  const journal = drive(UsnJournal.open(drive(Volume.open(name), read)), read)
  return { journal, read, truth: fixture.truth }
}

function openJournal(name: string, around?: (read: Read) => Read) {
  const { journal, ...rest } = findJournal(name, around)
  if (typeof journal === 'string') throw new Error(`${name}: ${journal}`)
  return { journal, ...rest }
}

function readAll(journal: UsnJournal, read: Read, from = journal.firstUsn) {
  const reader = new UsnReader(journal, from)
  const rows = UsnReader.rows()
  const lines: string[] = []
  const damages: CorruptFileError[] = []
  while (drive(reader.read(rows), read)) {
    for (let row = 0; row < rows.count; row++) lines.push(usnLine(rows, row))
    if (reader.damage !== undefined) damages.push(reader.damage)
  }
  return { reader, lines, damages }
}

/** Bytes in which some stand for others. */
function replaced(bytes: Uint8Array, what: Buffer, by: Buffer): Uint8Array {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(what)
  if (at >= 0) bytes.set(by, at)
  return bytes
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le')
}

describe('the change journal of a volume', () => {
  it.each(JOURNALS)('has the records that were written: %s', name => {
    const { journal, read, truth } = openJournal(name)
    const { reader, lines, damages } = readAll(journal, read)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines).toEqual(namedLines(truth))
    expect(damages).toEqual([])
    const ranges = truth.filter(line => line.split('\t')[1] === '4').length
    expect(reader.stats).toEqual({ records: lines.length, ranges, unknown: 0, damaged: 0 })
    expect(reader.nextUsn).toBe(journal.size)
    expect(drive(journal.endOfRecords(), read)).toBe(journal.size)
    expect(drive(reader.read(UsnReader.rows()), read)).toBe(false)
  })

  it('says what it was created with', () => {
    expect(openJournal('v2').journal.settings).toEqual({
      maximumSize: 0x2000000,
      allocationDelta: 0x800000,
      id: FIRST_ID,
      lowestValidUsn: 0,
    })
    expect(openJournal('restamped').journal.now).toMatchObject({
      id: SECOND_ID,
      lowestValidUsn: 0x500000,
      firstUsn: 0x500000,
    })
  })

  it('is found with few reads, none of the hole before it', () => {
    let bytes = 0
    const { journal, read } = openJournal('v2', inner => request => {
      bytes += request.length
      return inner(request)
    })
    expect(bytes).toBeLessThan(16 * 1024)
    expect(journal.firstUsn).toBe(START)
    expect(journal.nextStored(0)).toBe(START)
    readAll(journal, read, journal.firstUsn)
    expect(bytes).toBeLessThan(8 * 1024 + 2 * (journal.size - START))
  })

  it('is absent after it was deleted', () => {
    expect(findJournal('deleted').journal).toBe('absent')
  })

  it.each(['$J', '$Max'])('is inactive without %s', stream => {
    const { journal } = findJournal(
      'v2',
      inner => request => replaced(inner(request), utf16(stream), utf16('$'.padEnd(stream.length, 'x'))),
    )
    expect(journal).toBe('inactive')
  })

  it('says what of its settings cannot be', () => {
    // The last two fields of $Max in the record of the file: the id, and the first position.
    const field = Buffer.alloc(16)
    field.writeBigUInt64LE(BigInt(`0x${FIRST_ID}`))
    const negative = Buffer.from(field)
    negative.writeBigInt64LE(-8n, 8)
    const open = () => findJournal('v2', inner => request => replaced(inner(request), field, negative))
    expect(open).toThrow(CorruptFileError)
    expect(open).toThrow('expected a position, found -8')
  })

  it('continues where it was left', () => {
    const { journal, read, truth } = openJournal('v2')
    const all = namedLines(truth)
    const from = Number(all[123]!.split('\t')[0])
    expect(readAll(journal, read, from).lines).toEqual(all.slice(123))
    expect(readAll(journal, read, journal.size).lines).toEqual([])
  })

  it('refuses to begin where nothing is stored any more', () => {
    const { journal } = openJournal('trimmed')
    expect(() => new UsnReader(journal, 0)).toThrow(RangeError)
    expect(() => new UsnReader(journal, journal.firstUsn - 8)).toThrow(RangeError)
  })

  it('tells what became of a journal that was followed', () => {
    const end: JournalState = { id: FIRST_ID, nextUsn: openJournal('v2').journal.size }
    const now = (name: string) => {
      const { journal } = findJournal(name)
      return typeof journal === 'string' ? journal : journal.now
    }
    expect(continuationOf(end, now('v2'))).toEqual({ kind: 'replay', from: end.nextUsn })
    expect(continuationOf({ ...end, nextUsn: START + PAGE }, now('appended'))).toEqual({
      kind: 'replay',
      from: START + PAGE,
    })
    expect(continuationOf(end, now('trimmed'))).toEqual({ kind: 'rescan', reason: 'wrapped' })
    expect(continuationOf(end, now('appended'))).toEqual({ kind: 'rescan', reason: 'truncated' })
    expect(continuationOf(end, now('restamped'))).toEqual({ kind: 'rescan', reason: 'restamped' })
    expect(continuationOf(end, now('recreated'))).toEqual({ kind: 'rescan', reason: 'recreated' })
    expect(continuationOf(end, now('deleted'))).toEqual({ kind: 'rescan', reason: 'deleted' })
  })

  it('goes on with what was appended behind zeros', () => {
    const { journal, read, truth } = openJournal('appended')
    const all = namedLines(truth)
    const usnOf = (line: string) => Number(line.split('\t')[0])
    const seam = usnOf(all[100]!)
    // As the journal was before: its last page is filled up with zeros.
    const parser = new UsnParser('before')
    const rows = UsnReader.rows()
    expect(parser.parse(drive(journal.read(START, seam - START), read), START, rows)).toBe(seam)
    expect(rows.count).toBe(100)
    expect(seam - parser.nextUsn).toBeGreaterThan(1024)
    expect(readAll(journal, read, parser.nextUsn).lines).toEqual(all.slice(100))
  })

  it('says where it is damaged and goes on at the next page', () => {
    const { journal, read, truth } = openJournal('v2', inner => request => {
      const bytes = inner(request)
      // A reference with its position: found in the page by its usn field.
      const view = new DataView(bytes.buffer)
      for (let at = 0; bytes.length > PAGE && at + 32 <= bytes.length; at += 8)
        if (view.getBigInt64(at + 24, true) === BigInt(START + 2 * PAGE) && view.getUint16(at + 4, true) === 2)
          view.setUint16(at + 58, 7, true)
      return bytes
    })
    const { lines, damages, reader } = readAll(journal, read)
    const inPage = (line: string) => Math.floor((Number(line.split('\t')[0]) - START) / PAGE)
    expect(lines).toEqual(namedLines(truth).filter(line => inPage(line) !== 2))
    expect(damages.length).toBe(1)
    expect(damages[0]).toBeInstanceOf(CorruptFileError)
    expect(damages[0]).toMatchObject({ file: 'v2/$Extend/$UsnJrnl:$J', offset: START + 2 * PAGE + 58 })
    expect(reader.stats.damaged).toBe(1)
  })
})
