import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { TIME_COLUMNS, type TimeColumnName } from '@hotpath/model'
import type { DictionaryReader } from '../dictionary-reader.js'
import { compareBytes, keyOf } from '../key.js'
import { RoaringView } from '../roaring-view.js'
import type { SegmentFile } from '../segment-file.js'
import { BIGRAM_BIT, BLOCK_NAMES, KEY_BOUNDARY, type Table, UNIGRAM_BIT } from '../segment-layout.js'
import type { SegmentReader } from '../segment-reader.js'
import { accessOf, type ModelColumns, type ModelRow } from './model-rows.js'
import { compareNames, nameText, type OracleTree, oracleTree } from './tree-oracle.js'

/**
 * Compares everything that a segment answers with what its rows say.
 * @param rows what the segment was built from
 */
export function checkSegment(reader: SegmentReader, rows: readonly ModelRow[], columns: ModelColumns): void {
  const tree = oracleTree(rows)
  strictEqual(reader.dirCount, tree.directories.length, 'directories')
  strictEqual(reader.fileCount, tree.files.length, 'files')
  strictEqual(reader.stubCount, tree.directories.filter(row => row.stub).length, 'stubs')
  strictEqual(reader.rowCount, tree.directories.length + tree.files.length)
  strictEqual(reader.hasRefs, columns.refs)
  reader.verify()
  checkTree(reader, tree)
  checkRows(reader, tree, columns)
  checkPlaces(reader, tree)
  if (columns.refs) checkRefs(reader, tree)
  checkDictionary(reader.frame, 'd', reader.dirs, tree.directories)
  checkDictionary(reader.frame, 'f', reader.files, tree.files)
  checkLists(reader, tree, columns)
}

/** The lists of rows with the largest and smallest sizes and times, and how many are unknown. */
export function checkLists(reader: SegmentReader, tree: OracleTree, columns: ModelColumns): void {
  checkExtremes(reader.largest(), tree.files, row => [row.size])
  checkExtremes(reader.smallest(), tree.files, row => [row.size === 0 ? Number.NaN : -row.size])
  strictEqual(reader.sizes?.unknownCount, tree.files.filter(row => Number.isNaN(row.size)).length)
  for (const [table, rows] of [['d', tree.directories] as const, ['f', tree.files] as const]) {
    // A column of which nothing is known in a table is not stored.
    const isStored = (column: TimeColumnName): boolean =>
      columns.times.includes(column) &&
      (rows.length === 0 || rows.some(row => !Number.isNaN(row.times[column]?.seconds ?? Number.NaN)))
    for (const column of TIME_COLUMNS) {
      const unknown = rows.filter(row => Number.isNaN(row.times[column]?.seconds ?? Number.NaN)).length
      strictEqual(reader.timeColumn(table, column)?.unknownCount, isStored(column) ? unknown : undefined)
    }
    if (isStored('modified')) {
      const time = ({ times: { modified } }: ModelRow): number[] => [
        modified?.seconds ?? Number.NaN,
        modified?.ticks ?? 0,
      ]
      checkExtremes(reader.newest(table), rows, time)
      checkExtremes(reader.oldest(table), rows, row => time(row).map(part => -part))
    } else {
      strictEqual(reader.newest(table), undefined)
      strictEqual(reader.oldest(table), undefined)
    }
  }
}

function checkTree(reader: SegmentReader, tree: OracleTree): void {
  const { dirCount, fileCount } = reader
  tree.directories.forEach((row, local) => {
    strictEqual(reader.dirIdOf(local), row.directory)
    strictEqual(reader.findDir(row.directory), local)
    strictEqual(reader.isStub(local), row.stub)
    strictEqual(reader.parentOf(local), local === 0 ? -1 : tree.parents[local])
    strictEqual(reader.directoryOf(local), reader.parentOf(local))
    strictEqual(reader.dirEnd(local), tree.ends[local])
    strictEqual(reader.firstFile(local), tree.firstFiles[local])
    for (let file = tree.firstFiles[local]; file < tree.firstFiles[local + 1]; file++) {
      strictEqual(reader.directoryOfFile(file), local)
      strictEqual(reader.directoryOf(dirCount + file), local)
    }
  })
  strictEqual(reader.firstFile(dirCount), fileCount)
  const ids = new Set(tree.directories.map(row => row.directory))
  for (const id of [0, 0xffffffff, ...[...ids].flatMap(known => [known - 1, known + 1])]) {
    if (!ids.has(id)) strictEqual(reader.findDir(id), -1)
  }
}

