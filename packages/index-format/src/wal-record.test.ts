import { readFileSync } from 'node:fs'
import {
  type ChangeBatch,
  type ChangeColumns,
  CorruptFileError,
  type EntryColumns,
  InvalidInputError,
  Op,
  type RefColumn,
  UnsupportedVersionError,
} from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.js'
import { MAX_NAME_BYTES } from './names-block.js'
import { changeBatches } from './testing/arbitraries.js'
import {
  checkChangeBatch,
  decodeChangeBatch,
  encodeChangeBatch,
  encodeWalHeader,
  encodeWalRecord,
  MAX_BATCH_ROWS,
  MAX_ID_BYTES,
  MAX_WAL_RECORD_BYTES,
  readWal,
  WAL_HEADER_SIZE,
  WAL_MAGIC,
  WAL_RECORD_HEADER_SIZE,
  WAL_VERSION,
  WalRecordType,
} from './wal-record.js'

const STORE_ID = '00112233445566778899aabbccddeeff'

function sampleBatch(sequence: number): ChangeBatch {
  const [batch] = fc.sample(
    changeBatches.filter(b => b.changes.entries.count > 2),
    { seed: sequence, numRuns: 1 },
  )
  return { ...batch, sequence }
}

function sampleFile(count: number): Uint8Array {
  const parts = [encodeWalHeader({ number: 7, storeId: STORE_ID })]
  for (let i = 1; i <= count; i++) parts.push(encodeWalRecord(WalRecordType.changes, encodeChangeBatch(sampleBatch(i))))
  return new Uint8Array(Buffer.concat(parts))
}

/** Names that no dictionary takes. */
function longNames(count: number): Pick<EntryColumns, 'nameOffsets' | 'names'> {
  const nameOffsets = Uint32Array.from({ length: count + 1 }, (_, i) => i * (MAX_NAME_BYTES + 1))
  return { nameOffsets, names: new Uint8Array(nameOffsets[count]).fill(97) }
}

/** Rows as the fixtures have them. */
function rowsOf({ op, observed, parentRef, entries }: ChangeColumns): unknown[] {
  const known = (value: number): number | null => (Number.isNaN(value) ? null : value)
  const ref = ({ low, high, birth }: RefColumn, i: number): number[] => [low[i], high[i], birth[i]]
  const { names, nameOffsets, kind, size, modified } = entries
  return Array.from(op, (value, i) => ({
    op: value,
    parent: ref(parentRef, i),
    name: Buffer.from(names.subarray(nameOffsets[i], nameOffsets[i + 1])).toString(),
    kind: kind[i],
    size: known(size[i]),
    modified: modified && [known(modified.seconds[i]), modified.ticks[i]],
    ref: entries.ref && ref(entries.ref, i),
    ...(entries.access && { access: [entries.access.mode[i], entries.access.user[i], entries.access.group[i]] }),
    observed: observed[i],
  }))
}

/** Sequences of the batches that a file still holds. */
function sequencesOf(bytes: Uint8Array): number[] {
  return readWal(bytes, 'f').records.map(r => decodeChangeBatch(r.content, 'f', r.offset).sequence)
}

