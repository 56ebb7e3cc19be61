/**
 * Says of a table whether it is one of these names or globs of names (`*`, `?`), whatever their capitals, as SQLite reads them (ASCII alone); none:
 * all are.
 */
export function wantedTables(patterns: readonly string[]): (table: string) => boolean {
  if (patterns.length === 0) return () => true
  const names = new Set<string>()
  const globs: RegExp[] = []
  for (const pattern of patterns.map(fold)) {
    names.add(pattern)
    if (/[*?]/.test(pattern)) globs.push(expressionOf(pattern))
  }
  return table => {
    const folded = fold(table)
    return names.has(folded) || globs.some(glob => glob.test(folded))
  }
}

function expressionOf(glob: string): RegExp {
  const source = Array.from(glob, char =>
    char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[\\^$.+()[\]{}|]/, '\\$&'),
  )
  return new RegExp(`^${source.join('')}$`, 'su')
}

function fold(name: string): string {
  return name.replace(/[A-Z]/g, letter => letter.toLowerCase())
}
