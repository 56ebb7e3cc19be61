/** A name as SQL quotes it. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL quotes it. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
