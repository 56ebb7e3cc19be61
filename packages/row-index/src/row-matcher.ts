import {
  isDecidedByKey,
  type NameTest,
  type PathPredicate,
  type Predicate,
  passesKey,
  passesSpelling,
  passesTest,
} from '@hotpath/query'
import { allRows, type RowBlock } from './row-block.js'
import { WordStarts } from './word-starts.js'

/**
 * Decides which rows of a block a predicate matches. A row is to a predicate what an entry with the path `[database, table, text]` is: what
 * `matchesNaively` says of that is what this says, faster. The predicate is `Query.rows`.
 */
export class RowMatcher {
  private readonly encoder = new TextEncoder()
  private readonly database: Uint8Array
  /** Of each part about database and table: whether the rows of a table pass. */
  private readonly places = new Map<PathPredicate, Map<string, boolean>>()
  private readonly starts = new WordStarts((part, block, within) => this.matchPart(part, block, within))

  constructor(
    private readonly predicate: Predicate,
    database: string,
  ) {
    this.database = this.encoder.encode(database)
  }

  /** The mask of the rows among `within` that match. */
  match(block: RowBlock, within = allRows(block.count)): number {
    return within === 0 ? 0 : this.matchPart(this.predicate, block, within)
  }

  /** Of rows that match, those that come first: in which what was looked for begins a word. */
  begun(block: RowBlock, matched: number): number {
    return this.starts.among(this.predicate, block, matched)
  }

  private matchPart(predicate: Predicate, block: RowBlock, within: number): number {
    switch (predicate.kind) {
      case 'all':
        return within
      case 'none':
        return 0
      case 'and': {
        let mask = within
        for (const part of predicate.parts) {
          mask = this.matchPart(part, block, mask)
          if (mask === 0) break
        }
        return mask
      }
      case 'or': {
        let mask = 0
        for (const part of predicate.parts) {
          mask |= this.matchPart(part, block, within & ~mask)
          if (mask === within) break
        }
        return mask
      }
      case 'not':
        return within & ~this.matchPart(predicate.part, block, within)
      case 'name':
        return matchText(predicate.test, block, within)
      case 'path':
        return this.isPlace(predicate, block.table) ? within : 0
      default:
        throw new RangeError(`rows are not asked for ${predicate.kind}`)
    }
  }

  /** Whether database and table pass: the first components of a row's path, of which the text is never among those asked for. */
  private isPlace(predicate: PathPredicate, table: string): boolean {
    let known = this.places.get(predicate)
    if (known === undefined) {
      known = new Map()
      this.places.set(predicate, known)
    }
    let passes = known.get(table)
    if (passes === undefined) {
      const components = [this.database, this.encoder.encode(table)]
      passes = predicate.tests.every((test, index) => index < 2 && passesTest(test, components[index]!))
      known.set(table, passes)
    }
    return passes
  }
}

function matchText(test: NameTest, block: RowBlock, within: number): number {
  if (test.mode === 'substring' && test.words === undefined) {
    const mask = rowsWith(block, test.needle, within)
    return test.spelling === undefined ? mask : spelledRows(test, block, mask)
  }
  let mask = 0
  forEachRow(within, row => {
    if (passesKey(test, block.folded, startOf(block, row), block.ends[row]!)) mask |= 1 << row
  })
  return isDecidedByKey(test) ? mask : spelledRows(test, block, mask)
}

/** The rows among `within` whose text as it was written passes what the folded text does not decide. */
function spelledRows(test: NameTest, block: RowBlock, within: number): number {
  let mask = 0
  forEachRow(within, row => {
    const folded = block.folded.subarray(startOf(block, row), block.ends[row])
    if (passesSpelling(test, block.text(row), folded)) mask |= 1 << row
  })
  return mask
}

/** The rows among `within` whose folded text holds the needle. Cost: one search over the block's bytes. */
function rowsWith(block: RowBlock, needle: Uint8Array, within: number): number {
  const { folded, ends, count } = block
  const hay = Buffer.from(folded.buffer, folded.byteOffset, folded.length)
  let mask = 0
  for (let row = 0, from = 0; row < count; row++) {
    const at = hay.indexOf(needle, from)
    if (at < 0) break
    while (ends[row]! < at) row++
    mask |= 1 << row
    from = ends[row]! + 1
  }
  return mask & within
}

function startOf({ ends }: RowBlock, row: number): number {
  return row === 0 ? 0 : ends[row - 1]! + 1
}

function forEachRow(mask: number, visit: (row: number) => void): void {
  for (let left = mask; left !== 0; left &= left - 1) visit(31 - Math.clz32(left & -left))
}
