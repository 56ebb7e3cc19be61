import { describe, expect, it } from 'vitest'
import { FIXTURES, readFixture } from './testing/fixture.js'
import { listLines } from './testing/listing-lines.js'

describe('listing a volume', () => {
  it.each(FIXTURES)('finds what the reference reader finds: %s', name => {
    const { read, truth } = readFixture(name)
    const { lines, stats, volume } = listLines(read)
    expect(lines.length).toBe(truth.length)
    expect(lines).toEqual([...truth].sort())
    expect(stats).toMatchObject({ torn: 0, damaged: 0 })
    if (name === 'fragmented') expect(volume.table.extents.length).toBeGreaterThan(100)
  })
})
