import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ListParser } from '@hotpath/file-list'
import { Kind } from '@hotpath/model'
import { parseQuery } from '@hotpath/query'
import { Random } from '@hotpath/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeCorpus, openCorpus } from './corpus.js'
import { DistinctNames } from './distinct-names.js'
import { syntheticTree } from './synthetic-tree.js'

const COUNT = 5_000

describe('syntheticTree', () => {
  const entries = [...syntheticTree(new Random(7), COUNT)]

  it('is the same for the same seed and another for another', () => {
    expect([...syntheticTree(new Random(7), COUNT)]).toEqual(entries)
    expect([...syntheticTree(new Random(8), COUNT)]).not.toEqual(entries)
  })

  it('has as many entries as asked for, each once, directories before what is in them', () => {
    expect(entries).toHaveLength(COUNT)
    const directories = new Set(['/'])
    const all = new Set<string>()
    for (const { path, kind } of entries) {
      expect(directories.has(dirname(path)), path).toBe(true)
      expect(all.has(path), path).toBe(false)
      all.add(path)
      if (kind === Kind.directory) directories.add(path)
    }
  })

  it('uses few names often and many names once, as people do', () => {
    const counts = new Map<string, number>()
    for (const { path } of entries) {
      const name = path.slice(path.lastIndexOf('/') + 1)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    const share = counts.size / COUNT
    expect(share).toBeGreaterThan(0.3)
    expect(share).toBeLessThan(0.9)
    expect(counts.get('copyright')).toBeGreaterThan(20)
  })
})

describe('corpus', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hotpath-corpus-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is a list and paths of the same entries, and queries', async () => {
    const corpus = await makeCorpus(folder, COUNT, 200)
    const parser = new ListParser({ format: 'auto' })
    parser.push(readFileSync(corpus.listFile))
    parser.end()
    expect(parser.summary).toMatchObject({ format: 'efu', entries: COUNT, badRows: 0, repeated: 0 })
    const paths = readFileSync(corpus.pathsFile, 'utf8').trimEnd().split('\n')
    expect(paths).toHaveLength(COUNT)
    expect(paths.filter(path => path.endsWith('/'))).toHaveLength(corpus.directories)
    expect(corpus.queries).toHaveLength(200)
    for (const { text } of corpus.queries) expect(parseQuery(text, { now: 0 }).kind, text).toBe('query')

    const opened = await openCorpus(folder)
    expect(opened).toMatchObject({
      entries: COUNT,
      directories: corpus.directories,
      listBytes: corpus.listBytes,
    })
  })

  it('refuses a folder that is none', async () => {
    await expect(openCorpus(folder)).rejects.toThrow('list.efu')
  })
})

describe('DistinctNames', () => {
  it('gives every entry a name of its own in the same tree', () => {
    const names = new DistinctNames()
    const original = [...syntheticTree(new Random(7), COUNT)]
    const entries = original.map(entry => names.of(entry))
    expect(new Set(entries.map(({ path }) => path.slice(path.lastIndexOf('/') + 1))).size).toBe(COUNT)
    const directories = new Set(['/'])
    for (const [i, { path, kind }] of entries.entries()) {
      expect(directories.has(dirname(path)), path).toBe(true)
      expect(path.split('/')).toHaveLength(original[i]!.path.split('/').length)
      if (kind === Kind.directory) directories.add(path)
    }
  })
})
