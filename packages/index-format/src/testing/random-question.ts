import { TIME_COLUMNS } from '@hotpath/model'
import type { DictionaryReader } from '../dictionary-reader.js'
import type { SegmentReader } from '../segment-reader.js'
import type { NumberColumn } from '../segment-spec.js'
import { describeGram, visits } from './bounded-answers.js'
import { bytesOfText } from './model-rows.js'
import type { Random } from './random-rows.js'
import { nameText } from './tree-oracle.js'

const COLUMNS: readonly NumberColumn[] = [
  ...(['size', 'kind', 'attributes', 'refLow', 'refHigh', 'refBirth'] as const),
  ...TIME_COLUMNS.flatMap(column => [`${column}Seconds`, `${column}Ticks`] as const),
]
const STRINGS = ['a', 'many', '/many/', '.txt', 'größe', 'zz', ''].map(bytesOfText)

/**
 * Asks a segment something that a caller may ask, and gives the answer as text: the same of equal segments for equal random
 * numbers. No walk goes on for longer than a good segment's could.
 */
export function askSegment(reader: SegmentReader, random: Random): string {
  const question = random.pick(random.chance(0.5) ? OF_SEGMENT : OF_DICTIONARY)
  return question(reader, random)
}

type Question = (reader: SegmentReader, random: Random) => string

/** Any of `count` things; the first and the last are asked for more often than others. */
function anyOf(random: Random, count: number): number {
  if (count <= 1 || random.chance(0.2)) return 0
  return random.chance(0.1) ? count - 1 : random.below(count)
}
const listed = (values: ArrayLike<number> | undefined): string => (values ? Array.from(values).join(' ') : '')

/** A question of one entry; segments without rows have nothing to ask of. */
const ofEntry =
  (ask: (reader: SegmentReader, entry: number, random: Random) => unknown): Question =>
  (reader, random) =>
    reader.rowCount === 0 ? '' : String(ask(reader, anyOf(random, reader.rowCount), random))

const ofDirectory =
  (ask: (reader: SegmentReader, local: number) => unknown): Question =>
  (reader, random) =>
    reader.dirCount === 0 ? '' : String(ask(reader, anyOf(random, reader.dirCount)))

const OF_SEGMENT: readonly Question[] = [
  reader => `${reader.dirCount} ${reader.fileCount} ${reader.stubCount} ${reader.keyRules} ${reader.hasRefs}`,
  reader => {
    const { count, shared, lengths, suffixes } = reader.words()
    return `${count} ${listed(shared)} ${listed(lengths)} ${nameText(suffixes)}`
  },
  (reader, random) => `${reader.findDir(random.below(1_000))} ${reader.lastDirId}`,
  reader => [reader.largest(), reader.smallest()].map(listed).join(),
  (reader, random) => {
    const table = random.pick(['d', 'f'] as const)
    return [reader.newest(table), reader.oldest(table)].map(listed).join()
  },
  (reader, random) => {
    const table = random.pick(['d', 'f'] as const)
    const column = random.pick(COLUMNS)
    const out = new Float64Array(table === 'd' ? reader.dirCount : reader.fileCount)
    const at = reader.columnSource(table, column)
    return `${reader.readColumn(table, column, out)} ${listed(out)} ${at && out.length > 0 && at(anyOf(random, out.length))}`
  },
  ofDirectory((reader, local) => [reader.dirIdOf(local), reader.isStub(local), reader.findDir(reader.dirIdOf(local))]),
  ofDirectory((reader, local) => visits(reader.rowCount, visit => reader.forEachChild(local, visit))),
  ofDirectory((reader, local) => {
    const from = reader.nameOf(local)
    return visits(reader.rowCount, visit => reader.forEachChildBetween(local, from, undefined, visit))
  }),
  ofEntry((reader, entry) => nameText(reader.nameOf(entry))),
  ofEntry((reader, entry) => JSON.stringify(reader.readRow(entry))),
  ofEntry((reader, entry) =>
    visits(reader.dirCount + 1, visit => {
      for (let at = reader.directoryOf(entry); at >= 0; at = reader.parentOf(at)) visit(at)
    }),
  ),
  ofEntry((reader, entry) => {
    const directory = reader.directoryOf(entry)
    return directory < 0 ? '' : reader.findChild(directory, reader.nameOf(entry))
  }),
  ofEntry((reader, entry) => {
    const { ref } = reader.readRow(entry)
    return ref && visits(reader.rowCount, visit => reader.findRef(ref.low, ref.high, ref.birth, visit))
  }),
  ofEntry((reader, entry, random) => {
    reader.expectTables()
    reader.expectRows([entry, anyOf(random, reader.rowCount)])
    return nameText(reader.nameOf(entry))
  }),
]

/** A question of a dictionary; one without names has nothing to ask of. */
const ofDictionary =
  (ask: (dictionary: DictionaryReader, name: number, random: Random, reader: SegmentReader) => unknown): Question =>
  (reader, random) => {
    const dictionary = random.chance(0.5) ? reader.dirs : reader.files
    return dictionary.nameCount === 0
      ? ''
      : String(ask(dictionary, anyOf(random, dictionary.nameCount), random, reader))
  }

const OF_DICTIONARY: readonly Question[] = [
  ofDictionary((dictionary, name) => [nameText(dictionary.nameAt(name)), nameText(dictionary.keyAt(name))]),
  ofDictionary((dictionary, name) => [dictionary.rowCountOf(name), dictionary.inverseStartOf(name)]),
  ofDictionary((dictionary, name) => visits(dictionary.rowCount, visit => dictionary.forEachRow(name, visit))),
  ofDictionary((dictionary, _name, random) => {
    const row = anyOf(random, dictionary.rowCount)
    return dictionary.rowCount > 0 && [dictionary.nameIdOf(row), dictionary.rowAtInverse(row)]
  }),
  ofDictionary((dictionary, name) => {
    const names: string[] = []
    dictionary.forEachName(name, (cursor, id) => names.push(`${id} ${cursor.nameLength}`) < 40)
    return names
  }),
  ofDictionary((dictionary, name, random) => {
    const string = random.chance(0.5) ? random.pick(STRINGS) : dictionary.nameAt(name)
    return [dictionary.find(string), dictionary.lowerBound(string), dictionary.heavyTotal(string)]
  }),
  ofDictionary((dictionary, _name, random, reader) => {
    const tag = dictionary === reader.dirs ? 'dGRK' : 'fGRK'
    const { items } = reader.frame.section(tag)
    const gram = items === 0 ? 0 : reader.frame.numbers(tag, items).at(random.below(items))
    return describeGram(dictionary, gram)
  }),
  ofDictionary((dictionary, _name, random) =>
    JSON.stringify(dictionary.gramsStarting(0x61 + random.below(26), 0x61 + random.below(26))),
  ),
  ofDictionary((dictionary, name, random) => {
    const blocks = Uint32Array.of(anyOf(random, dictionary.blockCount))
    dictionary.expectBlocks(blocks)
    dictionary.expectRowsOf([name])
    dictionary.touchRowsOfBlocks(blocks)
    return dictionary.inverseStartOfBlock(blocks[0])
  }),
  ofDictionary(dictionary => {
    const ids = new Uint32Array(dictionary.rowCount)
    dictionary.readNameIds(ids)
    return listed(ids)
  }),
]
