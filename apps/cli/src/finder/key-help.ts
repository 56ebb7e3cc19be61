/** What the keys of the finder do, for people. */
export const FINDER_KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['Enter', 'print the path, record that it was opened, and leave'],
  ['Up, Down, Ctrl-P, Ctrl-N, Page Up, Page Down, Home, End', 'choose another hit'],
  ['Tab, Shift-Tab', 'the next sort: hot, name, path, size, modified, ext'],
  ['Ctrl-R', 'turn hits that forgive mistakes off and on; they are marked with ~'],
  ['Ctrl-O', 'open the hit with xdg-open, and stay'],
  ['Ctrl-Y', 'copy the path with the terminal (OSC 52)'],
  ['Ctrl-A, Ctrl-E, Ctrl-B, Ctrl-F, Ctrl-W, Ctrl-U, Ctrl-K, Alt-B, Alt-F', 'edit the query as in a shell'],
  ['Ctrl-L, Ctrl-Z', 'draw everything again; stop until continued'],
  ['Esc, Ctrl-C', 'leave without a choice: exit code 1, 130'],
]
