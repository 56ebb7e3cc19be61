/** Every modifier and function that a query may use, by each of its names. */

export const MODIFIERS = [
  'case',
  'nocase',
  'diacritics',
  'nodiacritics',
  'path',
  'nopath',
  'wholefilename',
  'nowholefilename',
  'wildcards',
  'nowildcards',
  'file',
  'folder',
] as const
export type ModifierName = (typeof MODIFIERS)[number]

export const FUNCTIONS = [
  'ext',
  'size',
  'datemodified',
  'datecreated',
  'dateaccessed',
  'under',
  'parent',
  'startwith',
  'endwith',
  'len',
  'depth',
] as const
export type FunctionName = (typeof FUNCTIONS)[number]

const ALIASES: Readonly<Record<string, ModifierName | FunctionName>> = {
  wfn: 'wholefilename',
  nowfn: 'nowholefilename',
  files: 'file',
  folders: 'folder',
  dm: 'datemodified',
  dc: 'datecreated',
  da: 'dateaccessed',
  infolder: 'parent',
  nosubfolders: 'parent',
  parents: 'depth',
  startswith: 'startwith',
  endswith: 'endwith',
}

/** All names that may stand before a colon, sorted. */
export const KNOWN_NAMES: readonly string[] = [...MODIFIERS, ...FUNCTIONS, ...Object.keys(ALIASES)].sort()

const modifiers: ReadonlySet<string> = new Set(MODIFIERS)
const functions: ReadonlySet<string> = new Set(FUNCTIONS)

/** The full name behind a name as written (in any case), or undefined. */
export function fullName(written: string): ModifierName | FunctionName | undefined {
  const name = written.toLowerCase()
  const full = Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name
  return isModifier(full) || isFunction(full) ? full : undefined
}

export function isModifier(name: string): name is ModifierName {
  return modifiers.has(name)
}

export function isFunction(name: string): name is FunctionName {
  return functions.has(name)
}

const COMPARING: ReadonlySet<FunctionName> = new Set([
  'size',
  'datemodified',
  'datecreated',
  'dateaccessed',
  'len',
  'depth',
] as const)

/** True if the argument may begin with `<`, `<=`, `>` or `>=`, which would otherwise be a group. */
export function takesComparator(name: FunctionName): boolean {
  return COMPARING.has(name)
}