describe('change batches', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(changeBatches, batch => {
        checkChangeBatch(batch)
        expect(decodeChangeBatch(encodeChangeBatch(batch), 'f', 0)).toEqual(batch)
      }),
    )
  })

  it('write a value that all rows have once', () => {
    const batch = sampleBatch(1)
    const { changes } = batch
    const count = changes.entries.count
    const flat = { ...batch, changes: { ...changes, observed: new Float64Array(count).fill(5) } }
    const varied = { ...batch, changes: { ...changes, observed: Float64Array.from({ length: count }, (_, i) => i) } }
    expect(encodeChangeBatch(varied).length - encodeChangeBatch(flat).length).toBe((count - 1) * 8)
  })

  it('refuse every truncation and bytes behind the end', () => {
    const content = encodeChangeBatch(sampleBatch(3))
    for (let length = 0; length < content.length; length++) {
      expect(() => decodeChangeBatch(content.subarray(0, length), 'f', 0)).toThrow(CorruptFileError)
    }
    expect(() => decodeChangeBatch(new Uint8Array([...content, 0]), 'f', 0)).toThrow(CorruptFileError)
  })

  it('never fail in another way, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.uint8Array({ maxLength: 8 }), fc.nat(10_000), (seed, noise, at) => {
        const content = encodeChangeBatch(sampleBatch(seed + 1)).slice()
        content.set(noise.subarray(0, content.length), at % Math.max(1, content.length - noise.length))
        try {
          decodeChangeBatch(content, 'f', 0)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptFileError)
        }
      }),
    )
  })

  it('say where they are wrong, before anything is allocated', () => {
    const content = encodeChangeBatch(sampleBatch(3)).slice()
    const countAt = 2 + new TextEncoder().encode(sampleBatch(3).root).length + 3 + 3 + 8
    new DataView(content.buffer).setUint32(countAt, MAX_BATCH_ROWS + 1, true)
    expect(() => decodeChangeBatch(content, 'wal', 100)).toThrow(/"wal" at byte 1\d\d: expected at most 1048576 rows/)
  })

  it('are refused where they would have been before they were written', () => {
    const { changes, ...batch } = sampleBatch(3)
    const { entries } = changes
    const wrong: ChangeBatch[] = [
      { ...batch, changes, sequence: 0 },
      { ...batch, changes: { ...changes, observed: changes.observed.map(() => Number.NaN) } },
      { ...batch, changes: { ...changes, entries: { ...entries, names: entries.names.map(() => 47) } } },
      { ...batch, changes: { ...changes, entries: { ...entries, ...longNames(entries.count) } } },
    ]
    for (const one of wrong) {
      expect(() => decodeChangeBatch(encodeChangeBatch(one), 'wal', 100)).toThrow(
        expect.objectContaining({ code: 'CORRUPT_FILE', file: 'wal', offset: 100 }),
      )
    }
  })

  it('are checked before they are written', () => {
    const batch = sampleBatch(3)
    const { changes } = batch
    const { entries } = changes
    const bad: ChangeBatch[] = [
      { ...batch, sequence: 0 },
      { ...batch, root: 'x'.repeat(MAX_ID_BYTES + 1) },
      { ...batch, changes: { ...changes, op: changes.op.subarray(1) } },
      { ...batch, changes: { ...changes, op: changes.op.map(() => Op.named + 1) } },
      { ...batch, changes: { ...changes, op: changes.op.map(() => Op.listedFrom) } },
      { ...batch, changes: { ...changes, op: changes.op.map(() => Op.listedBefore) } },
      { ...batch, changes: { ...changes, observed: changes.observed.map(() => Number.NaN) } },
      { ...batch, changes: { ...changes, entries: { ...entries, kind: entries.kind.map(() => 4) } } },
      { ...batch, changes: { ...changes, entries: { ...entries, names: entries.names.map(() => 47) } } },
      { ...batch, changes: { ...changes, entries: { ...entries, names: entries.names.subarray(1) } } },
    ]
    for (const wrong of bad) expect(() => checkChangeBatch(wrong)).toThrow(InvalidInputError)
  })
})

