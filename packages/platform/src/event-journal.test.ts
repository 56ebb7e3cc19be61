/** Pins docs/formats/event-journal.md to the code, and checks what the next process finds. */
import { closeSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { createEventJournal, EventJournal, EventJournalLayout, READ_BYTES, RESUMABLE_STREAM } from './event-journal.js'
import { mapSharedMemory } from './shared-memory.js'

const RING = 1024 * 1024
const document = readFileSync(new URL('../../../docs/formats/event-journal.md', import.meta.url), 'utf8')
/** Events of a made-up queue: a byte that says how many follow. */
const whole = (bytes: Uint8Array): number => {
  let at = 0
  while (bytes[at] !== undefined && bytes[at] !== 0 && at + 1 + bytes[at]! <= bytes.length) at += 1 + bytes[at]!
  return at
}

let fd = -1
afterEach(() => {
  if (fd !== -1) closeSync(fd)
  fd = -1
})

function journal(): EventJournal {
  if (fd === -1) fd = createEventJournal(RING)
  return EventJournal.takeOver(fd, whole)
}

/** As a read of the kernel does. */
function read(into: EventJournal, bytes: Uint8Array, stream = RESUMABLE_STREAM): boolean {
  const address = into.prepare(stream, 1, 2)
  if (address === undefined) return false
  copyTo(address, bytes)
  into.commit(bytes.length)
  return true
}

/** Bytes of the memory itself, by the address that reads are given. */
let memory: { address: number; bytes: Uint8Array; unmap(): void } | undefined
function copyTo(address: number, bytes: Uint8Array): void {
  memory!.bytes.set(bytes, address - memory!.address)
}

describe('the document', () => {
  const rows = (title: string): string[][] => {
    const section = document.slice(document.indexOf(`## ${title}`)).split('\n')
    const start = section.findIndex(line => line.startsWith('| ---'))
    const end = section.findIndex((line, i) => i > start && !line.startsWith('|'))
    return section.slice(start + 1, end).map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim().replaceAll('`', '')),
    )
  }

  it('has the header of the code', () => {
    const { headerFields, tablesAt, tableBytes, ringAt } = EventJournalLayout
    const fields = Object.entries(headerFields).map(([name, [at, size]]) => [String(at), String(size), name])
    const regions = [
      [tablesAt, tableBytes, 'table 0'],
      [tablesAt + tableBytes, tableBytes, 'table 1'],
      [ringAt, 'ringBytes', 'ring'],
    ].map(row => row.map(String))
    expect(rows('Memory').map(row => row.slice(0, 3))).toEqual([...fields, ...regions])
  })

  it('has the slots of the code', () => {
    const { slotFields } = EventJournalLayout
    const fields = Object.entries(slotFields).map(([name, [at, size]]) => [
      String(at),
      size === 0 ? 'length' : String(size),
      name,
    ])
    expect(rows('Slots').map(row => row.slice(0, 3))).toEqual(fields)
  })

  it('has the magic and the version of what is written', () => {
    fd = createEventJournal(RING)
    EventJournal.takeOver(fd, whole).unmap()
    const { buffer, unmap } = mapSharedMemory(fd)
    const bytes = Buffer.from(new Uint8Array(buffer, 0, 20))
    expect(document).toContain(bytes.toString('hex', 0, 8).replace(/..(?=.)/g, '$& '))
    expect([bytes.readUInt32LE(8), bytes.readUInt32LE(12), bytes.readUInt32LE(16)]).toEqual([1, RING, 0])
    expect(document).toContain('Version 1')
    unmap()
  })
})

