import { eastAsianWidth } from 'get-east-asian-width'

/** Takes no cell of its own: marks, format characters, and the vowels and finals that Hangul composes with what is before them. */
const NO_CELL = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u

/** Cells that a character takes in a terminal, as `wcwidth` counts: 0, 1 or 2. */
export function cellsOfCharacter(character: string): number {
  const code = character.codePointAt(0)!
  if (code < 0x300) return 1
  return NO_CELL.test(character) ? 0 : eastAsianWidth(code)
}

/** Cells of a text without controls. */
export function cellsOf(text: string): number {
  let cells = 0
  for (const character of text) cells += cellsOfCharacter(character)
  return cells
}

/** The longest beginning of `text` that has room in `cells`, with the marks of its last character. */
export function beginningOf(text: string, cells: number): string {
  let used = 0
  let end = 0
  for (const character of text) {
    used += cellsOfCharacter(character)
    if (used > cells) break
    end += character.length
  }
  return text.slice(0, end)
}

/** The longest end of `text` that has room in `cells`; it begins with no mark of what is cut off. */
export function endOf(text: string, cells: number): string {
  const characters = [...text]
  let used = 0
  let from = characters.length
  let start = text.length
  let length = 0
  for (let i = characters.length - 1; i >= 0; i--) {
    const width = cellsOfCharacter(characters[i]!)
    used += width
    if (used > cells) break
    length += characters[i]!.length
    if (width > 0) {
      from = i
      start = text.length - length
    }
  }
  return from === characters.length ? '' : text.slice(start)
}
