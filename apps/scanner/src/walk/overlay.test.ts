import { appendFileSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestMounts } from '@hotpath/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { walkTree } from './walk-tree.js'

const mounts = TestMounts.open()
if (typeof mounts === 'string') console.log(`overlays are not tested here: ${mounts}`)
afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
})

const FILES = 50

/** Of each entry of a tree its path and ref. */
async function refsOf(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const paths = new Map<number, string>()
  for await (const { entries } of walkTree({ root, threads: 1 }))
    for (let row = 0; row < entries.count; row++) {
      const name = Buffer.from(entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!))
      const above = paths.get(entries.parent[row]!)
      const path = above === undefined ? '' : `${above}/${name}`
      paths.set(entries.directory[row]!, path)
      const { low, high, birth } = entries.ref!
      found.set(path, `${high[row]}:${low[row]}:${birth[row]}`)
    }
  return found
}

function overlay(name: 'overlay' | 'overlay-apart'): string {
  const mounted = (mounts as TestMounts).mount(name, {
    prepare: lower => {
      mkdirSync(join(lower, 'd/e'), { recursive: true })
      for (let i = 0; i < FILES; i++) writeFileSync(join(lower, 'd/e', `lower-${i}`), 'x')
    },
  })
  if ('problem' in mounted) throw new Error(mounted.problem)
  return mounted.directory
}

describe.runIf(typeof mounts !== 'string')('an overlay', () => {
  it('keeps the refs of what is copied up', async () => {
    const root = overlay('overlay')
    const before = await refsOf(root)
    const born = () => [join(root, 'd/e'), join(root, 'd/e/lower-0')].map(path => lstatSync(path).birthtimeMs)
    const bornBefore = born()
    appendFileSync(join(root, 'd/e/lower-0'), 'more')
    // The reason for it all: the copies are younger.
    expect(born().every((time, i) => time > bornBefore[i]!)).toBe(true)
    expect(await refsOf(root)).toEqual(before)
  })

  it('of two file systems has no two files with one ref', async () => {
    const root = overlay('overlay-apart')
    // In a fresh file system they get the inodes that those of the other one had.
    for (let i = 0; i < FILES; i++) writeFileSync(join(root, 'd/e', `upper-${i}`), 'x')
    const inodes = readdirSync(join(root, 'd/e')).map(name => lstatSync(join(root, 'd/e', name)).ino)
    expect(new Set(inodes).size).toBeLessThan(inodes.length)
    const refs = await refsOf(root)
    expect(refs.size).toBe(2 * FILES + 3)
    expect(new Set(refs.values()).size).toBe(refs.size)
    appendFileSync(join(root, 'd/e/lower-0'), 'more')
    expect((await refsOf(root)).get('/d/e/lower-0')).toBe(refs.get('/d/e/lower-0'))
  })
})
