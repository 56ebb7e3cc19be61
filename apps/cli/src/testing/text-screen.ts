import { cellsOfCharacter } from '../finder/text-width.js'

/**
 * A terminal that knows what a finder writes: places, erasing, styles and modes. Anything else throws: a sequence that nobody meant to
 * write must not go unnoticed.
 */
export class TextScreen {
  private cells: string[][]
  cursor = { row: 0, column: 0 }
  /** Modes that are on, `?1049` and the like. */
  readonly modes = new Set<string>(['?7', '?25'])
  /** Texts of OSC sequences. */
  readonly commands: string[] = []
  private rest = ''
  /** Until then, what is written may be meant for the size that the terminal had before. */
  private isCleared = false

  constructor(
    private readonly columns: number,
    private readonly height: number,
  ) {
    this.cells = this.blank()
  }

  /** Rows as text, without spaces at their ends. */
  get rows(): string[] {
    return this.cells.map(row => row.join('').trimEnd())
  }

  write(text: string): void {
    const input = this.rest + text
    this.rest = ''
    for (let at = 0; at < input.length; ) {
      const part = input.slice(at)
      const sequence = /^\u001b\[([?0-9;]*)([A-Za-z])/.exec(part)
      const command = /^\u001b\]([^\u0007]*)\u0007/.exec(part)
      if (sequence !== null) this.obey(sequence[1]!, sequence[2]!)
      else if (command !== null) this.commands.push(command[1]!)
      else if (part.startsWith('\u001b') && part.length < 8_192 && !/^\u001b[^[\]]/.test(part)) {
        this.rest = part
        return
      } else {
        const character = String.fromCodePoint(part.codePointAt(0)!)
        this.put(character)
        at += character.length
        continue
      }
      at += (sequence ?? command)![0].length
    }
  }

  private obey(parameters: string, final: string): void {
    const numbers = parameters.split(';').map(Number)
    if (final === 'H') this.cursor = { row: (numbers[0] || 1) - 1, column: (numbers[1] || 1) - 1 }
    else if (final === 'J' && parameters === '2') {
      this.cells = this.blank()
      this.isCleared = true
    } else if (final === 'K' && parameters === '') this.cells[this.cursor.row]?.fill(' ', this.cursor.column)
    else if (final === 'h') this.modes.add(parameters)
    else if (final === 'l') this.modes.delete(parameters)
    else if (final !== 'm') throw new Error(`a sequence that nobody knows: ${JSON.stringify(parameters + final)}`)
  }

  private put(character: string): void {
    if (character === '\r') this.cursor.column = 0
    else if (character === '\n') this.cursor.row++
    else {
      if (/[\u0000-\u001f\u007f-\u009f]/.test(character)) throw new Error(`a control: ${JSON.stringify(character)}`)
      const { row, column } = this.cursor
      const width = cellsOfCharacter(character)
      const line = this.cells[row]
      if (line === undefined || column + width > this.columns) {
        if (!this.isCleared) return
        throw new Error(`beyond the edge at ${row}, ${column}`)
      }
      if (width === 0) line[column - 1] += character
      else {
        line[column] = character
        if (width === 2) line[column + 1] = ''
      }
      this.cursor.column += width
    }
  }

  private blank(): string[][] {
    return Array.from({ length: this.height }, () => Array.from({ length: this.columns }, () => ' '))
  }
}
