/** What type of values a column prefers (sqlite.org, "Datatypes In SQLite", 3). */
export type Affinity = 'text' | 'numeric' | 'integer' | 'real' | 'blob'

/** The affinity that SQLite derives from the type that a column was declared with. */
export function affinityOf(declaredType: string): Affinity {
  const type = declaredType.toUpperCase()
  if (type.includes('INT')) return 'integer'
  if (type.includes('CHAR') || type.includes('CLOB') || type.includes('TEXT')) return 'text'
  if (type === '' || type.includes('BLOB')) return 'blob'
  if (type.includes('REAL') || type.includes('FLOA') || type.includes('DOUB')) return 'real'
  return 'numeric'
}
