import { BLOCK_NAMES } from '@hotpath/index-format'
import type { NameExpression } from './name-expression.js'
import type { BlockDecider } from './name-verdicts.js'

/** The start that is all a key need have; undefined if anything else is asked of names. */
export function soleStart(expression: NameExpression): Uint8Array | undefined {
  if (expression.kind !== 'name') return undefined
  const { test } = expression
  return test.mode === 'prefix' && test.spelling === undefined && !test.words ? test.needle : undefined
}

/** Names [from, to) pass: those that start with a text stand together, so none of them is looked at. */
export class RangeDecider implements BlockDecider {
  readonly isFree = true

  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {}

  decide(block: number): number {
    const first = block * BLOCK_NAMES
    return (belowBits(this.to - first) & ~belowBits(this.from - first)) >>> 0
  }

  decideAll(blocks: Uint32Array, words: Uint32Array): void {
    for (let i = 0; i < blocks.length; i++) words[blocks[i]] = this.decide(blocks[i])
  }
}

/** The lowest `count` bits of a word. */
function belowBits(count: number): number {
  return count >= BLOCK_NAMES ? -1 : (1 << Math.max(0, count)) - 1
}
