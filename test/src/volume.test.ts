import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { readFixture, readStreams } from '@hotpath/ntfs/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { System } from './system.js'

describe('four processes and an image of an NTFS volume', () => {
  const cleanups: (() => unknown)[] = []

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  function makeImage(): { image: string; truth: readonly string[] } {
    const { size, parts, truth } = readFixture('clusters-of-4096')
    const folder = mkdtempSync(join(tmpdir(), 'hotpath-image-'))
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
    const image = join(folder, 'disk.img')
    const fd = openSync(image, 'w')
    for (const { offset, bytes } of parts) writeSync(fd, bytes, 0, bytes.length, offset)
    ftruncateSync(fd, size)
    closeSync(fd)
    return { image, truth }
  }

  /** Paths of the root and of what the reference reader prints; it prints no root. A hard link is an entry of its own. */
  const pathsOf = (image: string, lines: readonly string[]): string[] => {
    const paths = lines.map(line => `${basename(image)}/${unescaped(line.split('\t')[0]!)}`)
    return [basename(image), ...paths].sort()
  }

  it('list what the reference reader finds, and have it after a restart', async () => {
    const { image, truth } = makeImage()
    const first = await System.start(['--image', image])
    cleanups.push(() => first.stop())
    await first.settled()
    const expected = pathsOf(image, truth)
    expect([...(await first.listing()).keys()].sort()).toEqual(expected)
    const { total } = await first.client.search({ query: 'sixhundred-link', limit: 1 })
    expect(total).toBe(truth.filter(line => line.includes('sixhundred-link')).length)
    await first.stop(true)

    const second = await System.start(['--image', image, '--no-scan', '--no-watch'], first.dataDir)
    cleanups.push(() => second.stop())
    expect([...(await second.listing()).keys()].sort()).toEqual(expected)
  })

  it('list alternate streams on request, and read at idle priority', async () => {
    const { image, truth } = makeImage()
    const system = await System.start(['--image', image, '--no-watch', '--streams', '--idle-volumes'])
    cleanups.push(() => system.stop())
    await system.settled()
    const expected = pathsOf(image, [...truth, ...readStreams('clusters-of-4096')])
    expect([...(await system.listing()).keys()].sort()).toEqual(expected)
  })
})

function unescaped(path: string): string {
  return path.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
