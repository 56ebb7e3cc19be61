/** Which tables are wanted: names, or globs of names (`*`, `?`), without regard to the case of ASCII letters as SQL has it. None: all. */
export function tableWish(patterns: readonly string[]): (table: string) => boolean {
  if (patterns.length === 0) return () => true
  const expressions = patterns.map(pattern => globExpression(pattern, true))
  return table => expressions.some(expression => expression.test(table))
}

/** A glob of one name as an expression. */
export function globExpression(glob: string, ignoresCase: boolean): RegExp {
  const source = [...glob].map(char => {
    if (char === '*') return '.*'
    if (char === '?') return '.'
    return char.replace(/[\\^$.*+?()[\]{}|]/, '\\$&')
  })
  return new RegExp(`^${source.join('')}$`, ignoresCase ? 'isu' : 'su')
}