function checkRows(reader: SegmentReader, tree: OracleTree, columns: ModelColumns): void {
  const all = [...tree.directories, ...tree.files]
  all.forEach((row, entry) => {
    const isDir = entry < reader.dirCount
    deepStrictEqual(bytesIn(reader.nameOf(entry)), bytesIn(row.name))
    const found = reader.readRow(entry)
    strictEqual(found.kind, row.kind)
    strictEqual(reader.kindOf(entry), row.kind)
    strictEqual(found.size, isDir ? Number.NaN : row.size)
    for (const column of TIME_COLUMNS) {
      const time = row.times[column] ?? { seconds: Number.NaN, ticks: 0 }
      if (columns.times.includes(column)) {
        // A column in which every value of the table is unknown is not stored.
        strictEqual(found[column]?.seconds ?? Number.NaN, time.seconds)
        strictEqual(found[column]?.ticks ?? 0, time.ticks)
      } else strictEqual(found[column], undefined)
    }
    strictEqual(found.attributes, columns.attributes ? row.attributes : undefined)
    const access = isDir && columns.access ? accessOf(row) : undefined
    // Zeros are not stored.
    strictEqual(found.access?.mode ?? 0, access?.mode ?? 0)
    if (found.access) deepStrictEqual(found.access, access)
    deepStrictEqual(found.ref, columns.refs ? row.ref : undefined)
  })
  const sizes = new Float64Array(tree.files.length)
  const from = Math.floor(tree.files.length / 3)
  reader.sizes?.read(0, tree.files.length, sizes)
  deepStrictEqual(
    sizes,
    Float64Array.from(tree.files, row => row.size),
  )
  const part = new Float64Array(tree.files.length - from)
  reader.sizes?.read(from, tree.files.length, part)
  deepStrictEqual(part, sizes.subarray(from))
}

/** Children, and looking them up by name. */
function checkPlaces(reader: SegmentReader, tree: OracleTree): void {
  const { dirCount } = reader
  const children = tree.directories.map((): number[] => [])
  tree.parents.forEach((parent, local) => {
    if (local > 0) children[parent].push(local)
  })
  children.forEach((list, local) => {
    for (let file = tree.firstFiles[local]; file < tree.firstFiles[local + 1]; file++) list.push(dirCount + file)
    const found: number[] = []
    reader.forEachChild(local, entry => {
      found.push(entry)
    })
    deepStrictEqual(found, list)

    const names = list.map(entry => reader.nameOf(entry))
    const bounds = [
      Uint8Array.of(),
      ...[3, 5].map(step => names[(local * step) % Math.max(1, names.length)] ?? Uint8Array.of(0x6d)),
    ]
    for (const from of bounds) {
      for (const to of [undefined, ...bounds]) {
        const between: number[] = []
        reader.forEachChildBetween(local, from, to, entry => {
          between.push(entry)
        })
        const isBetween = (name: Uint8Array): boolean =>
          compareNames(name, from) >= 0 && (to === undefined || compareNames(name, to) < 0)
        deepStrictEqual(
          between,
          list.filter((_, i) => isBetween(names[i])),
        )
      }
    }

    // Of a file and a directory of one name the file is found, of two directories the first.
    const byName = new Map<string, number>()
    for (const entry of [...list].reverse()) {
      const name = nameText(reader.nameOf(entry))
      const known = byName.get(name)
      if (known === undefined || known < dirCount) byName.set(name, entry)
    }
    for (const entry of list) {
      const name = reader.nameOf(entry)
      strictEqual(reader.findChild(local, name), byName.get(nameText(name)))
      const longer = Uint8Array.of(...name, 0x21)
      strictEqual(reader.findChild(local, longer), byName.get(nameText(longer)) ?? -1)
    }
    const other = tree.files[(local * 7) % Math.max(1, tree.files.length)]
    if (other) strictEqual(reader.findChild(local, other.name), byName.get(nameText(other.name)) ?? -1)
    strictEqual(reader.findChild(local, Uint8Array.of(0x2f)), -1)
  })
}