describe('EventJournal', () => {
  /** The address at which `prepare` will put the first bytes of an empty journal lies behind the header of the first slot. */
  function withMemory(work: (first: EventJournal) => void): void {
    const first = journal()
    const address = first.prepare(RESUMABLE_STREAM, 0, 0)!
    const { buffer, unmap } = mapSharedMemory(fd)
    memory = { address: address - EventJournalLayout.ringAt - 32, bytes: new Uint8Array(buffer), unmap }
    try {
      work(first)
    } finally {
      unmap()
      first.unmap()
    }
  }

  it('hands out what was written, in order, over many laps, and refuses what does not fit', () => {
    withMemory(first => {
      let seed = 12_345
      const random = (below: number) => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
        return (seed >>> 8) % below
      }
      const expected: { stream: number; text: string }[] = []
      let written = 0
      let refused = 0
      for (let step = 0; written < 20 * RING; step++) {
        const length = 1 + random(READ_BYTES)
        const bytes = new Uint8Array(length).fill(1 + (step % 255))
        const stream = 1 + random(3)
        if (read(first, bytes, stream)) {
          written += length
          expected.push({ stream, text: `${length} of ${bytes[0]}` })
          continue
        }
        refused++
        expect(first.hasRoom).toBe(false)
        // All that was not released is still there.
        const slots = [...first.slots(first.tail)]
        expect(slots.map(({ stream, bytes }) => ({ stream, text: `${bytes.length} of ${bytes[0]}` }))).toEqual(expected)
        for (const { bytes } of slots) expect(bytes.every(byte => byte === bytes[0])).toBe(true)
        const released = 1 + random(slots.length)
        first.release(slots[released - 1]!.next)
        expected.splice(0, released)
      }
      expect(refused).toBeGreaterThan(20)
    })
  })

  it('gives what was not released to the next process, and the events of a read that never ended', () => {
    withMemory(first => {
      for (let lap = 0; lap < 40; lap++) {
        const done = Uint8Array.of(2, 7, 7)
        expect(read(first, done)).toBe(true)
        // Killed after the kernel had copied one event and the beginning of another: it had room for no more.
        copyTo(first.prepare(RESUMABLE_STREAM, 5, 6)!, Uint8Array.of(3, 1, 2, 3))
        const next = journal()
        const slots = [...next.slots(next.tail)]
        expect(slots.map(({ bytes }) => [...bytes])).toEqual([
          [2, 7, 7],
          [3, 1, 2, 3],
        ])
        expect(slots[1]).toMatchObject({ readAt: 5, emptyAt: 6 })
        // Another one that found nothing to do.
        const again = journal()
        expect([...again.slots(again.tail)].length).toBe(2)
        again.unmap()
        next.release(next.head)
        next.unmap()
        // On: so that what earlier laps left lies under the window.
        while (first.head % RING < RING - 2 * READ_BYTES && read(first, new Uint8Array(READ_BYTES).fill(9)))
          first.release(first.head)
        first.release(first.head)
        expect(read(first, new Uint8Array(READ_BYTES - lap * 100).fill(9))).toBe(true)
        first.release(first.head)
      }
    })
  })

  it('does not go on with what was being read from a queue that ended with its process', () => {
    withMemory(first => {
      copyTo(first.prepare(7, 5, 6)!, Uint8Array.of(3, 1, 2, 3))
      const next = journal()
      expect(next.head).toBe(0)
      next.unmap()
    })
  })

  it('keeps the table that was written last, whole', () => {
    const first = journal()
    expect(first.readTable()).toBe(undefined)
    expect(first.writeTable({ a: 1 })).toBe(true)
    expect(first.writeTable({ a: 2 })).toBe(true)
    expect(first.writeTable('x'.repeat(EventJournalLayout.tableBytes))).toBe(false)
    first.unmap()
    const next = journal()
    expect(next.readTable()).toEqual({ a: 2 })
    next.unmap()
  })

  it('begins anew in memory of another version', () => {
    const first = journal()
    first.writeTable({ a: 1 })
    first.unmap()
    const { buffer, unmap } = mapSharedMemory(fd)
    new DataView(buffer).setUint32(8, 2, true)
    const next = journal()
    expect([next.head, next.readTable()]).toEqual([0, undefined])
    next.unmap()
    unmap()
  })
})
