import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadWasm } from '@hotpath/kernels'
import { matchesNaively, parseQuery } from '@hotpath/query'
import { randomOf } from '@hotpath/query/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Engine } from './engine.js'
import { ENTRY_TYPES, typeOfKey } from './entry-types.js'
import type { FolderSizes } from './folder-sizes.js'
import { KernelSegmentOpener } from './kernel-segment-opener.js'
import { fill, Model, NOW_MS, type Node } from './testing/model-tree.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const ROUNDS = process.env.SOAK === '1' ? 200 : 3

/** The macro of each type, in their order. */
const MACROS = ['audio:', 'video:', 'pic:', 'doc:', 'code:', 'zip:', 'exe:', 'folder:', 'file:'].map(text => {
  const query = parseQuery(text, { now: NOW_MS })
  if (query.kind !== 'query') throw new Error(query.message)
  return query.predicate
})

function naiveTypes(models: readonly Model[]) {
  const sums = ENTRY_TYPES.map(type => ({ type, count: 0, size: 0 }))
  for (const entry of models.flatMap(model => model.entries())) {
    const sum = sums[MACROS.findIndex(macro => matchesNaively(macro, entry))]
    sum.count++
    if (!Number.isNaN(entry.size)) sum.size += entry.size
  }
  return sums
}

function naiveBelow(model: Model, directory: Node): { count: number; size: number } {
  const sum = { count: 0, size: 0 }
  for (const node of model.nodes) {
    if (node.parent !== directory) continue
    if (!node.stub) sum.count++
    if (node.directory) {
      const below = naiveBelow(model, node)
      sum.count += below.count
      sum.size += below.size
    } else if (!Number.isNaN(node.size)) sum.size += node.size
  }
  return sum
}

function pathOf(model: Model, node: Node): string {
  return model.components(node).join('/') || '/'
}

function naiveChildren(model: Model, directory: Node) {
  return model.nodes
    .filter(node => node.parent === directory)
    .map(node => {
      const below = node.directory
        ? naiveBelow(model, node)
        : { count: 0, size: Number.isNaN(node.size) ? 0 : node.size }
      return { path: pathOf(model, node), name: node.name, isDirectory: node.directory, isEntry: !node.stub, ...below }
    })
    .filter(({ isEntry, count }) => isEntry || count > 0)
    .sort((a, b) => b.size - a.size || b.count - a.count || Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

function shown(sizes: FolderSizes | undefined) {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
  return (
    sizes && {
      ...sizes,
      path: text(sizes.path),
      children: sizes.children.map(child => ({ ...child, path: text(child.path), name: text(child.name) })),
    }
  )
}

describe('IndexStatistics', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hotpath-statistics-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  function check(engine: Engine, models: readonly Model[], label: string, below: number): void {
    while (!engine.gatherStatistics(performance.now() + below / 10));
    expect(engine.typeSums(), label).toEqual(naiveTypes(models))
    const roots = shown(engine.folderSizes(undefined, 1000))
    const total = models.flatMap(model => model.entries())
    expect(roots?.count, label).toBe(total.length)
    expect(roots?.rest, label).toEqual({ count: 0, size: 0 })
    // The same path may be in several roots: the first one has it.
    const [model] = models
    for (const directory of model.nodes.filter(node => node.directory)) {
      if (directory.parent === undefined && model.virtualRoot) continue
      const path = pathOf(model, directory)
      const where = `${label} ${path}`
      const children = naiveChildren(model, directory)
      const sum = naiveBelow(model, directory)
      const sizes = shown(engine.folderSizes(Buffer.from(path), 1000))
      expect(sizes, where).toEqual({ path, ...sum, children, rest: { count: 0, size: 0 } })
      const few = shown(engine.folderSizes(Buffer.from(path), 3))
      expect(
        few?.children.map(({ size }) => size),
        where,
      ).toEqual(children.slice(0, 3).map(({ size }) => size))
      const listed = few?.children ?? []
      expect(few?.rest, where).toEqual({
        count: sum.count - listed.reduce((count, child) => count + child.count + Number(child.isEntry), 0),
        size: sum.size - listed.reduce((size, child) => size + child.size, 0),
      })
    }
  }

  it.each([false, true])(
    'counts like a walk over the tree, whatever moved and died (virtual root: %s)',
    virtualRoot => {
      for (let round = 0; round < ROUNDS; round++) {
        const seed = SEED + round
        const random = randomOf(seed)
        const models = Array.from(
          { length: random.chance(0.3) ? 2 : 1 },
          (_, i) => new Model(random, 5 + random.below(150), i === 0 ? virtualRoot : random.chance(0.5), i + 1),
        )
        const engine = new Engine(
          new KernelSegmentOpener(loadWasm()),
          () => {},
          (_view, _segment, error) => {
            throw error
          },
        )
        const kept: Model[] = []
        for (const model of models) {
          kept.push(model)
          fill(folder, engine, random, model, 2 + random.below(8), () => {
            if (random.chance(0.5)) check(engine, kept, `seed ${seed}`, random.below(3))
          })
        }
        check(engine, models, `seed ${seed}`, 1)
        expect(engine.folderSizes(Buffer.from('/nowhere/at all'), 10)).toBe(undefined)
        engine.close()
      }
    },
  )

  it.each([
    ['song.mp3', 'audio'],
    ['film.mkv', 'video'],
    ['a.b.png', 'picture'],
    // Documents come before code, executables after both.
    ['main.c', 'document'],
    ['run.sh', 'code'],
    ['x.tar.gz', 'archive'],
    ['x.appimage', 'executable'],
    ['.mp3', 'audio'],
    ['mp3', 'other'],
    ['a.', 'other'],
    ['a.mp3x', 'other'],
    ['a.appimages', 'other'],
    ['', 'other'],
  ])('%s is of type %s', (name, type) => {
    const key = Buffer.from(name)
    expect(ENTRY_TYPES[typeOfKey(key, 0, key.length)]).toBe(type)
  })
})