function checkRefs(reader: SegmentReader, tree: OracleTree): void {
  const byRef = new Map<string, number[]>()
  const all = [...tree.directories, ...tree.files]
  all.forEach(({ ref }, entry) => {
    const text = `${ref.low} ${ref.high} ${ref.birth}`
    byRef.set(text, [...(byRef.get(text) ?? []), entry])
  })
  const entriesOf = (low: number, high: number, birth: number): number[] => {
    const found: number[] = []
    reader.findRef(low, high, birth, entry => {
      found.push(entry)
    })
    return found.sort((a, b) => a - b)
  }
  for (const { ref } of all) {
    deepStrictEqual(entriesOf(ref.low, ref.high, ref.birth), byRef.get(`${ref.low} ${ref.high} ${ref.birth}`))
    for (const [low, high, birth] of [
      [ref.low + 1, ref.high, ref.birth],
      [ref.low, ref.high + 1, ref.birth],
      [ref.low, ref.high, ref.birth + 1],
    ]) {
      deepStrictEqual(entriesOf(low, high, birth), byRef.get(`${low} ${high} ${birth}`) ?? [])
    }
  }
}

function checkDictionary(
  frame: SegmentFile,
  table: Table,
  dictionary: DictionaryReader,
  rows: readonly ModelRow[],
): void {
  const rowsOf = new Map<string, number[]>()
  rows.forEach((row, i) => {
    const text = nameText(row.name)
    const list = rowsOf.get(text)
    if (list === undefined) rowsOf.set(text, [i])
    else list.push(i)
  })
  const names = [...rowsOf.values()].map(list => rows[list[0]].name)
  const keys = new Map(names.map(name => [name, keyOf(name)]))
  const keyOfName = (name: Uint8Array): Uint8Array => keys.get(name)!
  names.sort((a, b) => compareBytes(keyOfName(a), keyOfName(b)) || compareBytes(a, b))

  strictEqual(dictionary.nameCount, names.length)
  strictEqual(dictionary.blockCount, Math.ceil(names.length / BLOCK_NAMES))
  strictEqual(dictionary.rowCount, rows.length)
  let position = 0
  names.forEach((name, id) => {
    const list = rowsOf.get(nameText(name))!
    if (id % BLOCK_NAMES === 0) strictEqual(dictionary.inverseStartOfBlock(id / BLOCK_NAMES), position)
    strictEqual(dictionary.inverseStartOf(id), position)
    strictEqual(dictionary.rowAtInverse(position), list[0])
    position += list.length
    strictEqual(dictionary.rowCountOf(id), list.length)
    const found: number[] = []
    dictionary.forEachRow(id, row => {
      found.push(row)
    })
    deepStrictEqual(found, list)
    for (const row of list) strictEqual(dictionary.nameIdOf(row), id)
    deepStrictEqual(bytesIn(dictionary.nameAt(id)), bytesIn(name))
    deepStrictEqual(bytesIn(dictionary.keyAt(id)), bytesIn(keyOfName(name)))
    strictEqual(dictionary.find(name), id)
  })
  strictEqual(dictionary.inverseStartOfBlock(dictionary.blockCount), rows.length)
  strictEqual(
    dictionary.find(Uint8Array.of(1, 2, 3)),
    names.findIndex(name => nameText(name) === '\u0001\u0002\u0003'),
  )

  const bounds = new Set<string>(['', '\u00ff\u00ff\u00ff'])
  for (const name of names) {
    const text = nameText(keyOfName(name))
    for (const bound of [text, `${text}\u0000`, text.slice(0, -1), text.slice(0, 1)]) bounds.add(bound)
  }
  for (const bound of bounds) {
    const key = Uint8Array.from(Buffer.from(bound, 'latin1'))
    let expected = 0
    while (expected < names.length && compareBytes(keyOfName(names[expected]), key) < 0) expected++
    strictEqual(dictionary.lowerBound(key), expected)
  }

  for (const from of new Set([0, 1, names.length >> 1, Math.max(0, names.length - 1)])) {
    if (from >= names.length) continue
    let id = from
    dictionary.forEachName(from, (cursor, found) => {
      strictEqual(found, id)
      strictEqual(compareNames(cursor.name.subarray(0, cursor.nameLength), names[id]), 0)
      id++
      return true
    })
    strictEqual(id, names.length)
  }
  const padded = names.map(name => Uint8Array.of(KEY_BOUNDARY, ...keyOfName(name), KEY_BOUNDARY))
  const weights = names.map(name => rowsOf.get(nameText(name))!.filter(row => !rows[row].stub).length)
  checkGrams(frame, dictionary, padded, weights)
  checkHeavy(frame.wholeSection(`${table}HVY`), dictionary, padded, weights)
}

