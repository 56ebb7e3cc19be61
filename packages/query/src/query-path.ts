/** A path as it is written in a query, taken apart. */
export interface QueryPath {
  /** Non-empty components; a UNC server keeps its two backslashes (`\\srv`). */
  readonly components: readonly string[]
  /** A separator stands before the first component (and it is no UNC path). */
  readonly leading: boolean
  readonly trailing: boolean
  /** The path names its place from the start: it begins with a separator, a drive (`C:`) or a UNC server. */
  readonly anchored: boolean
}

/** `/` and `\` both separate components; several in a row count as one. */
export function splitQueryPath(text: string): QueryPath {
  const unc = /^\\\\(?=[^\\/])/.test(text)
  const rest = unc ? text.slice(2) : text
  const components = rest.split(/[\\/]+/).filter(component => component !== '')
  const leading = !unc && /^[\\/]/.test(rest)
  const trailing = /[\\/]$/.test(rest)
  if (unc) components[0] = `\\\\${components[0]}`
  const anchored = leading || unc || /^[a-z]:$/i.test(components[0] ?? '')
  return { components, leading, trailing, anchored }
}

export function hasSeparator(text: string): boolean {
  return /[\\/]/.test(/^\\\\(?=[^\\/])/.test(text) ? text.slice(2) : text)
}
