import { describe, expect, it } from 'vitest'
import { type Extent, SPARSE } from '../run-list.js'
import { drive, type ReadRequest, Stream } from '../stream.js'
import { type RecordSpec, usnBytes, usnRecord } from '../testing/usn-bytes.js'
import { UsnJournal } from './usn-journal.js'
import { PAGE } from './usn-layout.js'
import { UsnReader } from './usn-reader.js'

const SETTINGS = { maximumSize: 0, allocationDelta: 0, id: '1', lowestValidUsn: 0 }
const CLUSTER = 512
const HOLE = 1024 * PAGE

/** A volume on which a journal lies in clusters here and there, with something else in all others. */
class ScatteredJournal {
  readonly #extents: Extent[] = []
  readonly #clusters: Uint8Array[] = []
  #validBytes: number | undefined
  #bytes = 0
  readBytes = 0

  hole(bytes: number): this {
    this.#extents.push({ cluster: SPARSE, clusters: bytes / CLUSTER })
    this.#bytes += bytes
    return this
  }

  /** @param run bytes after which the next run begins elsewhere */
  stored(bytes: Uint8Array, run = bytes.length): this {
    for (let at = 0; at < bytes.length; at += run) {
      const part = bytes.subarray(at, at + run)
      const clusters = Math.ceil(part.length / CLUSTER)
      this.#clusters.push(new Uint8Array(CLUSTER).fill(0xee))
      this.#extents.push({ cluster: this.#clusters.length, clusters })
      for (let i = 0; i < clusters; i++) {
        const cluster = new Uint8Array(CLUSTER).fill(0xee)
        cluster.set(part.subarray(i * CLUSTER, (i + 1) * CLUSTER))
        this.#clusters.push(cluster)
      }
    }
    this.#bytes += bytes.length
    return this
  }

  /** What is in clusters from here on was never written. */
  writtenUpTo(bytes: number): this {
    this.#validBytes = bytes
    return this
  }

  get size(): number {
    return this.#bytes
  }