/** Every gram of every `/key/`: its total, its blocks and its posting list. */
function checkGrams(
  frame: SegmentFile,
  dictionary: DictionaryReader,
  keys: readonly Uint8Array[],
  weights: readonly number[],
): void {
  const expected = new Map<number, { blocks: Set<number>; total: number }>()
  keys.forEach((padded, id) => {
    const grams = new Set<number>()
    padded.forEach((byte, i) => {
      if (i > 0 && i < padded.length - 1) grams.add(UNIGRAM_BIT | byte)
      if (i > 0) grams.add(BIGRAM_BIT | (padded[i - 1] << 8) | byte)
      if (i > 1) grams.add((padded[i - 2] << 16) | (padded[i - 1] << 8) | byte)
    })
    for (const gram of grams) {
      let known = expected.get(gram)
      if (known === undefined) {
        known = { blocks: new Set(), total: 0 }
        expected.set(gram, known)
      }
      known.blocks.add(Math.floor(id / BLOCK_NAMES))
      known.total += weights[id]
    }
  })
  for (const [gram, { blocks, total }] of expected) {
    const info = dictionary.gram(gram)
    ok(info, `gram ${gram.toString(16)}`)
    strictEqual(info.total, total)
    strictEqual(info.blocks, blocks.size)
    if (info.length === 0) {
      ok(gram >= BIGRAM_BIT && blocks.size * 16 > dictionary.blockCount, `the list of ${gram.toString(16)}`)
    } else {
      const list = new RoaringView(frame.bytes, info.offset, info.offset + info.length)
      strictEqual(list.byteLength, info.length)
      deepStrictEqual([...list.toUint32Array()], [...blocks])
    }
  }
  for (const gram of [0, 0xffffff, BIGRAM_BIT, UNIGRAM_BIT, UNIGRAM_BIT | KEY_BOUNDARY, 0x2f2f2f, 0xffffffff]) {
    if (!expected.has(gram)) strictEqual(dictionary.gram(gram), undefined)
  }
}

/** Heavy substrings, read by the layout in heavy-table.ts: order, and the total of each. */
function checkHeavy(
  section: Uint8Array,
  dictionary: DictionaryReader,
  keys: readonly Uint8Array[],
  weights: readonly number[],
): void {
  const view = new DataView(section.buffer, section.byteOffset, section.length)
  const count = dictionary.heavyCount
  const texts = keys.map(nameText)
  let previous = ''
  for (let i = 0; i < count; i++) {
    const strings = 4 * (2 * count + 1)
    const bytes = section.subarray(strings + view.getUint32(4 * i, true), strings + view.getUint32(4 * i + 4, true))
    const text = nameText(bytes)
    ok(text > previous && text.length > 3, 'order of heavy substrings')
    previous = text
    let entries = 0
    texts.forEach((padded, id) => {
      if (padded.includes(text)) entries += weights[id]
    })
    strictEqual(view.getUint32(4 * (count + 1 + i), true), entries)
    strictEqual(dictionary.heavyTotal(bytes), entries)
    strictEqual(dictionary.heavyTotal(Uint8Array.of(...bytes, 0xff)), undefined)
  }
  strictEqual(dictionary.heavyTotal(new Uint8Array(0)), undefined)
}

/** A list of rows is in order, holds no stub and no unknown value, and all that it leaves out is strictly smaller. */
function checkExtremes(
  list: Uint32Array | undefined,
  rows: readonly ModelRow[],
  valuesOf: (row: ModelRow) => number[],
): void {
  ok(list)
  const listed = new Set(list)
  strictEqual(listed.size, list.length)
  list.forEach((row, i) => {
    ok(!rows[row].stub && !Number.isNaN(valuesOf(rows[row])[0]))
    if (i === 0) return
    const [before, here] = [valuesOf(rows[list[i - 1]]), valuesOf(rows[row])]
    const first = before.findIndex((value, part) => value !== here[part])
    ok(first < 0 ? list[i - 1] < row : before[first] > here[first], 'order of the largest')
  })
  const known = rows.map((row, i) => ({ row, i })).filter(({ row }) => !row.stub && !Number.isNaN(valuesOf(row)[0]))
  const least = list.length === 0 ? Number.POSITIVE_INFINITY : valuesOf(rows[list[list.length - 1]])[0]
  for (const { row, i } of known) if (!listed.has(i)) ok(valuesOf(row)[0] < least, 'what is left out is smaller')
  if (known.length <= 4096) strictEqual(list.length, known.length)
}

function bytesIn(name: Uint8Array): Uint8Array {
  return Uint8Array.from(name)
}
