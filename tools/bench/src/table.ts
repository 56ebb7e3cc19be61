export interface Column {
  readonly title: string
  /** Characters; longer cells are wrapped at spaces, longer words are cut. */
  readonly width: number
  readonly align?: 'left' | 'right'
}

const GAP = '  '

/** Lines of `text` of at most `width` characters; line feeds stay. Never empty. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (let word of paragraph.split(' ')) {
      while (word.length > width) {
        const room = line === '' ? width : width - line.length - 1
        if (room > 0) {
          lines.push(line === '' ? word.slice(0, room) : `${line} ${word.slice(0, room)}`)
          word = word.slice(room)
        } else lines.push(line)
        line = ''
      }
      if (line === '') line = word
      else if (line.length + 1 + word.length <= width) line += ` ${word}`
      else {
        lines.push(line)
        line = word
      }
    }
    lines.push(line)
  }
  return lines
}

/** A table as text, with a line feed at its end. Rows with more than one line are set apart by an empty one. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ width, align }, i) => (align === 'right' ? cells[i]!.padStart(width) : cells[i]!.padEnd(width)))
      .join(GAP)
      .trimEnd()
  const lines = [line(columns.map(({ title }) => title)), columns.map(({ width }) => '-'.repeat(width)).join(GAP)]
  const wrapped = rows.map(row => columns.map(({ width }, i) => wrap(row[i] ?? '', width)))
  const isTall = wrapped.some(cells => cells.some(cell => cell.length > 1))
  for (const [index, cells] of wrapped.entries()) {
    if (index > 0 && isTall) lines.push('')
    const height = Math.max(...cells.map(cell => cell.length))
    for (let i = 0; i < height; i++) lines.push(line(cells.map(cell => cell[i] ?? '')))
  }
  return `${lines.join('\n')}\n`
}