describe('a log file', () => {
  const file = sampleFile(6)
  const ends = readWal(file, 'f').records.map(record => record.offset + record.content.length)

  it('is read back whole', () => {
    const contents = readWal(file, 'f')
    expect(contents.header).toEqual({ number: 7, storeId: STORE_ID })
    expect(contents.ending).toBe('complete')
    expect(sequencesOf(file)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('has these bytes', () => {
    const empty: ChangeBatch = { ...sampleBatch(1), root: 'r', sequence: 2 }
    const { changes } = empty
    const none = { ...changes.entries, count: 0 }
    const content = encodeChangeBatch({
      ...empty,
      changes: {
        op: new Uint8Array(0),
        observed: new Float64Array(0),
        parentRef: { low: new Uint32Array(0), high: new Uint32Array(0), birth: new Uint32Array(0) },
        entries: {
          ...none,
          kind: new Uint8Array(0),
          nameOffsets: new Uint32Array(1),
          names: new Uint8Array(0),
          size: new Float64Array(0),
          modified: undefined,
          created: undefined,
          attributes: undefined,
          ref: undefined,
        },
      },
    })
    const hex = Buffer.from(encodeWalRecord(WalRecordType.changes, content)).toString('hex')
    const body = ['010072', '010073', '010062', '0200000000000000', '00000000', '00000000', '01'.repeat(8)].join('')
    expect(hex.slice(8)).toBe(`${'21000000'}${'01000000'}${body}`)
    expect(hex.slice(0, 8)).toBe(
      Buffer.from(Uint32Array.of(crc32c(Buffer.from(hex.slice(8), 'hex'))).buffer).toString('hex'),
    )
    expect(Buffer.from(encodeWalHeader({ number: 7, storeId: STORE_ID })).toString('hex')).toMatch(
      new RegExp(`^485057414c000d0a${'04000000'}${'00000000'}${'0700000000000000'}${STORE_ID}${'00000000'}`),
    )
  })

  it('loses only what is cut off, at every length', () => {
    for (let length = 0; length <= file.length; length++) {
      const cut = file.subarray(0, length)
      if (length < WAL_HEADER_SIZE) {
        expect(() => readWal(cut, 'f')).toThrow(CorruptFileError)
        continue
      }
      const contents = readWal(cut, 'f')
      const whole = ends.filter(end => end <= length).length
      expect(contents.records.length).toBe(whole)
      expect(contents.ending).toBe(length === WAL_HEADER_SIZE || ends.includes(length) ? 'complete' : 'torn')
      expect(contents.validEnd).toBe(whole === 0 ? WAL_HEADER_SIZE : ends[whole - 1])
    }
  })

  it('keeps what stands before a flipped byte and nothing else', () => {
    for (let at = 0; at < file.length; at++) {
      const flipped = file.slice()
      flipped[at] ^= 1 << (at % 8)
      if (at < WAL_HEADER_SIZE) {
        expect(() => readWal(flipped, 'f')).toThrow(CorruptFileError)
        continue
      }
      const hit = ends.findIndex(end => at < end)
      expect(sequencesOf(flipped)).toEqual([1, 2, 3, 4, 5, 6].slice(0, hit))
      expect(readWal(flipped, 'f').ending).toBe(hit === ends.length - 1 ? 'torn' : 'damaged')
    }
  })

  it('of another version is refused by name', () => {
    const newer = file.slice()
    const view = new DataView(newer.buffer)
    view.setUint32(8, WAL_VERSION + 1, true)
    view.setUint32(44, crc32c(newer, 0, 44), true)
    expect(() => readWal(newer, 'f')).toThrow(UnsupportedVersionError)
  })

  it.each([1, 2, 3, 4])('of version %i is read as the batches it was made of', version => {
    const fixtures = new URL('../fixtures/', import.meta.url)
    const bytes = new Uint8Array(readFileSync(new URL(`wal-${version}.log`, fixtures)))
    expect(new DataView(bytes.buffer).getUint32(8, true)).toBe(version)
    const { records, ending } = readWal(bytes, 'f')
    const batches = records.map(({ content, offset }) => {
      const { changes, ...batch } = decodeChangeBatch(content, 'f', offset)
      return { ...batch, rows: rowsOf(changes) }
    })
    expect(batches).toEqual(JSON.parse(readFileSync(new URL(`wal-${version}.json`, fixtures), 'utf8')))
    expect(ending).toBe('complete')
  })

  it('is cut at zeros that a crash left behind it', () => {
    const padded = new Uint8Array(file.length + 4096)
    padded.set(file)
    const contents = readWal(padded, 'f')
    expect(contents.ending).toBe('torn')
    expect(contents.validEnd).toBe(file.length)
  })
})

describe('docs/formats/wal.md', () => {
  const text = readFileSync(new URL('../../../docs/formats/wal.md', import.meta.url), 'utf8')
  /** offset → size of the layout table under a heading. */
  const layout = (heading: string): [number, string][] => {
    const section = text.split(`## ${heading}`)[1].split('\n## ')[0]
    return [...section.matchAll(/^\| (\d+) \| (\S+) \|/gm)].map(m => [Number(m[1]), m[2]])
  }

  it('gives the layout of the header', () => {
    expect(text).toContain(`## Header (${WAL_HEADER_SIZE} bytes)`)
    const fields = layout('Header')
    let end = 0
    for (const [offset, size] of fields) {
      expect(offset).toBe(end)
      end = offset + Number(size)
    }
    expect(end).toBe(WAL_HEADER_SIZE)
    expect(text).toContain(`\`${WAL_MAGIC.replace('\0', '\\0').replace('\r', '\\r').replace('\n', '\\n')}\``)
    expect(text).toContain(`# The write-ahead log, version ${WAL_VERSION}\n`)
  })

  it('gives the layout of a record and its limits', () => {
    expect(text).toContain(`## Record (${WAL_RECORD_HEADER_SIZE} bytes and its content)`)
    expect(layout('Record')).toEqual([
      [0, '4'],
      [4, '4'],
      [8, '1'],
      [9, '3'],
      [12, 'length'],
    ])
    for (const limit of [MAX_WAL_RECORD_BYTES, MAX_BATCH_ROWS, MAX_ID_BYTES]) expect(text).toContain(`at most ${limit}`)
  })
})
