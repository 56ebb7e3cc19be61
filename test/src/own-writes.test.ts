import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { System } from './system.js'

const WRITES = process.env.SOAK === undefined ? 300 : 10_000

let system: System
let root: string

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'hotpath-own-'))
  system = await System.start(['--root', root])
  await system.settled()
}, 120_000)

afterAll(async () => {
  await system.stop()
  rmSync(root, { recursive: true, force: true })
})

/** Sizes of the entries that a query finds once the index covers what was done before. */
const ways: readonly ((query: string) => Promise<readonly (number | undefined)[]>)[] = [
  async query => {
    const { clock, notCovered } = await system.get<{ clock: string; notCovered: string[] }>('/api/clock')
    expect(notCovered).toEqual([])
    const parameters = new URLSearchParams({ q: query, minClock: clock })
    const { hits } = await system.get<{ hits: { size: number }[] }>(`/api/search?${parameters}`)
    return hits.map(({ size }) => size)
  },
  async query => {
    const { clock, unwatchedRoots } = await system.client.clock()
    expect(unwatchedRoots).toEqual([])
    const { hits } = await system.client.search({ query, minClock: clock })
    return hits.map(({ sizeBytes }) => sizeBytes)
  },
]

it(`${WRITES} writes, each followed by a query with the clock, are ${WRITES} hits`, { timeout: 600_000 }, async () => {
  let hits = 0
  const missed: string[] = []
  const see = async (way: number, query: string, size: number): Promise<void> => {
    const found = await ways[way % 2]!(query)
    if (found.length === 1 && found[0] === size) hits++
    else missed.push(`${query}: ${found.join(' ') || 'no hit'}, not ${size}`)
  }
  // A file is made, grows, and gets another name.
  for (let write = 0; write < WRITES; write++) {
    const life = Math.floor(write / 3)
    const [first, last] = [`mine-${life}-begun.txt`, `mine-${life}-done.txt`]
    if (write % 3 === 0) {
      writeFileSync(join(root, first), 'x'.repeat(life % 100))
      await see(write, first, life % 100)
    } else if (write % 3 === 1) {
      appendFileSync(join(root, first), 'more')
      await see(write, first, (life % 100) + 4)
    } else {
      renameSync(join(root, first), join(root, last))
      await see(write, last, (life % 100) + 4)
    }
  }
  expect(missed).toEqual([])
  expect(hits).toBe(WRITES)
})
