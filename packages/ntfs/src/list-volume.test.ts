import { describe, expect, it } from 'vitest'
import { FIXTURES, readFixture, readStreams } from './testing/fixture.js'
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

  const withStreams = FIXTURES.filter(name => name !== 'fragmented')
  it.each(withStreams)('finds the alternate streams that the reference reader finds: %s', name => {
    const { read, truth } = readFixture(name)
    const { lines, stats } = listLines(read, { streams: true })
    const all = [...truth, ...readStreams(name)].sort()
    expect(lines.length).toBe(all.length)
    expect(lines).toEqual(all)
    expect(stats).toMatchObject({ torn: 0, damaged: 0 })
    expect(all.length).toBe(truth.length + 64)
  })
})
