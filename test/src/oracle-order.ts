import {
  holdsAllTerms,
  nameCharacters,
  nearnessIn,
  type RelevanceTerms,
  type Sort,
  type SortColumn,
  tierOf,
} from '@hotpath/query'
import { entriesOf, type Mask } from './oracle-filter.js'
import { bytesOfLatin1 } from './oracle-names.js'
import { type EntryTable, NO_PLACE } from './oracle-table.js'

/** Room for characters in a rank. */
const LONGEST_NAME = 100_000

/**
 * Every order of a table: what `compareEntries` says, with names and paths ranked once. The tests compare it with
 * `compareEntries` on samples.
 */
export class EntryOrders {
  private readonly nameRank: Uint32Array
  private readonly pathRank: Uint32Array
  private readonly known = new Map<string, Uint32Array>()
  private ages: number[] | undefined

  constructor(private readonly table: EntryTable) {
    this.nameRank = rankNames(table)
    this.pathRank = rankPaths(table, this.nameRank)
  }

  /** The entries of a mask in the order of `sort`; none was ever opened. */
  of(mask: Mask, sort: Sort, terms: RelevanceTerms): Uint32Array {
    if (sort.column === 'hot') return this.byRelevance(mask, terms)
    return this.all(sort).filter(entry => mask[entry] === 1)
  }

  private byRelevance(mask: Mask, terms: RelevanceTerms): Uint32Array {
    const { table, nameRank, pathRank } = this
    const ordered = terms.needles.length > 0
    const ranks = new Map<number, number>()
    const rank = (entry: number): number => {
      const name = table.name[entry]!
      let known = ranks.get(name)
      if (known === undefined) {
        known = rankByTerms(terms, bytesOfLatin1(table.names.raw[name]!), bytesOfLatin1(table.names.key[name]!))
        ranks.set(name, known)
      }
      return known
    }
    const hits = entriesOf(mask)
    const primary = new Float64Array(table.count)
    const depth = new Uint32Array(table.count)
    for (const entry of ordered ? hits : []) {
      primary[entry] = rank(entry)
      for (let place = table.parent[entry]!; place !== NO_PLACE; place = table.placeParent[place]!) depth[entry]!++
    }
    this.ages ??= table.facts.map(({ modified }) => (Number.isNaN(modified.seconds) ? Infinity : -modified.seconds))
    const { ages } = this
    return Uint32Array.from(hits).sort(
      (a, b) =>
        primary[a]! - primary[b]! ||
        depth[a]! - depth[b]! ||
        compareNumbers(ages[a]!, ages[b]!) ||
        (ages[a] === Infinity ? 0 : table.facts[b]!.modified.ticks - table.facts[a]!.modified.ticks) ||
        nameRank[table.name[a]!]! - nameRank[table.name[b]!]! ||
        pathRank[a]! - pathRank[b]!,
    )
  }

  /** All entries in the order of `sort`. */
  private all(sort: Sort): Uint32Array {
    const label = `${sort.column} ${sort.descending}`
    const known = this.known.get(label)
    if (known) return known
    const { table, nameRank, pathRank } = this
    const primary = this.primary(sort.column)
    const sign = sort.descending ? -1 : 1
    const order = Uint32Array.from({ length: table.count }, (_, entry) => entry).sort(
      (a, b) =>
        sign * primary(a, b) || nameRank[table.name[a]!]! - nameRank[table.name[b]!]! || pathRank[a]! - pathRank[b]!,
    )
    this.known.set(label, order)
    return order
  }

  private primary(column: SortColumn): (a: number, b: number) => number {
    const { table, nameRank, pathRank } = this
    switch (column) {
      case 'name':
        return (a, b) => nameRank[table.name[a]!]! - nameRank[table.name[b]!]!
      case 'hot':
        throw new RangeError('hot depends on the terms')
      case 'opened':
        // Nothing is opened here: all are last.
        return () => 0
      case 'path':
        return (a, b) => pathRank[a]! - pathRank[b]!
      case 'size': {
        const sizes = valuesOf(table, entry => table.sizeOf(entry))
        return (a, b) => compareNumbers(sizes[a]!, sizes[b]!)
      }
      case 'ext': {
        const ranks = rankExtensions(table)
        return (a, b) => compareNumbers(ranks[a]!, ranks[b]!)
      }
      default: {
        const seconds = valuesOf(table, entry => table.facts[entry]![column].seconds)
        const ticks = valuesOf(table, entry => table.facts[entry]![column].ticks)
        return (a, b) => compareNumbers(seconds[a]!, seconds[b]!) || ticks[a]! - ticks[b]!
      }
    }
  }
}

/** What `compareRelevance` compares first, as one number. */
function rankByTerms(terms: RelevanceTerms, name: Uint8Array, key: Uint8Array): number {
  const nearness = nearnessIn(terms.tolerant, name, key)
  const lacks = holdsAllTerms(terms, name, key) ? 0 : 1
  return ((nearness * 2 + lacks) * 4 + tierOf(terms.needles, name, key)) * LONGEST_NAME + nameCharacters(name)
}

/** One number for each entry; what is unknown comes after all others. */
function valuesOf(table: EntryTable, value: (entry: number) => number): Float64Array {
  return Float64Array.from({ length: table.count }, (_, entry) => {
    const known = value(entry)
    return Number.isNaN(known) ? Infinity : known
  })
}

function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Order of two latin1 strings, which is that of their bytes. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function rankNames({ names: { key, raw } }: EntryTable): Uint32Array {
  const sorted = raw
    .map((_, number) => number)
    .sort((a, b) => compareText(key[a]!, key[b]!) || compareText(raw[a]!, raw[b]!))
  const ranks = new Uint32Array(raw.length)
  sorted.forEach((number, rank) => {
    ranks[number] = rank
  })
  return ranks
}

/** Rank of each entry's path: the places and entries in a place one after the other, each before what is below it. */
function rankPaths(table: EntryTable, nameRank: Uint32Array): Uint32Array {
  const children = new Map<number, { rank: number; entry?: number; place?: number }[]>()
  const addChild = (parent: number, child: { rank: number; entry?: number; place?: number }) => {
    const list = children.get(parent)
    if (list) list.push(child)
    else children.set(parent, [child])
  }
  // Entries first: an entry comes before the place of the same path, which stands for what is below it.
  table.parent.forEach((parent, entry) => {
    addChild(parent, { rank: nameRank[table.name[entry]!]!, entry })
  })
  table.placeParent.forEach((parent, place) => {
    addChild(parent, { rank: nameRank[table.placeName[place]!]!, place })
  })
  const ranks = new Uint32Array(table.count)
  let next = 0
  const visit = (parent: number): void => {
    for (const { entry, place } of (children.get(parent) ?? []).sort((a, b) => a.rank - b.rank)) {
      if (entry !== undefined) ranks[entry] = next++
      if (place !== undefined) visit(place)
    }
  }
  visit(NO_PLACE)
  return ranks
}

/** Rank of what follows the last dot of the name; Infinity for directories and where nothing does. */
function rankExtensions(table: EntryTable): Float64Array {
  const extensions = table.parent.map((_, entry) => {
    const key = table.names.key[table.name[entry]!]!
    const dot = key.lastIndexOf('.')
    return table.isDirectory(entry) || dot < 0 ? '' : key.slice(dot + 1)
  })
  const sorted = [...new Set(extensions)].sort(compareText)
  const ranks = new Map(sorted.map((extension, rank) => [extension, extension === '' ? Infinity : rank]))
  return Float64Array.from(extensions, extension => ranks.get(extension)!)
}
