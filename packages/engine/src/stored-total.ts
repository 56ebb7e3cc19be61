import { gramsOfNeedle, KEY_BOUNDARY, type Table } from '@hotpath/index-format'
import type { NeedleTest } from '@hotpath/query'
import { prefixRange } from './candidate-blocks.js'
import type { NameExpression } from './name-expression.js'
import type { SegmentState } from './segment-state.js'

/**
 * Entries of a table whose names pass the expression, from totals that the segment stores; undefined if it stores none
 * for this expression. Tombstones are not subtracted.
 */
export function storedTotalWhenWritten(
  segment: SegmentState,
  table: Table,
  expression: NameExpression,
): number | undefined {
  if (expression.kind === 'extension') {
    // Names that end in one of several extensions are counted twice if one extension ends in another (`gz`, `tar.gz`).
    if (expression.extensions.length !== 1) return undefined
    return totalOfText(segment, table, Uint8Array.from([0x2e, ...expression.extensions[0], KEY_BOUNDARY]))
  }
  if (expression.kind !== 'name') return undefined
  const { test } = expression
  if (test.mode === 'glob' || test.mode === 'regex' || test.mode === 'fuzzy' || test.spelling || test.words)
    return undefined
  return totalOfNeedle(segment, table, test)
}

function totalOfNeedle(segment: SegmentState, table: Table, test: NeedleTest): number | undefined {
  switch (test.mode) {
    case 'substring':
      return test.needle.length === 0 ? allRows(segment, table) : totalOfText(segment, table, test.needle)
    case 'suffix':
      return totalOfText(segment, table, Uint8Array.from([...test.needle, KEY_BOUNDARY]))
    case 'exact':
      return totalOfText(segment, table, Uint8Array.from([KEY_BOUNDARY, ...test.needle, KEY_BOUNDARY]))
    case 'prefix': {
      if (table === 'd') return totalOfText(segment, table, Uint8Array.from([KEY_BOUNDARY, ...test.needle]))
      const { files } = segment.reader
      const { from, to } = prefixRange(files, test.needle)
      if (from >= to) return 0
      return (to === files.nameCount ? files.rowCount : files.inverseStartOf(to)) - files.inverseStartOf(from)
    }
  }
}

function allRows(segment: SegmentState, table: Table): number {
  return table === 'd' ? segment.reader.dirCount - segment.reader.stubCount : segment.reader.fileCount
}

/** Total of a piece of `/key/`: a gram, or a heavy substring. */
function totalOfText(segment: SegmentState, table: Table, text: Uint8Array): number | undefined {
  const dictionary = table === 'd' ? segment.reader.dirs : segment.reader.files
  if (text.length === 0) return undefined
  if (text.length > 3) return dictionary.heavyTotal(text)
  if (text.length === 1 && text[0] === KEY_BOUNDARY) return undefined
  const [gram] = gramsOfNeedle(text)
  return dictionary.gram(gram)?.total ?? 0
}
