import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { pathsOf, rankInEngine, readRankingCases, successesOf } from './ranking-cases.js'

/** Share of the cases whose wanted entry must be the first hit. */
const LEAST_AT_ONE = 0.95

const trees = readRankingCases()

it('has enough cases, and every wanted entry exists', () => {
  expect(trees.flatMap(tree => tree.cases).length).toBeGreaterThanOrEqual(60)
  for (const tree of trees) {
    const paths = new Set(pathsOf(tree).map(({ path }) => path))
    for (const { query, wanted } of tree.cases) expect(paths.has(wanted), `${query} => ${wanted}`).toBe(true)
  }
})

it('finds what a person wants first', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hotpath-ranking-'))
  try {
    const places: number[] = []
    const missed: string[] = []
    for (const [index, tree] of trees.entries()) {
      const found = await rankInEngine(tree, join(folder, `${index}`), 20)
      places.push(...found)
      tree.cases.forEach(({ query, wanted, kind }, i) => {
        if (found[i] !== 1)
          missed.push(`${query} => ${wanted} [${kind}]: ${found[i] === 0 ? 'not found' : `at ${found[i]}`}`)
      })
    }
    const { cases, atOne } = successesOf(places)
    expect(atOne / cases, missed.join('\n')).toBeGreaterThanOrEqual(LEAST_AT_ONE)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
