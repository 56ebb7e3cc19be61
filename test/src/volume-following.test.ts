import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Kind } from '@hotpath/model'
import { drive, ListingBatches, listVolume, MftParser, TableListing, Volume } from '@hotpath/ntfs'
import { ChangingImage } from '@hotpath/ntfs/testing'
import { Random } from '@hotpath/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { System } from './system.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))

type Listing = Awaited<ReturnType<System['listing']>>

/** What a fresh listing of an image has, as `System.listing` says it. */
function listed(path: string): Listing {
  const fd = openSync(path, 'r')
  const read = ({ offset, length }: { offset: number; length: number }) => {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset))
  }
  const volume = drive(Volume.open(path), read)
  const batches = new ListingBatches(new Uint8Array(Buffer.from(basename(path))))
  const parser = new MftParser(volume.geometry.recordBytes)
  drive(listVolume(volume, parser, new TableListing(volume.records, batches)), read)
  closeSync(fd)
  batches.end()
  const found: Listing = new Map()
  const paths = new Map<number, string>()
  for (const { entries } of batches.take())
    for (let row = 0; row < entries.count; row++) {
      const bytes = entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!)
      const above = paths.get(entries.parent[row]!)
      const name = Buffer.from(bytes).toString('latin1')
      const entryPath = above === undefined ? name : `${above}/${name}`
      const isDirectory = entries.kind[row] === Kind.directory
      if (isDirectory) paths.set(entries.directory[row]!, entryPath)
      found.set(entryPath, {
        kind: isDirectory ? 'directory' : 'file',
        size: isDirectory ? undefined : entries.size[row],
        seconds: entries.modified!.seconds[row],
      })
    }
  return found
}

describe(`four processes that follow an image (SEED=${SEED})`, () => {
  let folder: string
  let image: ChangingImage
  let system: System
  const gaps: string[] = []

  async function listen(): Promise<void> {
    await system.client.onEvent(({ detail }) => {
      if (detail.kind === 'freshInstance') gaps.push(detail.freshInstance.reason)
    })
  }

  /** Changes nodes, writes that into the journal, and brings the file to that state. */
  function change(times: number): void {
    image.change(times)
    image.log()
    image.write()
  }

  /** What queries see that wait for a clock which was asked for now. */
  async function seen(): Promise<Listing> {
    const { clock: minClock, notCovered } = await system.get<{ clock: string; notCovered: string[] }>('/api/clock')
    expect(notCovered).toEqual([])
    await system.client.search({ query: '', limit: 1, minClock })
    return await system.listing()
  }

  async function isLive(): Promise<void> {
    await system.until('the root is live', 60_000, async () => {
      const { roots } = await system.client.status()
      return roots[0]?.fresh.state === 'live'
    })
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hotpath-followed-'))
    const path = join(folder, 'disk.img')
    writeFileSync(path, '')
    const random = new Random(SEED)
    image = new ChangingImage(path, limit => random.below(limit))
    change(60)
    system = await System.start(['--image', path])
    await isLive()
    await listen()
  }, 120_000)

  afterAll(async () => {
    await system.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('find what is in it, and say that they follow its journal', async () => {
    expect(await seen()).toEqual(listed(image.path))
    const { roots } = await system.client.status()
    expect(roots.map(({ mechanism, fresh }) => [mechanism, fresh.state])).toEqual([['journal', 'live']])
  })

  it('see every change with the clock that was asked for after it', async () => {
    for (let round = 0; round < 10; round++) {
      change(20)
      expect(await seen()).toEqual(listed(image.path))
    }
    expect(gaps).toEqual([])
  })

  it.each(['watcher', 'store'] as const)('go on where they were when the %s is killed', async stage => {
    change(10)
    const killed = system.kill(stage)
    change(30)
    await system.until('it is there again', 30_000, async () => {
      const pid = system.pidOf(stage)
      return pid !== undefined && pid !== killed
    })
    await isLive()
    expect(await seen()).toEqual(listed(image.path))
    expect(gaps).toEqual([])
  })

  it('read it again when the journal is begun anew, and tell that something may be missed', async () => {
    image.change(20)
    image.create()
    change(20)
    await system.until('the gap is told', 30_000, () => Promise.resolve(gaps.length > 0))
    await isLive()
    expect(gaps).toEqual(['loss'])
    expect(await seen()).toEqual(listed(image.path))
    change(10)
    expect(await seen()).toEqual(listed(image.path))
  })

  it('do not follow it without a journal, and say why', async () => {
    change(20)
    image.delete()
    image.write()
    await system.until('it is unwatched', 30_000, async () => {
      const { roots } = await system.client.status()
      return roots[0]?.fresh.state === 'unwatched' && roots[0].scan === undefined
    })
    const { roots } = await system.client.status()
    expect(roots[0]?.reason).toBe('it has no change journal')
    expect(await system.listing()).toEqual(listed(image.path))
  })

  it('read it again then, when it has changed', async () => {
    for (let round = 0; round < 2; round++) {
      image.change(20)
      image.write()
      const wanted = listed(image.path)
      await system.until('what is in it now is found', 60_000, async () =>
        isDeepStrictEqual(await system.listing(), wanted),
      )
    }
  })
})
