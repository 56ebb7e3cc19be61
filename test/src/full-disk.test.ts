import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { System } from './system.js'
import { makeTree } from './tree.js'

const FILES = 200
/** Changes that take more of the log than the rest of its last page. */
const CHANGES = 100

/** A small disk of its own. Undefined where none can be mounted. */
function mountDisk(megabytes: number): { path: string; unmount(): void } | undefined {
  const path = mkdtempSync(join(tmpdir(), 'hotpath-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'hotpath-test', path], { stdio: 'pipe' })
  } catch {
    rmSync(path, { recursive: true })
    return undefined
  }
  return {
    path,
    unmount() {
      execFileSync('umount', [path])
      rmSync(path, { recursive: true })
    },
  }
}

/** Takes all the room that there is. */
function fill(file: string): void {
  const fd = openSync(file, 'w')
  try {
    for (let block = Buffer.alloc(1 << 20); block.length > 0; ) {
      try {
        writeSync(fd, block)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        block = block.subarray(0, block.length >> 1)
      }
    }
  } finally {
    closeSync(fd)
  }
}

// Tried, and given back: whether the test runs is not known yet.
const trial = mountDisk(1)
trial?.unmount()
if (trial === undefined) console.warn('not tested here: a full disk under real processes (no tmpfs can be mounted)')

describe.runIf(trial)('four processes on a disk that becomes full', () => {
  let system: System | undefined
  let disk: ReturnType<typeof mountDisk>
  const folder = mkdtempSync(join(tmpdir(), 'hotpath-tree-'))

  afterEach(async () => {
    await system?.stop(true)
    disk?.unmount()
    rmSync(folder, { recursive: true, force: true })
  })

  it('answer and say so, and take changes again when there is room', async () => {
    disk = mountDisk(48)
    const root = join(folder, 'root')
    mkdirSync(root)
    makeTree(root, FILES, 1)
    const dataDir = join(disk!.path, 'data')
    mkdirSync(dataDir)
    system = await System.start(['--root', root], dataDir)
    const { client } = system
    await system.settled()
    const { total } = await client.search({ query: '', limit: 1 })
    const { clock } = await client.clock()
    const filler = join(disk!.path, 'filler')
    fill(filler)
    for (let i = 0; i < CHANGES; i++) writeFileSync(join(root, `while-full-${i}`), '')
    await system.until('storage is full', 30_000, async () => (await client.status()).storage === 'full')

    const status = await client.status()
    expect(status.storageReason).toMatch(/ENOSPC/)
    expect(status.roots[0]).toMatchObject({ reason: status.storageReason, partial: false })
    expect(status.stages.find(({ stage }) => stage === 'store')?.state).toBe('degraded')
    const answer = await client.search({ query: '', limit: 1, minClock: clock })
    expect(answer.total).toBeGreaterThanOrEqual(total)
    expect(answer.fresh.state).not.toBe('live')
    // Refused, not waited for: that would be CANCELLED in the end.
    await expect(client.clock()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(client.search({ query: '', limit: 1, minClock: answer.clock })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    await expect(client.rescan()).rejects.toMatchObject({ code: 'UNAVAILABLE' })

    // Processes that are started now find a disk that they cannot write to.
    for (const stage of ['store', 'gateway'] as const) {
      await system.restarted(stage, system.kill(stage))
      await system.until(`storage is full after the ${stage}`, 30_000, async () => {
        return (await client.status()).storage === 'full'
      })
      expect((await client.search({ query: '', limit: 1 })).total).toBeGreaterThanOrEqual(total)
    }

    rmSync(filler)
    await system.until('changes arrive again', 60_000, async () => {
      await client.clock()
      return (await client.search({ query: 'while-full', limit: 1 })).total === CHANGES
    })
    expect(await client.status()).toMatchObject({ storage: 'writable', storageReason: '' })
    expect(system.log).toMatch(/index-store.*ended to be started again/)
  })
})
