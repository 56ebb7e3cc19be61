import { execFile } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Random } from '@hotpath/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { System } from './system.js'
import { firstDifference, makeTree, walk } from './tree.js'

const CLI = fileURLToPath(new URL('../../apps/cli/bin/hotpath.mjs', import.meta.url))
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
/** Single bits that are turned, one after the other. `SOAK=N`: N. */
const BITS = Number(process.env.SOAK ?? 2)
const ENTRIES = 3_000
const PAGE_BYTES = 4_096
const ROUND_MS = 60_000
/** What reads most of a segment: names, words, columns, orders. */
const QUERIES = ['', 'readme', 'ext:ts', 'size:>100', 'path:src main', 'dm:today']

describe('a damaged segment under four processes', () => {
  const cleanups: (() => unknown)[] = []

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  it('is set aside and made up for while queries are answered', { timeout: (BITS + 2) * ROUND_MS }, async () => {
    const random = new Random(SEED)
    const root = makeRoot()
    const expected = walk(root)
    const system = await System.start(['--root', root])
    cleanups.push(() => system.stop())
    await system.settled()
    const index = join(system.dataDir, 'index')
    const answers = new Map<string, string[]>()
    for (const query of QUERIES) answers.set(query, (await ask(system, query)).paths)

    for (let i = 0; i <= BITS; i++) {
      const file = largestSegment(index)
      const turned = turnBits(join(index, file), random, i === BITS)
      const label = `seed ${SEED}, bits ${turned.slice(0, 3)} … of ${file}`
      const isAside = () => existsSync(join(index, `${file}.damaged`))
      const report = await verify(system.dataDir)
      // Unless a search with which the store warms up has met it before.
      if (!isAside()) {
        expect(report.code, label).toBe(1)
        expect(report.text, label).toContain(file)
      }
      // What a store has once found right it does not check again: the next one has to find it.
      await system.restarted('store', system.kill('store'))
      let partial = 0
      for (const [query, paths] of answers) {
        const answer = await ask(system, query)
        if (answer.partial) partial++
        const complete = answer.partial ? answer.paths.filter(path => paths.includes(path)) : paths
        expect(answer.paths, `${label}: ${query}`).toEqual(complete)
      }
      // A page that no query needs has not been missed.
      if (i === BITS || partial > 0) await system.until(`${label}: set aside`, ROUND_MS, async () => isAside())
      await system.settled()
      expect(firstDifference(expected, await system.listing()), label).toBeUndefined()
      if (!isAside()) flip(join(index, file), turned)
      expect(await verify(system.dataDir), label).toMatchObject({ code: 0 })
    }
  })

  function makeRoot(): string {
    const folder = mkdtempSync(join(tmpdir(), 'hotpath-tree-'))
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
    const root = join(folder, 'root')
    mkdirSync(root)
    makeTree(root, ENTRIES, SEED)
    return root
  }
})

async function ask(system: System, query: string): Promise<{ paths: string[]; partial: boolean }> {
  const { hits, total, partial } = await system.client.search({ query, limit: 50_000, sort: 'path' })
  expect(hits).toHaveLength(total)
  return { paths: hits.map(({ pathBytes }) => Buffer.from(pathBytes).toString('latin1')), partial }
}

/** Exit code and output of `hotpath doctor --verify`. */
function verify(dataDir: string): Promise<{ code: number; text: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [CLI, 'doctor', '--verify', '--data', dataDir], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
    )
  })
}

function largestSegment(directory: string): string {
  const sizes = readdirSync(directory)
    .filter(name => name.endsWith('.seg'))
    .map(name => ({ name, bytes: statSync(join(directory, name)).size }))
  return sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a)).name
}

/** Turns a bit at a random place, or one of each page. @returns their positions */
function turnBits(path: string, random: Random, inEveryPage: boolean): number[] {
  const { size } = statSync(path)
  const bits: number[] = []
  if (!inEveryPage) bits.push(random.below(size * 8))
  else
    for (let page = 0; page < size; page += PAGE_BYTES)
      bits.push((page + random.below(Math.min(PAGE_BYTES, size - page))) * 8 + random.below(8))
  flip(path, bits)
  return bits
}

function flip(path: string, bits: readonly number[]): void {
  const fd = openSync(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    for (const bit of bits) {
      readSync(fd, byte, 0, 1, bit >> 3)
      byte[0]! ^= 1 << (bit & 7)
      writeSync(fd, byte, 0, 1, bit >> 3)
    }
  } finally {
    closeSync(fd)
  }
}
