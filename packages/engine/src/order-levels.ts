import type { TimeColumnReader } from '@hotpath/index-format'
import {
  extensionOf,
  holdsAllTerms,
  isDirectory,
  nameCharacters,
  type RelevanceTerms,
  sizeOf,
  tierOf,
} from '@hotpath/query'
import type { ExtensionUnion } from './extension-union.js'
import type { Hit } from './hit.js'
import { NameCharacters } from './name-characters.js'
import { type NameNumbers, oneNumber, plainNumbers } from './name-numbers.js'
import { NameRelevances } from './name-relevances.js'
import { NOT_ALL, nameTiers } from './name-tiers.js'
import { rankOf } from './ranked-names.js'
import { RowDepths } from './row-depths.js'
import type { RowSet } from './row-set.js'
import type { HitSort } from './sort-order.js'
import { splitBySeconds, splitBySize } from './split-columns.js'
import { splitByNames } from './split-names.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'

/** A number that an order goes by: ascending on the page, Infinity for what comes last. */
export interface OrderLevel {
  ofTable(table: TableRows, tree: TreeMatcher): (row: number) => number
  ofHit(hit: Hit): number
  /** What `OrderPart.split` asks, quicker than row by row; undefined where it is not. */
  split?(table: TableRows, rows: RowSet, low: number, high: number): { before: number; inside: RowSet } | undefined
}

/** What levels ask about the hits. */
export interface HitFacts {
  /** The names of all of them hold all terms of the order. */
  readonly holdsAll: boolean
  /** Tiers of the names of each table, as far as they are known: filled where they are asked for. */
  readonly tiers: Map<string, Uint8Array>
  /** Extensions of all of them. */
  extensions(): ExtensionUnion
}

/**
 * The numbers that an order goes by before names and paths decide; of an order by use those of what was never opened.
 */
export function levelsOf(sort: HitSort, facts: HitFacts): readonly OrderLevel[] {
  const sign = sort.descending ? -1 : 1
  switch (sort.column) {
    case 'name':
    case 'path':
    case 'opened':
      return []
    case 'hot':
      return [
        ...(sort.terms.needles.length > 0 ? [...nameLevels(sort.terms, facts), depthLevel] : []),
        secondsLevel('modified', -1, 1),
        ticksLevel('modified', -1),
      ]
    case 'size':
      return [sizeLevel(sign)]
    case 'ext':
      return [extensionLevel(facts.extensions(), sign)]
    default:
      return [secondsLevel(sort.column, sign, sign), ticksLevel(sort.column, sign)]
  }
}

function sizeLevel(sign: 1 | -1): OrderLevel {
  const number = (size: number): number => sign * (Number.isNaN(size) ? Number.POSITIVE_INFINITY : size)
  return {
    ofTable: ({ table, reader: { sizes } }) => {
      if (table === 'd') return () => 0
      return sizes === undefined ? () => number(Number.NaN) : row => number(sizes.at(row))
    },
    ofHit: hit => number(sizeOf(hit)),
    split: (table, rows, low, high) =>
      splitBySize(table, rows, { low, high, sign, unknown: sign * Number.POSITIVE_INFINITY }),
  }
}

/** @param unknownSign 1: unknown ones come last */
function secondsLevel(column: TimeColumn, sign: 1 | -1, unknownSign: 1 | -1): OrderLevel {
  const unknown = unknownSign * Number.POSITIVE_INFINITY
  const number = (seconds: number): number => (Number.isNaN(seconds) ? unknown : sign * seconds)
  return {
    ofTable: ({ reader, table }) => {
      const times = reader.timeColumn(table, column)
      return times === undefined ? () => unknown : row => number(times.secondsAt(row))
    },
    ofHit: hit => number(hit[column]?.seconds ?? Number.NaN),
    split: (table, rows, low, high) => splitBySeconds(table, rows, column, { low, high, sign, unknown }),
  }
}

type TimeColumn = Parameters<TableRows['reader']['timeColumn']>[1] & keyof Hit

function ticksLevel(column: TimeColumn, sign: 1 | -1): OrderLevel {
  const number = (times: TimeColumnReader, row: number): number =>
    Number.isNaN(times.secondsAt(row)) ? 0 : sign * times.ticksAt(row)
  return {
    ofTable: ({ reader, table }) => {
      const times = reader.timeColumn(table, column)
      return times === undefined || times.wholeSeconds ? () => 0 : row => number(times, row)
    },
    ofHit: hit => {
      const time = hit[column]
      return time === undefined || Number.isNaN(time.seconds) ? 0 : sign * time.ticks
    },
  }
}

function extensionLevel(extensions: ExtensionUnion, sign: 1 | -1): OrderLevel {
  const none = sign * Number.POSITIVE_INFINITY
  return {
    ...nameLevel(table =>
      table.table === 'd' ? oneNumber(none, table.dictionary.nameCount) : extensions.numbersOf(table, sign),
    ),
    ofHit: hit => {
      const text = isDirectory(hit) ? undefined : extensionOf(hit)
      return text === undefined ? none : sign * extensions.rankOf(text)
    },
  }
}

/** What names are worth. */
function nameLevels(terms: RelevanceTerms, { holdsAll, tiers: tiersOf }: HitFacts): OrderLevel[] {
  const whole: OrderLevel = {
    ...nameLevel(table => new NameRelevances(table, terms)),
    ofHit: hit => rankOf(terms, hit.name, hit.key),
  }
  if (terms.tolerant.length > 0) return [whole]
  const tiers: OrderLevel = {
    ...nameLevel(table => {
      const key = `${table.view.id} ${table.segment.id} ${table.table}`
      const codes = tiersOf.get(key) ?? nameTiers(table, terms, holdsAll)
      tiersOf.set(key, codes)
      return plainNumbers(codes)
    }),
    ofHit: hit => (holdsAllTerms(terms, hit.name, hit.key) ? 0 : NOT_ALL) + tierOf(terms.needles, hit.name, hit.key),
  }
  const characters: OrderLevel = {
    ...nameLevel(table => NameCharacters.of(table)),
    ofHit: hit => nameCharacters(hit.name),
  }
  return [tiers, characters]
}

const depthLevel: OrderLevel = {
  ofTable: (table, tree) => {
    const depths = new RowDepths(table, tree)
    return row => depths.of(row)
  },
  ofHit: hit => hit.components.length - 1,
}

/** A level of something that names have. What is found out of the names of a table is kept as long as the level is. */
function nameLevel(find: (table: TableRows) => NameNumbers): Omit<OrderLevel, 'ofHit'> {
  const known = new Map<TableRows, NameNumbers>()
  const numbersOf = (table: TableRows): NameNumbers => {
    const numbers = known.get(table) ?? find(table)
    known.set(table, numbers)
    return numbers
  }
  return {
    ofTable: table => {
      const numbers = numbersOf(table)
      return row => numbers.of(table.nameIdOf(row))
    },
    split: (table, rows, low, high) => splitByNames(table, rows, numbersOf(table), low, high),
  }
}
