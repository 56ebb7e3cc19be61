import { describe, expect, it } from 'vitest'
import { redoFixUps, undoFixUps } from './fix-up.js'
import { protect } from './testing/record-builder.js'

/** A record whose words are all different, protected. */
function protectedRecord(bytes: number): { real: Uint8Array; onDisk: Uint8Array } {
  const real = new Uint8Array(bytes)
  new Uint16Array(real.buffer).forEach((_, i, words) => {
    words[i] = i + 7
  })
  const view = new DataView(real.buffer)
  view.setUint16(4, 48, true)
  view.setUint16(6, bytes / 512 + 1, true)
  const onDisk = real.slice()
  protect(onDisk)
  // The array keeps the words.
  real.set(onDisk.subarray(48, 50 + (bytes / 512) * 2), 48)
  return { real, onDisk }
}

const undo = (bytes: Uint8Array, at: number, size: number): boolean =>
  undoFixUps(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1), at, size)

describe.each([512, 1024, 4096, 65_536])('fix-ups of records of %i bytes', size => {
  it('are undone each 512 bytes', () => {
    const { real, onDisk } = protectedRecord(size)
    expect(Buffer.compare(real, onDisk)).not.toBe(0)
    expect(undo(onDisk, 0, size)).toBe(true)
    expect(Buffer.compare(real, onDisk)).toBe(0)
  })

  it('are undone in one record of several', () => {
    const { real, onDisk } = protectedRecord(size)
    const three = Buffer.concat([onDisk, onDisk, onDisk])
    const piece = Uint8Array.from(three)
    expect(undo(piece, size, size)).toBe(true)
    expect(Buffer.compare(Buffer.concat([onDisk, real, onDisk]), piece)).toBe(0)
  })

  it('are put back as they are stored, and left where they are', () => {
    const { real, onDisk } = protectedRecord(size)
    const stored = onDisk.slice()
    const words = (bytes: Uint8Array) => new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1)
    redoFixUps(words(onDisk), 0, size)
    expect(Buffer.compare(onDisk, stored)).toBe(0)
    redoFixUps(words(real), 0, size)
    expect(Buffer.compare(real, stored)).toBe(0)
    // An end that was changed in memory goes into the array.
    expect(undo(real, 0, size)).toBe(true)
    real[size - 1]! ^= 0x55
    const changed = real.slice()
    redoFixUps(words(real), 0, size)
    expect(undo(real, 0, size)).toBe(true)
    const array = 48 + 2
    expect(Buffer.compare(real.subarray(array + size / 256), changed.subarray(array + size / 256))).toBe(0)
  })

  it('of torn writes are seen in every sector, and nothing is changed', () => {
    for (let end = 510; end < size; end += 512) {
      const { onDisk } = protectedRecord(size)
      onDisk[end]! ^= 1
      const before = onDisk.slice()
      expect(undo(onDisk, 0, size)).toBe(false)
      expect(Buffer.compare(before, onDisk)).toBe(0)
    }
  })

  it.each([
    ['no words', 6, 0],
    ['a word too few', 6, size / 512],
    ['a word too many', 6, size / 512 + 2],
    ['an odd position', 4, 49],
    ['a position from which the array reaches the end of the sector', 4, 512 - 2 - 2 * (size / 512 + 1) + 2],
    ['a position behind the record', 4, 0xfffe],
  ])('are refused with %s, and nothing is changed', (_what, field, value) => {
    const { onDisk } = protectedRecord(size)
    new DataView(onDisk.buffer).setUint16(field, value, true)
    const before = onDisk.slice()
    expect(undo(onDisk, 0, size)).toBe(false)
    expect(Buffer.compare(before, onDisk)).toBe(0)
  })
})
