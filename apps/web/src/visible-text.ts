/**
 * A file's name as it may be shown: every character that could reorder, hide or break the line becomes U+FFFD, one for
 * one, so that indexes (of highlights) stay valid. The original is what is copied.
 */
export function visibleText(name: string): string {
  return name.replace(UNSAFE, '\ufffd')
}

/** C0, DEL, C1; soft hyphen; marks, embeddings, overrides and isolates of direction; zero width; line separators; BOM. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
