/** Styles of the finder, as sequences that set them. Without colours the same things are told apart by other means. */
export interface Palette {
  readonly plain: string
  readonly dim: string
  readonly matched: string
  readonly selected: string
  readonly selectedMatched: string
  readonly error: string
  readonly good: string
  readonly warning: string
}

const style = (...codes: number[]) => `\u001b[0;${codes.join(';')}m`

const COLOURS: Palette = {
  plain: '\u001b[0m',
  dim: style(2),
  matched: style(1, 33),
  selected: style(7),
  selectedMatched: style(7, 1, 4),
  error: style(31),
  good: style(32),
  warning: style(33),
}

const NO_COLOURS: Palette = { ...COLOURS, matched: style(1, 4), error: style(1), good: style(0), warning: style(1) }

/** `NO_COLOR` (any value but an empty one) asks for none. */
export function paletteOf(environment: Readonly<Record<string, string | undefined>>): Palette {
  return hasColours(environment) ? COLOURS : NO_COLOURS
}

export function hasColours({ NO_COLOR, TERM }: Readonly<Record<string, string | undefined>>): boolean {
  return (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb'
}
