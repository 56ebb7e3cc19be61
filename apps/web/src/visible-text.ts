/**
 * A file's name as it may be shown: every character that could reorder, hide or break the line is replaced by one
 * visible character, so that indexes (of highlights) stay valid. Control characters become their Unicode pictures
 * (U+2400 …), the rest U+FFFD. The original is what is copied.
 */
export function visibleText(name: string): string {
  return name.replace(UNSAFE, unit => {
    const code = unit.charCodeAt(0)
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return code === 0x7f ? '\u2421' : '\ufffd'
  })
}

/** C0, DEL, C1; soft hyphen; marks, embeddings, overrides and isolates of direction; zero width; line separators; BOM. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
