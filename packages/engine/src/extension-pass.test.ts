import { buildSegment, type DictionaryReader, MemorySink, SegmentReader } from '@hotpath/index-format'
import { Kind } from '@hotpath/model'
import { type Entry, extensionOf } from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { describe, expect, it } from 'vitest'
import { ExtensionPass } from './extension-pass.js'
import { ranksOfSome } from './extension-ranks.js'
import type { NameExtensions } from './name-extensions.js'
import { flatColumns } from './testing/flat-segment.js'
import { VerdictMemory } from './verdict-memory.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const ROUNDS = process.env.SOAK === '1' ? 2_000 : 25

/** The dictionary of a segment that has these files. */
function dictionaryOf(names: readonly string[]): DictionaryReader {
  const files = [...new Set(names)].map(name => Buffer.from(name))
  const sink = new MemorySink()
  buildSegment(flatColumns(files), sink)
  return new SegmentReader('memory', sink.bytes()).files
}

/** One character a byte, which compare as the bytes do; undefined without an extension. */
function extensionText(name: Uint8Array): string | undefined {
  const entry: Entry = { components: [Buffer.from(''), name], kind: Kind.file, size: 0 }
  const extension = extensionOf(entry)
  return extension && Buffer.from(extension).toString('latin1')
}

/** Compares everything that is known with what the names say. */
function checkExtensions(found: NameExtensions, dictionary: DictionaryReader, label: string): void {
  const texts = Array.from({ length: dictionary.nameCount }, (_, id) => extensionText(dictionary.nameAt(id)))
  const distinct = [...new Set(texts.filter(text => text !== undefined))].sort()
  expect(found.count, label).toBe(distinct.length)
  const ranks = new Map(distinct.map((text, rank) => [text, rank]))
  const expected = texts.map(text => (text === undefined ? distinct.length : ranks.get(text)))
  expect(
    texts.map((_, id) => found.rankOf(id)),
    label,
  ).toEqual(expected)
  const listed = Array.from({ length: found.count + 1 }, () => [] as number[])
  expected.forEach((rank, id) => {
    listed[rank ?? -1].push(id)
  })
  const out = new Uint32Array(3)
  listed.forEach((ids, rank) => {
    const names = found.namesOf(rank)
    const read: number[] = []
    for (let count = names.read(out); count > 0; count = names.read(out)) read.push(...out.subarray(0, count))
    if (read.length !== ids.length || read.some((id, i) => id !== ids[i])) expect(read, label).toEqual(ids)
    if (found.nameCountOf(rank) !== ids.length) expect(found.nameCountOf(rank), label).toBe(ids.length)
    const text = rank === found.count ? '' : distinct[rank]
    if (found.rankOfText(Buffer.from(text, 'latin1')) !== rank) expect.unreachable(`${label}: rank of ${text}`)
  })
  expect(found.rankOfText(Buffer.from('no such one')), label).toBe(-1)
}

const BASES = ['a', 'B', 'main', 'größe', '日本語', 'İ', 'x.y', '', 'ﬁ', 'Å']
const EXTENSIONS = [
  '',
  '.',
  '..',
  '.c',
  '.C',
  '.tar.gz',
  '.GZ',
  '.ÄÖ',
  '.äö',
  '.日本',
  '.ß',
  '.SS',
  '. ',
  '.\u0301',
  '.x.',
]

function randomNames(random: Random): string[] {
  return Array.from({ length: random.below(400) }, () => {
    const extension = random.chance(0.3) ? `.${random.below(200)}` : random.pick(EXTENSIONS)
    return `${random.pick(BASES)}${random.below(60)}${extension}`
  })
}

const never = (): void => {}

describe('the extensions of a dictionary', () => {
  it('are those of its names, their lists complete', () => {
    for (let round = 0; round < ROUNDS; round++) {
      const dictionary = dictionaryOf(randomNames(randomOf(SEED + round)))
      checkExtensions(new ExtensionPass(dictionary).extensions(never), dictionary, `seed ${SEED + round}`)
    }
  })

  it('rank some names as they rank all', () => {
    for (let round = 0; round < ROUNDS; round++) {
      const random = randomOf(SEED + round)
      const dictionary = dictionaryOf(randomNames(random))
      const all = new ExtensionPass(dictionary).extensions(never)
      const share = random.pick([0.01, 0.2, 1])
      const ids = Uint32Array.from(Array.from({ length: dictionary.nameCount }, (_, id) => id)).filter(() =>
        random.chance(share),
      )
      const work = {
        nowSeconds: 0,
        blocksVerified: 0,
        namesMatched: 0,
        memory: new VerdictMemory(),
        checkCancelled: never,
      }
      const some = ranksOfSome(dictionary, ids, work)
      const label = `seed ${SEED + round}`
      // The same order, with no gaps.
      const present = [...new Set(Array.from(ids, id => all.rankOf(id)))].sort((a, b) => a - b)
      const hasNone = present.at(-1) === all.count
      expect(some.count, label).toBe(present.length - (hasNone ? 1 : 0))
      expect(
        Array.from(ids, id => some.rankOf(id)),
        label,
      ).toEqual(Array.from(ids, id => present.indexOf(all.rankOf(id))))
    }
  })

  it.each([65_535, 65_536])('may be %i', count => {
    const names = Array.from({ length: count }, (_, i) => `n.${i.toString(36)}`)
    const dictionary = dictionaryOf([...names, 'a', 'b.0', 'c.'])
    checkExtensions(new ExtensionPass(dictionary).extensions(never), dictionary, 'many')
  })

  it('are found in pieces, whoever asks, and nothing is done twice', () => {
    const names = Array.from({ length: 30_000 }, (_, i) => `n${i}.${(i * 7919) % 3_000}`)
    const dictionary = dictionaryOf(names)
    let keys = 0
    const counted = new Proxy(dictionary, {
      get: (target, property) => {
        if (property === 'forEachKey') keys++
        const value = Reflect.get(target, property)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const pass = new ExtensionPass(counted)
    const cancelled = new Error('cancelled')
    let stops = 0
    while (!pass.isDone) {
      let left = 2
      try {
        pass.extensions(() => {
          if (--left < 0) throw cancelled
        })
      } catch (error) {
        expect(error).toBe(cancelled)
        expect(++stops).toBeLessThan(100)
      }
      // Of no time at all nothing is left for a step.
      if (!pass.isDone) pass.run(Number.NEGATIVE_INFINITY)
    }
    expect(stops).toBeGreaterThan(5)
    expect(keys).toBe(Math.ceil(dictionary.blockCount / 256))
    expect(pass.run(Number.NEGATIVE_INFINITY)).toBe(true)
    checkExtensions(
      pass.extensions(() => expect.unreachable('all is done')),
      dictionary,
      'in pieces',
    )
  })

  it('begin anew after a failure', () => {
    const dictionary = dictionaryOf(['a.b', 'c'])
    let fails = true
    const failing = new Proxy(dictionary, {
      get: (target, property) => {
        if (property === 'forEachKey' && fails) throw new Error('damaged')
        const value = Reflect.get(target, property)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const pass = new ExtensionPass(failing)
    expect(() => pass.extensions(never)).toThrow('damaged')
    expect(() => pass.run(Number.POSITIVE_INFINITY)).toThrow('damaged')
    fails = false
    checkExtensions(pass.extensions(never), dictionary, 'after a failure')
  })
})
