/** Says of a table whether it is one of `names`, whatever their capitals, as SQLite reads them (ASCII alone); none: all are. */
export function wantedTables(names: readonly string[]): (table: string) => boolean {
  if (names.length === 0) return () => true
  const folded = new Set(names.map(fold))
  return table => folded.has(fold(table))
}

function fold(name: string): string {
  return name.replace(/[A-Z]/g, letter => letter.toLowerCase())
}
