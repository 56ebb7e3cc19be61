import type { Fresh, Hit } from '@hotpath/client'
import { escapeBytesForTerminal, escapeForTerminal } from '@hotpath/service'
import { formatBytes, formatCount, formatMinute } from '../output/figures.js'
import { type MarkName, namePieces } from '../output/name-pieces.js'
import { type FinderState, isAnswered, SORT_CHOICES, wantedSearch } from './finder-state.js'
import type { Palette } from './palette.js'
import { hitOf, isSameSearch, rowsOf } from './results.js'
import { RowBuilder } from './row-builder.js'
import type { Frame } from './screen.js'
import { beginningOf, cellsOf, endOf } from './text-width.js'

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

const PROMPT = '> '
/** The line of the query, the one below it, and the status. */
const OTHER_ROWS = 3
/** Before a path: whether it is selected, or a fuzzy hit. */
const MARK_CELLS = 2
const SIZE_CELLS = 9
const TIME_CELLS = 16
/** Below these widths, columns would leave too little of the path. */
const COLUMNS_FOR_SIZE = 64
const COLUMNS_FOR_TIME = 88

/** Rows of hits that a terminal of this size shows. */
export function listRowsOf({ rows }: ScreenSize): number {
  return Math.max(0, rows - OTHER_ROWS)
}

export function drawFinder(state: FinderState, size: ScreenSize, palette: Palette, mark: MarkName): Frame {
  const { text, column, shift } = shownLine(state, size.columns)
  const rows = [
    new RowBuilder(size.columns).put(PROMPT, palette.dim).put(text, palette.plain).toString(),
    belowLine(state, shift, size.columns, palette),
  ]
  for (let i = 0; i < listRowsOf(size); i++) rows.push(hitRow(state, state.top + i, size.columns, palette, mark))
  rows.push(statusRow(state, size.columns, palette))
  // The query stays where there is little room.
  return { rows: rows.slice(0, size.rows), cursor: { row: 0, column } }
}

/** The part of the query around the cursor that has room. */
function shownLine({ line }: FinderState, columns: number): { text: string; column: number; shift: number } {
  const room = Math.max(1, columns - PROMPT.length - 1)
  const before = escapeForTerminal(line.text.slice(0, line.cursor))
  const visible = endOf(before, room)
  const after = beginningOf(escapeForTerminal(line.text.slice(line.cursor)), room - cellsOf(visible) + 1)
  return {
    text: visible + after,
    column: Math.min(columns - 1, PROMPT.length + cellsOf(visible)),
    shift: cellsOf(before) - cellsOf(visible),
  }
}

/** Where a query is wrong and why, or what there is to say. */
function belowLine(state: FinderState, shift: number, columns: number, palette: Palette): string {
  const row = new RowBuilder(columns)
  const { problem } = state
  if (problem === undefined || !isSameSearch(problem.search, wantedSearch(state))) {
    return row
      .put(`${' '.repeat(PROMPT.length)}${escapeForTerminal(state.notice || state.link)}`, palette.dim)
      .toString()
  }
  // The mark says where.
  const message = escapeForTerminal(problem.message.replace(/^at \d+: /, ''))
  if (problem.at === undefined) return row.fillTo(PROMPT.length, palette.plain).put(message, palette.error).toString()
  const place = PROMPT.length + cellsOf(escapeForTerminal(state.line.text.slice(0, problem.at))) - shift
  const column = Math.max(0, Math.min(columns - 1, place))
  const width = cellsOf(message) + 1
  if (column + 1 + width > columns && column > width) {
    return row
      .fillTo(column - width, palette.plain)
      .put(`${message} ^`, palette.error)
      .toString()
  }
  return row.fillTo(column, palette.plain).put(`^ ${message}`, palette.error).toString()
}

