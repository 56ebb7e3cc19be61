import { BLOCK_NAMES, MalformedBytesError } from '@hotpath/index-format'
import { InvalidInputError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { createKernels, type IdList, type Kernels, type NameBlocks } from './kernels.js'
import { READ_PAST_BYTES, WASM_PAGE } from './memory-layout.js'
import { globPattern, type NameCondition } from './name-condition.js'
import { compileNameProgram } from './name-program.js'
import {
  byteStrings,
  type Dictionary,
  dictionaryOf,
  holdsNaively,
  randomCondition,
  randomName,
  randomSource,
} from './testing/random-names.js'
import { ROUNDS, SEED } from './testing/rounds.js'
import { loadWasm } from './wasm-module.js'

const MEMORY_PAGES = 24

const module = loadWasm()

/** Kernels of both kinds; a test body runs on each. */
function both(test: (kernels: Kernels) => void): void {
  if (module === undefined) throw new Error('this machine has no WebAssembly SIMD: nothing to test')
  test(createKernels({ memoryPages: MEMORY_PAGES, scratchBytes: 1 << 20, module }))
  test(createKernels({ memoryPages: MEMORY_PAGES, scratchBytes: 1 << 20, module: undefined }))
}

/** Puts the dictionary where reading further past its end than allowed would leave the memory. */
function map(kernels: Kernels, dictionary: Dictionary): NameBlocks {
  const { section } = dictionary
  const names = { at: MEMORY_PAGES * WASM_PAGE - READ_PAST_BYTES - section.length, length: section.length }
  const offsets = { at: kernels.mappingStart, length: dictionary.offsets.length * 4 }
  kernels.bytes.set(section, names.at)
  kernels.bytes.set(new Uint8Array(dictionary.offsets.buffer), offsets.at)
  return { names, offsets, nameCount: dictionary.names.length }
}

function randomDictionary(random: (below: number) => number): Dictionary {
  return dictionaryOf(Array.from({ length: 1 + random(150) }, () => randomName(random)))
}

function expected(dictionary: Dictionary, condition: NameCondition): number[] {
  return dictionary.names.flatMap((name, i) => (holdsNaively(condition, dictionary.keys[i], name) ? [i] : []))
}

function verifyAll(kernels: Kernels, blocks: NameBlocks, condition: NameCondition): number[] {
  const program = kernels.place(compileNameProgram(condition))
  const out = kernels.takeIds(blocks.nameCount + BLOCK_NAMES)
  const result = kernels.verifyBlocks({
    program,
    dictionary: blocks,
    blocks: { from: 0, to: Math.ceil(blocks.nameCount / BLOCK_NAMES) },
    out,
  })
  expect(result.done).toBe(true)
  return [...kernels.ids({ at: out.at, count: result.matches })]
}

const text = (s: string) => new TextEncoder().encode(s)

describe('name verification', () => {
  it(`finds what the naive reading of a condition finds (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS; round++) {
        const dictionary = randomDictionary(random)
        kernels.scratch.reset()
        const blocks = map(kernels, dictionary)
        for (let i = 0; i < 12; i++) {
          const condition = randomCondition(random, dictionary)
          const found = verifyAll(kernels, blocks, condition)
          expect({ round, condition, found }).toEqual({ round, condition, found: expected(dictionary, condition) })
          kernels.scratch.reset()
        }
      }
    })
  })

  it(`finds a text in what names share, in what they do not, and across (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      const pieces = ['a', 'b', 'A', 'ab', 'aab', '.', 'é'].map(text)
      for (let round = 0; round < ROUNDS; round++) {
        // Few letters: the same text begins, ends and overlaps everywhere.
        const names = Array.from({ length: 1 + random(200) }, () =>
          Uint8Array.from(
            Array.from({ length: 1 + random(30) }, () => [...pieces[random(pieces.length - random(2))]]).flat(),
          ),
        )
        const dictionary = dictionaryOf(names)
        kernels.scratch.reset()
        const blocks = map(kernels, dictionary)
        for (let i = 0; i < 12; i++) {
          const key = dictionary.keys[random(dictionary.keys.length)]
          const start = random(key.length)
          const held: NameCondition = {
            kind: 'contains',
            subject: 'key',
            text: key.slice(start, start + 1 + random(random(4) === 0 ? 40 : 8)),
          }
          const condition: NameCondition =
            random(2) === 0 ? held : { kind: 'all', parts: [held, randomCondition(random, dictionary, 0)] }
          const found = verifyAll(kernels, blocks, condition)
          expect({ round, condition, found }).toEqual({ round, condition, found: expected(dictionary, condition) })
          kernels.scratch.reset()
        }
      }
    })
  })

  it(`gives bitmap, sum and ids of any list of blocks, in pieces too (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS; round++) {
        kernels.scratch.reset()
        const dictionary = randomDictionary(random)
        const blocks = map(kernels, dictionary)
        const condition = randomCondition(random, dictionary)
        const blockCount = dictionary.offsets.length - 1
        const chosen = Array.from({ length: blockCount }, (_, i) => i).filter(() => random(3) > 0)
        const rows = dictionary.names.map(() => random(300))
        const counts = {
          counts: kernels.place(Uint8Array.from(rows, count => Math.min(count, 255))),
          overflow: kernels.place(
            new Uint8Array(Uint32Array.from(rows.flatMap((count, i) => (count >= 255 ? [i, count] : []))).buffer),
          ),
        }
        const matching = expected(dictionary, condition).filter(id => chosen.includes(Math.floor(id / BLOCK_NAMES)))
        const bits = kernels.takeBits(dictionary.names.length)
        const program = kernels.place(compileNameProgram(condition))
        const list = kernels.placeIds(Uint32Array.from(chosen))
        const out = kernels.takeIds(BLOCK_NAMES + random(40))
        const ids: number[] = []
        let sum = 0
        for (let start = 0; ; ) {
          const result = kernels.verifyBlocks({ program, dictionary: blocks, blocks: list, start, out, bits, counts })
          ids.push(...kernels.ids({ at: out.at, count: result.matches }))
          sum += result.sum
          if (result.done) break
          expect(result.next).toBeGreaterThan(start)
          start = result.next
        }
        expect({ round, ids }).toEqual({ round, ids: matching })
        expect(sum).toBe(matching.reduce((total, id) => total + rows[id], 0))
        const room: IdList = kernels.takeIds(matching.length + 1)
        expect([...kernels.ids(kernels.listBits(bits, 0, dictionary.names.length, room))]).toEqual(matching)
        expect(kernels.popcount(bits, 0, dictionary.names.length)).toBe(matching.length)
      }
    })
  })

  it(`scans arenas to the same effect (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS; round++) {
        kernels.scratch.reset()
        const dictionary = randomDictionary(random)
        const keys = byteStrings(dictionary.keys)
        const originals = byteStrings(dictionary.names)
        const arena = {
          keys: kernels.place(keys.bytes),
          keyOffsets: kernels.place(new Uint8Array(keys.offsets.buffer)),
          originals: kernels.place(originals.bytes),
          originalOffsets: kernels.place(new Uint8Array(originals.offsets.buffer)),
        }
        const condition = randomCondition(random, dictionary)
        const program = kernels.place(compileNameProgram(condition))
        const all = expected(dictionary, condition)
        const from = random(dictionary.names.length + 1)
        const to = from + random(dictionary.names.length + 1 - from)
        const out = kernels.takeIds(1 + random(20))
        const ids: number[] = []
        for (let next = from; ; ) {
          const result = kernels.scanArena(program, arena, next, to, out)
          ids.push(...kernels.ids({ at: out.at, count: result.matches }))
          next = result.next
          if (result.done) break
        }
        expect({ round, ids }).toEqual({ round, ids: all.filter(id => id >= from && id < to) })
        expect(kernels.scanArena(program, arena, from, to).matches).toBe(ids.length)
      }
    })
  })

  it('finds texts across the ends of vectors and shared prefixes', () => {
    const names: Uint8Array[] = []
    for (const length of [1, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 66, 80, 127, 128, 254, 255, 256, 300]) {
      for (let at = 0; at <= length; at += 7) names.push(text(`${'a'.repeat(at)}Needle${'a'.repeat(length - at)}`))
      names.push(text('b'.repeat(length)))
    }
    const dictionary = dictionaryOf(names)
    both(kernels => {
      const blocks = map(kernels, dictionary)
      for (const needle of [
        'n',
        'ne',
        'needle',
        'aneedlea',
        `needle${'a'.repeat(60)}`,
        'a'.repeat(64),
        'a'.repeat(65),
      ]) {
        for (const kind of ['contains', 'prefix', 'suffix', 'exact'] as const) {
          const condition: NameCondition = { kind, subject: 'key', text: text(needle) }
          expect(verifyAll(kernels, blocks, condition)).toEqual(expected(dictionary, condition))
        }
      }
      for (const needle of ['N', 'aNeedle', 'needle']) {
        const condition: NameCondition = { kind: 'contains', subject: 'original', text: text(needle) }
        expect(verifyAll(kernels, blocks, condition)).toEqual(expected(dictionary, condition))
      }
    })
  })

  it('counts a character of any length as one, a stray byte too', () => {
    const dictionary = dictionaryOf([
      ...['x1', 'xé', 'x日', 'x😀', 'xéé', 'x'].map(text),
      Uint8Array.of(0x78, 0xc3),
      Uint8Array.of(0x78, 0xed, 0xa0, 0x80),
    ])
    both(kernels => {
      const blocks = map(kernels, dictionary)
      const pattern = globPattern([{ kind: 'literal', bytes: text('x') }, { kind: 'one' }])
      const found = verifyAll(kernels, blocks, { kind: 'glob', subject: 'original', pattern })
      const named = found.map(id => Buffer.from(dictionary.names[id]).toString('latin1')).sort()
      expect(named).toEqual(
        ['x1', 'xé', 'x日', 'x😀']
          .map(s => Buffer.from(s).toString('latin1'))
          .concat(['x\xc3'])
          .sort(),
      )
    })
  })

  it('has extensions of any length, with dots in them, and of names that begin with the dot', () => {
    const names = ['.bashrc', 'a.tar.gz', 'tar.gz', 'b.gz', 'readme', 'x.', 'c.averylongextension', 'gz', 'A.GZ', '.gz']
    const dictionary = dictionaryOf(names.map(text))
    both(kernels => {
      const blocks = map(kernels, dictionary)
      const find = (extensions: string[]) =>
        verifyAll(kernels, blocks, { kind: 'extension', subject: 'key', extensions: extensions.map(text) })
          .map(id => Buffer.from(dictionary.names[id]).toString())
          .sort()
      expect(find(['gz'])).toEqual(['.gz', 'A.GZ', 'a.tar.gz', 'b.gz', 'tar.gz'])
      expect(find(['tar.gz'])).toEqual(['a.tar.gz'])
      expect(find(['bashrc', 'averylongextension'])).toEqual(['.bashrc', 'c.averylongextension'])
      expect(find(['g', 'zz', 'tgz\0', 'gz\0'])).toEqual([])
      expect(find(Array.from({ length: 300 }, (_, i) => `e${i}`).concat('gz'))).toHaveLength(5)
    })
  })

  it('has no names and takes no blocks', () => {
    both(kernels => {
      const blocks = map(kernels, dictionaryOf([]))
      expect(verifyAll(kernels, blocks, { kind: 'constant', value: true })).toEqual([])
    })
  })
})

