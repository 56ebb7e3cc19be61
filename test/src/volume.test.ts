import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { readFixture } from '@hotpath/ntfs/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { System } from './system.js'

describe('four processes and an image of an NTFS volume', () => {
  const cleanups: (() => unknown)[] = []

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  it('list what the reference reader finds, and have it after a restart', async () => {
    const { size, parts, truth } = readFixture('clusters-of-4096')
    const folder = mkdtempSync(join(tmpdir(), 'hotpath-image-'))
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
    const image = join(folder, 'disk.img')
    const fd = openSync(image, 'w')
    for (const { offset, bytes } of parts) writeSync(fd, bytes, 0, bytes.length, offset)
    ftruncateSync(fd, size)
    closeSync(fd)

    const first = await System.start(['--image', image])
    cleanups.push(() => first.stop())
    await first.settled()
    // A hard link is an entry of its own, and the reference reader prints no root.
    const expected = [basename(image), ...truth.map(line => `${basename(image)}/${unescaped(line.split('\t')[0]!)}`)]
    expect([...(await first.listing()).keys()].sort()).toEqual(expected.sort())
    const { total } = await first.client.search({ query: 'sixhundred-link', limit: 1 })
    expect(total).toBe(truth.filter(line => line.includes('sixhundred-link')).length)
    await first.stop(true)

    const second = await System.start(['--image', image, '--no-scan', '--no-watch'], first.dataDir)
    cleanups.push(() => second.stop())
    expect([...(await second.listing()).keys()].sort()).toEqual(expected)
  })
})

function unescaped(path: string): string {
  return path.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
