import { readFileSync } from 'node:fs'
import { BLOCK_NAMES, COUNT_OVERFLOW, MAX_KEY_BYTES, MAX_NAME_BYTES } from '@hotpath/index-format'
import { InvalidInputError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { ScratchFullError } from './errors.js'
import { ARENA_FIELDS, VERIFY_FIELDS } from './kernel-functions.js'
import { createKernels } from './kernels.js'
import { MAX_SETS, RESULT_FIELDS, SCRATCH_START, Status, WASM_PAGE } from './memory-layout.js'
import { ANY_CHARACTER, ANY_CHARACTERS } from './name-condition.js'
import {
  ACCEPT,
  compileNameProgram,
  HEADER_BYTES,
  LEAF_BYTES,
  LeafKind,
  MAX_TESTS,
  PROGRAM_MAGIC,
  REJECT,
} from './name-program.js'
import { loadWasm } from './wasm-module.js'

/** `const NAME: type = value` of an AssemblyScript source, sums of earlier names included. */
function constantsOf(file: string): Map<string, number> {
  const source = readFileSync(new URL(`../assembly/${file}.ts`, import.meta.url), 'utf8')
  const values = new Map<string, number>()
  for (const [, name, expression] of source.matchAll(/^(?:export )?const (\w+): \w+ = (.+)$/gm)) {
    const terms = expression.split('+').map(term => values.get(term.trim()) ?? Number(term.trim()))
    values.set(
      name,
      terms.reduce((a, b) => a + b),
    )
  }
  return values
}

describe('the two sides of the kernels', () => {
  it('agree on the memory and the limits', () => {
    const layout = constantsOf('layout')
    expect(Object.fromEntries([...layout].filter(([name]) => /^RESULT_|^M|^NO_|^BAD|^BLOCK/.test(name)))).toEqual({
      RESULT_OFFSET: RESULT_FIELDS.offset,
      RESULT_MATCHES: RESULT_FIELDS.matches,
      RESULT_NEXT: RESULT_FIELDS.next,
      RESULT_SUM: RESULT_FIELDS.sum,
      MAX_SETS,
      MALFORMED: Status.malformed,
      NO_ROOM: Status.noRoom,
      BAD_PROGRAM: Status.badProgram,
      BAD_ARGUMENT: Status.badArgument,
      MAX_NAME_BYTES,
      MAX_KEY_BYTES,
      BLOCK_NAMES,
    })
    const ends = [
      (layout.get('CRC_TABLES') ?? 0) + 8192,
      layout.get('TEXT_PLACES'),
      (layout.get('TEXT_PLACES') ?? 0) + 1024,
      layout.get('TEXT_NEXT'),
      (layout.get('TEXT_NEXT') ?? 0) + 1024,
      layout.get('SUFFIX_STARTS'),
      (layout.get('SUFFIX_STARTS') ?? 0) + BLOCK_NAMES * 4,
      layout.get('SHARED_BYTES'),
      (layout.get('SHARED_BYTES') ?? 0) + BLOCK_NAMES * 4,
      layout.get('NAME_CHAIN'),
      (layout.get('NAME_CHAIN') ?? 0) + BLOCK_NAMES,
      layout.get('NAME_ORIGINAL'),
      (layout.get('NAME_ORIGINAL') ?? 0) + MAX_NAME_BYTES + 64,
      layout.get('NAME_LOWERED'),
      (layout.get('NAME_LOWERED') ?? 0) + MAX_NAME_BYTES + 64,
      layout.get('CONTAINER_BITS'),
      (layout.get('CONTAINER_BITS') ?? 0) + 8192,
      layout.get('CONTAINER_VALUES'),
      (layout.get('CONTAINER_VALUES') ?? 0) + 131072,
      layout.get('SET_CURSORS'),
      (layout.get('SET_CURSORS') ?? 0) + MAX_SETS * 32,
      SCRATCH_START,
    ]
    expect(ends).toEqual([...ends].sort((a, b) => (a ?? 0) - (b ?? 0)))
  })

  it('agree on programs and arguments', () => {
    const program = constantsOf('name-program')
    expect(program.get('MAGIC')).toBe(PROGRAM_MAGIC)
    expect(program.get('HEADER_BYTES')).toBe(HEADER_BYTES)
    expect(program.get('LEAF_BYTES')).toBe(LEAF_BYTES)
    expect([program.get('ACCEPT'), program.get('REJECT')]).toEqual([ACCEPT, REJECT])
    expect(program.get('MAX_LEAVES')).toBe(MAX_TESTS)
    expect([program.get('ANY_CHARACTER'), program.get('ANY_CHARACTERS')]).toEqual([ANY_CHARACTER, ANY_CHARACTERS])
    for (const [kind, value] of Object.entries(LeafKind)) expect(program.get(screaming(kind))).toBe(value)
    const blocks = constantsOf('verify-args')
    for (const [field, offset] of Object.entries(VERIFY_FIELDS)) expect(blocks.get(screaming(field))).toBe(offset)
    expect(constantsOf('name-rows').get('COUNT_OVERFLOW')).toBe(COUNT_OVERFLOW)
    const arena = constantsOf('arena')
    for (const [field, offset] of Object.entries(ARENA_FIELDS)) expect(arena.get(screaming(field))).toBe(offset)
  })
})

function screaming(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()
}

describe('kernels', () => {
  it('refuse sizes that do not fit', () => {
    const module = loadWasm()
    for (const [memoryPages, scratchBytes] of [
      [0, 4096],
      [65537, 4096],
      [1.5, 4096],
      [4, 4095],
      [3, 4096],
      [4, WASM_PAGE],
      [4, Number.NaN],
    ]) {
      expect(() => createKernels({ memoryPages, scratchBytes, module })).toThrow(InvalidInputError)
    }
    const kernels = createKernels({ memoryPages: 5, scratchBytes: WASM_PAGE, module })
    expect(kernels.mappingStart).toBe(4 * WASM_PAGE)
    expect(kernels.bytes.length).toBe(5 * WASM_PAGE)
  })

  it('hand out aligned scratch space until it is used up, and take it back', () => {
    const { scratch } = createKernels({ memoryPages: 5, scratchBytes: 4096, module: undefined })
    const first = scratch.take(1)
    const mark = scratch.mark()
    const second = scratch.take(3)
    expect([first % 16, second - first]).toEqual([0, 16])
    expect(() => scratch.take(5000)).toThrow(ScratchFullError)
    expect(() => scratch.take(-1)).toThrow(ScratchFullError)
    expect(() => scratch.take(Number.NaN)).toThrow(ScratchFullError)
    scratch.release(mark)
    expect(scratch.take(scratch.freeBytes)).toBe(second)
    expect(scratch.freeBytes).toBe(0)
    scratch.reset()
    expect(scratch.take(0)).toBe(first)
  })

  it('are compiled once', () => {
    expect(loadWasm()).toBe(loadWasm())
  })

  it('refuse programs beyond the limits', () => {
    const many = Array.from({ length: MAX_TESTS + 1 }, () => ({ kind: 'nonAscii', subject: 'key' }) as const)
    expect(() => compileNameProgram({ kind: 'all', parts: many })).toThrow(InvalidInputError)
    const pattern = Uint16Array.from({ length: 1025 }, (_, i) => (i % 2 === 0 ? 0x61 : ANY_CHARACTER))
    expect(() => compileNameProgram({ kind: 'glob', subject: 'key', pattern })).toThrow(InvalidInputError)
    const extensions = Array.from({ length: 513 }, () => Uint8Array.of(0x61))
    expect(() => compileNameProgram({ kind: 'extension', subject: 'key', extensions })).toThrow(InvalidInputError)
  })
})
