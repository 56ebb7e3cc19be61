import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, connect, type SearchParams, type SearchResult } from '@hotpath/client'
import { randomOf } from '@hotpath/query/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { System } from './system.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const ROUNDS = process.env.SOAK === '1' ? 200 : 8
const CHANGES_PER_ROUND = 30
/** The word for a change takes as long as a message. */
const TOLD_MS = 500
/** Longer only on a machine that is busy with other tests. */
const SEEN_MS = 20_000

let system: System
let root: string
const clients: Client[] = []

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'hotpath-kept-'))
  for (const name of ['one', 'two']) mkdirSync(join(root, name))
  for (let i = 0; i < 30; i++) writeFileSync(join(root, 'one', `file-${i}`), 'x'.repeat(i))
  system = await System.start(['--root', root])
  await system.settled()
  for (let i = 0; i < 3; i++) clients.push(await connect({ dataDir: system.dataDir }))
}, 120_000)

afterAll(async () => {
  for (const client of clients) await client.close()
  await system.stop()
  rmSync(root, { recursive: true, force: true })
})

const looks = ({ total, partial, hits }: SearchResult) =>
  JSON.stringify([total, partial, hits.map(({ id, path, sizeBytes, modified }) => [id, path, sizeBytes, modified])])

it(`a kept answer is that of a new search, whatever changes and whoever asks meanwhile (seed ${SEED})`, async () => {
  const random = randomOf(SEED)
  const queries: SearchParams[] = [
    { query: 'file', under: root, sort: 'name' },
    { query: 'file', under: root, sort: 'size', descending: true },
    { query: 'file-1', under: root },
    { query: 'size:>10', under: root, sort: 'path' },
    { query: '', under: join(root, 'two'), limit: 20, sort: 'modified' },
    { query: 'file', under: root, countOnly: true },
  ]
  let isOver = false
  let kept = 0
  /** Whoever asks all the time fills the cache, and would keep a wrong answer there. */
  const asking = clients.slice(1).map(async client => {
    while (!isOver) {
      for (const { cached } of await Promise.all(queries.map(query => client.search(query)))) if (cached) kept++
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  })
  const [client] = clients as [Client]
  const names = Array.from({ length: 30 }, (_, i) => `one/file-${i}`)
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < CHANGES_PER_ROUND; i++) {
        const at = random.below(names.length)
        const path = join(root, names[at] ?? '')
        const step = random.below(4)
        if (step === 0 || names.length < 5) {
          const name = `${random.chance(0.5) ? 'one' : 'two'}/file-${random.below(1_000_000)}`
          writeFileSync(join(root, name), 'x'.repeat(random.below(40)))
          names.push(name)
        } else if (step === 1) appendFileSync(path, 'more')
        else if (step === 2) {
          names[at] = `two/file-${random.below(1_000_000)}`
          renameSync(path, join(root, names[at]))
        } else {
          rmSync(path)
          names.splice(at, 1)
        }
        if (random.chance(0.2)) await new Promise(resolve => setTimeout(resolve, random.below(20)))
      }
      if (random.chance(0.5)) await client.recordOpen({ path: join(root, names[0] ?? '') })
      const { clock } = await client.clock()
      const isSame = (answer: SearchResult, computed: SearchResult, query: SearchParams) => {
        // The order by heat follows an open within a second.
        if (query.sort !== undefined) expect(looks(answer), JSON.stringify(query)).toBe(looks(computed))
        expect([answer.total, computed.cached]).toEqual([computed.total, false])
      }
      if (round % 2 === 0) {
        for (const query of queries) {
          const answer = await client.search({ ...query, minClock: clock })
          isSame(answer, await client.search({ ...query, noCache: true }), query)
        }
      } else {
        // Nobody asks for the clock, which would bring new answers to those that are kept: the word for the changes alone must do it.
        await new Promise(resolve => setTimeout(resolve, TOLD_MS))
        await system.until('what is kept is what a new search gives', SEEN_MS, async () => {
          const answers = await Promise.all(queries.map(query => client.search(query)))
          for (const [at, query] of queries.entries()) {
            isSame(answers[at]!, await client.search({ ...query, noCache: true }), query)
          }
          return true
        })
      }
    }
  } finally {
    isOver = true
    await Promise.all(asking)
  }
  expect(kept).toBeGreaterThan(0)
}, 240_000)