  open(): { journal: UsnJournal; read: (request: ReadRequest) => Uint8Array } {
    const stream = new Stream(CLUSTER, this.#bytes, this.#validBytes)
    stream.append(this.#extents)
    return {
      journal: new UsnJournal('made', SETTINGS, stream),
      read: ({ offset, length }) => {
        this.readBytes += length
        const found = new Uint8Array(length)
        for (let i = 0; i < length; i++) {
          const at = offset + i
          found[i] = this.#clusters[Math.floor(at / CLUSTER)]![at % CLUSTER]!
        }
        return found
      },
    }
  }
}

function readAll({ journal, read }: ReturnType<ScatteredJournal['open']>, from = journal.firstUsn) {
  const reader = new UsnReader(journal, from)
  const rows = UsnReader.rows()
  const usns: number[] = []
  let damages = 0
  while (drive(reader.read(rows), read)) {
    usns.push(...rows.usn.subarray(0, rows.count))
    if (reader.damage !== undefined) damages++
  }
  return { usns, damages, nextUsn: reader.nextUsn, end: drive(journal.endOfRecords(), read) }
}

const specs = Array.from({ length: 300 }, (_, i): RecordSpec => ({ name: `file ${i}`, version: i % 2 === 0 ? 2 : 3 }))

/** Filled up with zeros to whole pages. */
function paged(bytes: Uint8Array, pages = Math.ceil(bytes.length / PAGE)): Uint8Array {
  const found = new Uint8Array(pages * PAGE)
  found.set(bytes)
  return found
}

describe('where the records of a journal lie', () => {
  it('behind holes, which are not read', () => {
    const first = usnBytes(specs, HOLE)
    const second = usnBytes(specs, 3 * HOLE)
    const made = new ScatteredJournal()
      .hole(HOLE)
      .stored(paged(first.bytes))
      .hole(2 * HOLE - paged(first.bytes).length)
      .stored(second.bytes)
    const { usns, damages, nextUsn, end } = readAll(made.open())
    expect(usns).toEqual([...first.usns, ...second.usns])
    expect(damages).toBe(0)
    expect(nextUsn).toBe(3 * HOLE + second.bytes.length)
    expect(end).toBe(nextUsn)
    expect(made.readBytes).toBeLessThan(4 * (first.bytes.length + second.bytes.length))
  })

  it('in runs that end inside of records', () => {
    const { bytes, usns } = usnBytes(specs, HOLE)
    const found = readAll(new ScatteredJournal().hole(HOLE).stored(bytes, CLUSTER).open())
    expect(found).toEqual({ usns, damages: 0, nextUsn: HOLE + bytes.length, end: HOLE + bytes.length })
  })

  it('in more bytes than are read at once, across pages', () => {
    const parts: Uint8Array[] = []
    const usns: number[] = []
    let usn = 0
    for (let i = 0; usn < 700_000; i++) {
      parts.push(usnRecord({ name: 'n'.repeat(1 + (i % 255)) }, usn))
      usns.push(usn)
      usn += parts.at(-1)!.length
    }
    const found = readAll(new ScatteredJournal().stored(new Uint8Array(Buffer.concat(parts))).open())
    expect(found).toEqual({ usns, damages: 0, nextUsn: usn, end: usn })
  })
})

describe('the end of a journal', () => {
  const { bytes, usns } = usnBytes(specs.slice(0, 100))
  const behind = bytes.length

  it('is before zeros: records may still be written there', () => {
    for (const pages of [3, 40]) {
      const found = readAll(new ScatteredJournal().stored(paged(bytes, pages)).open())
      expect(found).toEqual({ usns, damages: 0, nextUsn: behind, end: behind })
    }
    expect(readAll(new ScatteredJournal().stored(paged(bytes)).hole(HOLE).open()).end).toBe(behind)
  })

  it('is where what was written ends, whatever lies behind', () => {
    const old = new Uint8Array(paged(bytes).length + PAGE).fill(0x77)
    old.set(bytes)
    const made = new ScatteredJournal().stored(old).writtenUpTo(bytes.length)
    expect(readAll(made.open())).toEqual({ usns, damages: 0, nextUsn: behind, end: behind })
    expect(made.open().journal.size).toBe(old.length)
  })

  it('is before a record that is cut, which is read when it is whole', () => {
    for (const cut of [1, 8, 20, 60]) {
      const { usns: found, damages, nextUsn, end } = readAll(new ScatteredJournal().stored(bytes.slice(0, -cut)).open())
      expect({ found, damages, nextUsn, end }).toEqual({
        found: usns.slice(0, -1),
        damages: 0,
        nextUsn: usns.at(-1),
        end: usns.at(-1),
      })
    }
    expect(readAll(new ScatteredJournal().stored(bytes).open(), usns.at(-1)).usns).toEqual(usns.slice(-1))
  })

  it('is the first position of a journal without records', () => {
    expect(readAll(new ScatteredJournal().hole(HOLE).open())).toEqual({
      usns: [],
      damages: 0,
      nextUsn: HOLE,
      end: HOLE,
    })
    expect(readAll(new ScatteredJournal().open())).toMatchObject({ nextUsn: 0, end: 0 })
    expect(readAll(new ScatteredJournal().hole(HOLE).stored(new Uint8Array(PAGE)).open())).toMatchObject({
      nextUsn: HOLE,
      end: HOLE,
    })
  })

  it('is behind damage, so that a snapshot is not followed by the same damage', () => {
    const damaged = bytes.slice()
    const last = Math.floor(usns.at(-1)! / PAGE) * PAGE
    damaged[last + 4] = 1
    const made = new ScatteredJournal().stored(damaged)
    const { damages, end } = readAll(made.open())
    expect(damages).toBe(1)
    expect(end).toBe(behind)
    expect(readAll(made.open(), end)).toEqual({ usns: [], damages: 0, nextUsn: behind, end: behind })
  })
})
