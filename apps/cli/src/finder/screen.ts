/** What is to be seen: a text for each row, with its styles, and where the cursor is (from 0). */
export interface Frame {
  readonly rows: readonly string[]
  readonly cursor: { readonly row: number; readonly column: number }
}

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
/** Styles off, and the rest of the row empty. */
const END_ROW = '\u001b[0m\u001b[K'

/** Knows what a terminal shows, and writes only the rows that differ. */
export class Screen {
  private shown: readonly string[] = []
  private cursor = ''

  /** The terminal shows something else now (another size, a program that ran meanwhile): everything is written again. */
  forget(): void {
    this.shown = []
    this.cursor = ''
  }

  /** What must be written so that the terminal shows `frame`; empty if it does. */
  show(frame: Frame): string {
    const isAll = this.shown.length !== frame.rows.length
    let text = isAll ? '\u001b[0m\u001b[2J' : ''
    for (const [i, row] of frame.rows.entries()) {
      if (isAll ? row === '' : row === this.shown[i]) continue
      text += `${place(i, 0)}${row}${END_ROW}`
    }
    const cursor = place(frame.cursor.row, frame.cursor.column)
    if (text === '' && cursor === this.cursor) return ''
    this.shown = frame.rows
    this.cursor = cursor
    return text === '' ? cursor : `${HIDE_CURSOR}${text}${cursor}${SHOW_CURSOR}`
  }
}

function place(row: number, column: number): string {
  return `\u001b[${row + 1};${column + 1}H`
}
