import { CorruptFileError } from '@hotpath/model'
import type { DictionaryReader } from '../dictionary-reader.js'
import type { SegmentReader } from '../segment-reader.js'
import { describeGram, visits } from './bounded-answers.js'
import { nameText } from './tree-oracle.js'

/** What to ask of a segment beside all that it lists by itself. */
export interface Questions {
  readonly dirIds: readonly number[]
  readonly grams: readonly number[]
  readonly strings: readonly Uint8Array[]
}

/**
 * Calls every method of a segment's readers with every argument that makes sense and gives the answers as text.
 * @param tolerant answers that end in CorruptFileError are written as such instead of being thrown; in any case the number
 *   of visits is bounded, and whatever else is thrown goes through
 */
export function readEverything(reader: SegmentReader, questions: Questions, tolerant: boolean): string {
  const answers: string[] = []
  const ask = (question: () => unknown): void => {
    try {
      answers.push(String(question()))
    } catch (error) {
      if (!tolerant || !(error instanceof CorruptFileError)) throw error
      answers.push('corrupt')
    }
  }
  const { dirCount, fileCount, rowCount } = reader
  ask(() => `${dirCount} ${fileCount} ${reader.stubCount} ${reader.keyRules} ${reader.hasRefs}`)
  ask(() => {
    const { count, shared, lengths, suffixes } = reader.words()
    return `${count} ${shared.join()} ${lengths.join()} ${suffixes.join()}`
  })
  for (const id of questions.dirIds) ask(() => reader.findDir(id))
  for (let local = 0; local < dirCount; local++) {
    ask(() => [reader.dirIdOf(local), reader.isStub(local)])
    ask(() => reader.dirEnd(local))
    ask(() => visits(rowCount, visit => reader.forEachChild(local, visit)))
    ask(() => reader.findDir(reader.dirIdOf(local)))
  }
  for (let entry = 0; entry < rowCount; entry++) {
    ask(() => nameText(reader.nameOf(entry)))
    ask(() => JSON.stringify(reader.readRow(entry)))
    ask(() =>
      visits(dirCount + 1, visit => {
        for (let at = reader.directoryOf(entry); at >= 0; at = reader.parentOf(at)) visit(at)
      }),
    )
    ask(() => {
      const directory = reader.directoryOf(entry)
      return directory < 0 ? '' : reader.findChild(directory, reader.nameOf(entry))
    })
    ask(() => {
      const { ref } = reader.readRow(entry)
      return ref && visits(rowCount, visit => reader.findRef(ref.low, ref.high, ref.birth, visit))
    })
  }
  ask(() => {
    const sizes = new Float64Array(fileCount)
    reader.sizes?.read(0, fileCount, sizes)
    return sizes.join(' ')
  })
  ask(() => [reader.largest(), reader.smallest()].map(list => list?.join(' ')))
  ask(() => [reader.sizes?.unknownCount, reader.timeColumn('f', 'modified')?.unknownCount])
  for (const table of ['d', 'f'] as const) {
    ask(() => [reader.newest(table), reader.oldest(table)].map(list => list?.join(' ')))
    readDictionary(table === 'd' ? reader.dirs : reader.files, questions, ask)
  }
  return answers.join('\n')
}

function readDictionary(
  dictionary: DictionaryReader,
  { grams, strings }: Questions,
  ask: (question: () => unknown) => void,
): void {
  const { nameCount, blockCount, rowCount } = dictionary
  for (let id = 0; id < nameCount; id++) {
    ask(() => `${nameText(dictionary.nameAt(id))} ${nameText(dictionary.keyAt(id))}`)
    ask(() => dictionary.rowCountOf(id))
    ask(() => dictionary.inverseStartOf(id))
    ask(() => visits(rowCount, visit => dictionary.forEachRow(id, visit)))
  }
  for (let row = 0; row < rowCount; row++) ask(() => [dictionary.nameIdOf(row), dictionary.rowAtInverse(row)])
  for (let block = 0; block <= blockCount; block++) ask(() => dictionary.inverseStartOfBlock(block))
  ask(() =>
    visits(nameCount, visit =>
      dictionary.forEachName(0, (_cursor, id) => {
        visit(id)
        return true
      }),
    ),
  )
  for (const string of strings) {
    ask(() => [dictionary.find(string), dictionary.lowerBound(string), dictionary.heavyTotal(string)])
  }
  for (const gram of grams) {
    ask(() => describeGram(dictionary, gram))
  }
}
