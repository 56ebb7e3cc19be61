import { describe, expect, it } from 'vitest'
import { NameVerdicts } from './name-verdicts.js'
import { RangeDecider, soleStart } from './range-decider.js'
import { VerdictMemory } from './verdict-memory.js'

const NAMES = 100

describe('names of a range', () => {
  it('pass wherever the range begins and ends, one by one and together', () => {
    const work = {
      nowSeconds: 0,
      blocksVerified: 0,
      namesMatched: 0,
      memory: new VerdictMemory(),
      checkCancelled: () => {},
    }
    for (let from = 0; from <= NAMES; from++) {
      for (let to = from; to <= NAMES; to++) {
        const verdicts = () => new NameVerdicts(NAMES, undefined, new RangeDecider(from, to), work)
        const single = verdicts()
        const right = Array.from({ length: NAMES }, (_, id) => id >= from && id < to)
        const why = `${from} ${to}`
        expect(
          right.map((_, id) => single.has(id)),
          why,
        ).toEqual(right)
        const all = verdicts()
        expect(all.undecidedBlocks).toBe(0)
        expect(all.count(), why).toBe(to - from)
        expect(
          right.map((_, id) => all.all().has(id)),
          why,
        ).toEqual(right)
        work.memory.release()
      }
    }
  })

  it('are those of a test that asks for the start of the key alone', () => {
    const needle = Uint8Array.of(0x61)
    expect(soleStart({ kind: 'name', test: { mode: 'prefix', needle } })).toBe(needle)
    const spelling = { keepCase: true, keepMarks: false, needle }
    for (const test of [
      { mode: 'prefix', needle, words: true },
      { mode: 'prefix', needle, spelling },
      { mode: 'substring', needle },
      { mode: 'exact', needle },
    ] as const) {
      expect(soleStart({ kind: 'name', test }), JSON.stringify(test)).toBeUndefined()
    }
    expect(soleStart({ kind: 'wordStart', needle })).toBeUndefined()
  })
})