describe('damage', () => {
  it(`never leaves the block or the buffers, and writes nothing above the scratch space (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS * 8; round++) {
        const dictionary = randomDictionary(random)
        const damaged = dictionary.section.slice()
        for (let i = 1 + random(3); i > 0; i--) damaged[random(damaged.length)] = random(256)
        const offsets = dictionary.offsets.slice()
        if (random(4) === 0) offsets[random(offsets.length)] = random(2) === 0 ? random(5000) : 0xffffffff - random(9)
        kernels.scratch.reset()
        const blocks = map(kernels, { ...dictionary, section: damaged, offsets })
        const before = Buffer.from(kernels.bytes.slice(kernels.mappingStart))
        try {
          const found = verifyAll(kernels, blocks, randomCondition(random, dictionary))
          expect(found.every((id, i) => id < dictionary.names.length && (i === 0 || id > found[i - 1]))).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError)
        }
        expect(before.equals(kernels.bytes.subarray(kernels.mappingStart))).toBe(true)
      }
    })
  })

  it(`of a program is refused or harmless (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS * 8; round++) {
        const dictionary = randomDictionary(random)
        kernels.scratch.reset()
        const blocks = map(kernels, dictionary)
        const program = compileNameProgram(randomCondition(random, dictionary))
        for (let i = 1 + random(3); i > 0; i--) {
          const at = random(4) === 0 ? random(program.length) : random(Math.min(program.length, 64))
          program[at] = random(3) === 0 ? random(256) : program[at] ^ (1 << random(8))
        }
        const request = {
          program: kernels.place(program),
          dictionary: blocks,
          blocks: { from: 0, to: dictionary.offsets.length - 1 },
        }
        try {
          expect(kernels.verifyBlocks(request).matches).toBeLessThanOrEqual(dictionary.names.length)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError)
        }
      }
    })
  })

  it('is told by the address at fault', () => {
    const dictionary = dictionaryOf(['a', 'b'].map(text))
    both(kernels => {
      const blocks = map(kernels, dictionary)
      kernels.bytes[blocks.names.at + 3] = 9
      const failure = () => verifyAll(kernels, blocks, { kind: 'constant', value: true })
      expect(failure).toThrow(MalformedBytesError)
      expect(failure).toThrow(expect.objectContaining({ offset: blocks.names.at + 3 }))
    })
  })

  it('of arguments is refused', () => {
    const dictionary = dictionaryOf(['a', 'b'].map(text))
    both(kernels => {
      const blocks = map(kernels, dictionary)
      const program = kernels.place(compileNameProgram({ kind: 'constant', value: true }))
      const range = { from: 0, to: 1 }
      const refused = (extra: object) =>
        expect(() => kernels.verifyBlocks({ program, dictionary: blocks, blocks: range, ...extra })).toThrow(
          InvalidInputError,
        )
      refused({ out: { at: kernels.mappingStart, count: 64 } })
      refused({ out: { at: kernels.scratch.start, count: 31 } })
      refused({ out: { at: kernels.scratch.start - 4, count: 64 } })
      refused({ bits: { at: kernels.mappingStart, length: 1 } })
      refused({ blocks: { from: 0, to: 2 } })
      refused({ blocks: { from: 1, to: 0 } })
      refused({ dictionary: { ...blocks, names: { at: blocks.names.at, length: blocks.names.length + 1 } } })
      refused({ dictionary: { ...blocks, nameCount: 1000000 } })
      expect(() =>
        kernels.verifyBlocks({ program, dictionary: blocks, blocks: kernels.placeIds(Uint32Array.of(1)) }),
      ).toThrow(MalformedBytesError)
    })
  })
})