function hitRow(state: FinderState, at: number, columns: number, palette: Palette, mark: MarkName): string {
  const { results, selected } = state
  if (results === undefined || at >= rowsOf(results)) return ''
  const isSelected = at === selected
  const hit = hitOf(results, at)
  const plain = isSelected ? palette.selected : palette.plain
  const row = new RowBuilder(columns).put(isSelected ? '> ' : hit?.fuzzy ? '~ ' : '  ', plain)
  if (hit === undefined) return row.put('…', plain).toString()
  const hasSize = columns >= COLUMNS_FOR_SIZE
  const hasTime = columns >= COLUMNS_FOR_TIME
  const pathEnd = columns - (hasSize ? SIZE_CELLS + 2 : 0) - (hasTime ? TIME_CELLS + 2 : 0)
  const style = {
    plain,
    dim: isSelected ? palette.selected : palette.dim,
    matched: isSelected ? palette.selectedMatched : palette.matched,
  }
  putPath(row, hit, pathEnd - MARK_CELLS, style, mark)
  if (hasSize) row.fillTo(pathEnd + 2, plain).put(sizeText(hit).padStart(SIZE_CELLS), style.dim)
  if (hasTime) row.fillTo(columns - TIME_CELLS, plain).put(timeText(hit), style.dim)
  if (isSelected) row.fillTo(columns, plain)
  return row.toString()
}

/** The path, cut so that the name stays: the beginning of the directory goes first. */
function putPath(
  row: RowBuilder,
  hit: Hit,
  cells: number,
  style: Pick<Palette, 'plain' | 'dim' | 'matched'>,
  mark: MarkName,
): void {
  const { pathBytes, nameStart } = hit
  const directory = escapeBytesForTerminal(pathBytes.subarray(0, nameStart))
  const pieces = namePieces(pathBytes.subarray(nameStart), mark)
  const end = hit.kind === 'directory' && pathBytes.length > 1 ? '/' : ''
  const nameCells = pieces.reduce((sum, { text }) => sum + cellsOf(text), 0) + end.length
  const room = cells - nameCells
  if (cellsOf(directory) <= room) row.put(directory, style.dim)
  else if (room > 1) row.put(`…${endOf(directory, room - 1)}`, style.dim)
  let left = room < 0 ? cells - 1 : nameCells
  for (const { text, isMatched } of pieces) {
    const shown = beginningOf(text, left)
    row.put(shown, isMatched ? style.matched : style.plain)
    left -= cellsOf(text)
    if (left < 0) break
  }
  row.put(room < 0 ? '…' : end, style.plain)
}

function sizeText({ kind, sizeBytes }: Hit): string {
  return kind === 'directory' || sizeBytes === undefined ? '' : formatBytes(sizeBytes)
}

function timeText({ modified }: Hit): string {
  return modified === undefined ? '' : formatMinute(modified.seconds)
}

const FRESH_TEXT: Readonly<Record<Fresh['state'], string>> = {
  live: 'live',
  'catching-up': 'catching up',
  repairing: 'repairing',
  unwatched: 'unwatched',
}

function statusRow(state: FinderState, columns: number, palette: Palette): string {
  const row = new RowBuilder(columns)
  const { results } = state
  if (results !== undefined) {
    const { fresh, partial, total, fuzzyTotal, tookMs } = results
    row.put(FRESH_TEXT[fresh.state], fresh.state === 'live' ? palette.good : palette.warning)
    if (fresh.lagMs >= 1_000) row.put(`, ${(fresh.lagMs / 1_000).toFixed(0)} s behind`, palette.warning)
    if (partial) row.put(', not complete', palette.warning)
    const fuzzy = fuzzyTotal === undefined || fuzzyTotal === 0 ? '' : ` + ${formatCount(fuzzyTotal)} fuzzy`
    row.put(`  ${formatCount(total)} ${total === 1 ? 'hit' : 'hits'}${fuzzy}`, palette.plain)
    row.put(isAnswered(state) ? `  ${tookMs.toFixed(tookMs < 10 ? 1 : 0)} ms` : '  …', palette.dim)
  }
  const keys = `sort ${SORT_CHOICES[state.sort]} (Tab)  fuzzy ${state.fuzzy ? 'on' : 'off'} (^R)  open ^O  copy ^Y  quit Esc`
  const short = `${SORT_CHOICES[state.sort]}${state.fuzzy ? ' fuzzy' : ''}`
  const text = cellsOf(keys) + 2 <= row.room ? keys : short
  if (cellsOf(text) + 2 <= row.room) row.fillTo(columns - cellsOf(text), palette.plain).put(text, palette.dim)
  return row.toString()
}
