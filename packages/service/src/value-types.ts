import { homedir, platform } from 'node:os'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/**
 * How one kind of value is read. Checked by hand and not with a schema library: loading zod takes 80–140 ms, and
 * each of five processes would pay that at every start, of a budget of 800 ms for the whole system.
 */
export interface ValueType<T> {
  /** What is expected, for messages: "a number from 1 to 65535". */
  readonly expected: string
  /** Takes text from a flag or a variable. Returns undefined if it is not such a value. */
  fromText(text: string, base: string): T | undefined
  /** Takes a value of a TOML file. Returns undefined if it is not such a value. */
  fromFile(value: unknown, base: string): T | undefined
  /** Writes the value so that `fromText` reads it again. Lists give one text for each item. */
  toTexts(value: T): string[]
  /** What is wrong with a value that is none, where `expected` and the value say too little, or too much. */
  explain?(value: unknown, base: string): string
  /** A list collects all its flags, and all parts of a variable separated like a search path (`:`). */
  readonly list: boolean
  /** A switch has no value on the command line. */
  readonly isSwitch: boolean
  /** All values that there are, where they can be listed. */
  readonly choices?: readonly string[]
}

export function integer(min: number, max: number): ValueType<number> {
  const accept = (value: number) => (Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined)
  return {
    expected: `a whole number from ${min} to ${max}`,
    fromText: text => (/^\d{1,15}$/.test(text) ? accept(Number(text)) : undefined),
    fromFile: value => (typeof value === 'number' ? accept(value) : undefined),
    toTexts: value => [String(value)],
    list: false,
    isSwitch: false,
  }
}

const SWITCH_WORDS = new Map([
  ['1', true],
  ['true', true],
  ['yes', true],
  ['on', true],
  ['0', false],
  ['false', false],
  ['no', false],
  ['off', false],
])

export const onOff: ValueType<boolean> = {
  expected: 'true or false',
  fromText: text => SWITCH_WORDS.get(text.toLowerCase()),
  fromFile: value => (typeof value === 'boolean' ? value : undefined),
  toTexts: value => [String(value)],
  list: false,
  isSwitch: true,
}

export function choice<const T extends string>(...words: readonly T[]): ValueType<T> {
  const find = (value: unknown) => words.find(word => word === value)
  return {
    expected: `one of ${words.join(', ')}`,
    fromText: find,
    fromFile: find,
    toTexts: value => [value],
    list: false,
    isSwitch: false,
    choices: words,
  }
}

/** A relative path is relative to `base`: the working directory, or the directory of the configuration file. */
function absolutePath(text: string, base: string): string | undefined {
  if (text === '' || text.includes('\0')) return undefined
  if (text === '~' || text.startsWith('~/')) return resolve(join(homedir(), text.slice(1)))
  return isAbsolute(text) ? resolve(text) : resolve(base, text)
}

export const path: ValueType<string> = {
  expected: 'a path',
  fromText: absolutePath,
  fromFile: (value, base) => (typeof value === 'string' ? absolutePath(value, base) : undefined),
  toTexts: value => [value],
  list: false,
  isSwitch: false,
}

/** A path, or nothing. */
export const optionalPath: ValueType<string> = {
  ...path,
  expected: 'a path, or nothing',
  fromText: (value, base) => (value === '' ? '' : absolutePath(value, base)),
  fromFile: (value, base) => (value === '' ? '' : path.fromFile(value, base)),
}

const text: ValueType<string> = {
  expected: 'text that is not empty',
  fromText: value => (value === '' || value.includes('\0') ? undefined : value),
  fromFile: value => (typeof value === 'string' && value !== '' && !value.includes('\0') ? value : undefined),
  toTexts: value => [value],
  list: false,
  isSwitch: false,
}

/** `fromText` takes one item, as one flag gives it; `splitVariable` takes a variable apart. */
function listOf(item: ValueType<string>, plural: string): ValueType<readonly string[]> {
  return {
    expected: `a list of ${plural}`,
    fromText(value, base) {
      const one = item.fromText(value, base)
      return one === undefined ? undefined : [one]
    },
    fromFile(value, base) {
      if (!Array.isArray(value)) return undefined
      const items = value.map(one => item.fromFile(one, base))
      return items.every(one => one !== undefined) ? items : undefined
    },
    toTexts: value => [...value],
    list: true,
    isSwitch: false,
  }
}

/** A drive of Windows: `C:`, `C:\`, `\\.\C:`. */
const DRIVE = /^(?:[\\/]{2}[.?][\\/])?([A-Za-z]:)[\\/]?$/

/** On Windows `C:` is the volume here, not the directory where one is on that drive. */
export function volumePath(text: string, base: string, system = platform()): string | undefined {
  const drive = system === 'win32' ? DRIVE.exec(text)?.[1] : undefined
  return drive?.toUpperCase() ?? absolutePath(text, base)
}

const volume: ValueType<string> = {
  ...path,
  fromText: (value, base) => volumePath(value, base),
  fromFile: (value, base) => (typeof value === 'string' ? volumePath(value, base) : undefined),
}

export const paths = listOf(path, 'paths')
export const volumes = listOf(volume, 'paths')
export const globs = listOf(text, 'globs')

/** The items of a list in an environment variable; empty ones are left out, as in `PATH`. */
export function splitVariable(value: string): string[] {
  return value.split(delimiter).filter(item => item !== '')
}
