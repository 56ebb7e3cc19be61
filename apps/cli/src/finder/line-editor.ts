/** A line of text with a cursor: an index into its UTF-16 units, never inside of a character. */
export interface EditedLine {
  readonly text: string
  readonly cursor: number
}

/** Bytes that a query may have; what would make it longer is not taken. */
const MAX_LINE_BYTES = 65_536

/** Marks belong to the character before them: the cursor does not stop between. */
const MARK = /^(?:\p{M}|\u200d)/u

export function insert({ text, cursor }: EditedLine, added: string): EditedLine {
  const next = text.slice(0, cursor) + added + text.slice(cursor)
  if (Buffer.byteLength(next) > MAX_LINE_BYTES) return { text, cursor }
  return { text: next, cursor: cursor + added.length }
}

/** What the keys of a line do, as in shells; undefined for a key that does nothing to a line. */
export function edit(line: EditedLine, key: string): EditedLine | undefined {
  return EDITS[key]?.(line)
}

const EDITS: Readonly<Record<string, (line: EditedLine) => EditedLine>> = {
  left: line => ({ ...line, cursor: before(line) }),
  right: line => ({ ...line, cursor: after(line) }),
  'ctrl-b': line => ({ ...line, cursor: before(line) }),
  'ctrl-f': line => ({ ...line, cursor: after(line) }),
  'ctrl-a': line => ({ ...line, cursor: 0 }),
  'ctrl-e': line => ({ ...line, cursor: line.text.length }),
  'ctrl-left': line => ({ ...line, cursor: wordBefore(line) }),
  'ctrl-right': line => ({ ...line, cursor: wordAfter(line) }),
  'alt-b': line => ({ ...line, cursor: wordBefore(line) }),
  'alt-f': line => ({ ...line, cursor: wordAfter(line) }),
  backspace: line => without(line, before(line), line.cursor),
  delete: line => without(line, line.cursor, after(line)),
  'ctrl-d': line => without(line, line.cursor, after(line)),
  'ctrl-w': line => without(line, wordBefore(line), line.cursor),
  'alt-backspace': line => without(line, wordBefore(line), line.cursor),
  'ctrl-u': line => without(line, 0, line.cursor),
  'ctrl-k': line => without(line, line.cursor, line.text.length),
}

function without({ text }: EditedLine, from: number, to: number): EditedLine {
  return { text: text.slice(0, from) + text.slice(to), cursor: from }
}

function before({ text, cursor }: EditedLine): number {
  let at = cursor
  while (at > 0) {
    at -= at > 1 && text.codePointAt(at - 2)! > 0xffff ? 2 : 1
    if (!MARK.test(text.slice(at))) break
  }
  return at
}

function after({ text, cursor }: EditedLine): number {
  let at = cursor
  if (at < text.length) at += text.codePointAt(at)! > 0xffff ? 2 : 1
  while (at < text.length && MARK.test(text.slice(at))) at += text.codePointAt(at)! > 0xffff ? 2 : 1
  return at
}

function wordBefore({ text, cursor }: EditedLine): number {
  return text.slice(0, cursor).replace(/\S+\s*$/u, '').length
}

function wordAfter({ text, cursor }: EditedLine): number {
  return cursor + (/^\s*\S+/u.exec(text.slice(cursor))?.[0].length ?? text.length - cursor)
}
