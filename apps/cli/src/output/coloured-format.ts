import { escapeBytesForTerminal } from '@hotpath/service'
import type { HitFormat } from './hit-format.js'
import type { MarkName } from './name-pieces.js'
import { namePieces } from './name-pieces.js'
import { rowLines } from './row-format.js'

const DIRECTORY = '\u001b[34m'
const MATCHED = '\u001b[1;31m'
const PLAIN = '\u001b[0m'

/** A path a line for people: escaped, the directory and what was asked for in colours. */
export function colouredFormat(mark: MarkName): HitFormat {
  return {
    begin: () => '',
    hit({ path, nameStart }) {
      const directory = escapeBytesForTerminal(path.subarray(0, nameStart))
      const name = namePieces(path.subarray(nameStart), mark).map(({ text, isMatched }) =>
        isMatched ? MATCHED + text + PLAIN : text,
      )
      return `${directory === '' ? '' : DIRECTORY + directory + PLAIN}${name.join('')}\n`
    },
    rows: rowLines(true),
    end: () => '',
  }
}
