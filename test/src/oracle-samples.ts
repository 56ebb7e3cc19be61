import { linkSync, lutimesSync, mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { type Random, randomOf } from '@hotpath/query/testing'
import { makeTree } from './tree.js'

/** Parts of names that are hard on somebody: case, marks, other scripts, what the language gives a meaning, no UTF-8. */
const PIECES = [
  ...['a', 'B', 'src', 'Lib', 'node_modules', 'READ', 'readme', 'x-y', 'copy(1)', '100%', "it's", 'say "hi"', '[z]'],
  ...['a!b', 'o\\o', 'tab\there', ' lead', 'trail ', '~', '.hidden', '..', '...', '*', '?', 'a*b', ';', ',', '|', '<>'],
  ...['café', 'cafe\u0301', 'Straße', 'STRASSE', 'ΟΔΟΣ', 'οδος', 'ガ', 'か\u3099', '文書', 'ﬁ', 'İ', 'ı', '🎉', 'é'],
]
/** Bytes that begin names: no UTF-8, and a line end. */
const BYTES = ['\xff', '\xc3', 'caf\xe9', '\xed\xa0\x80', '\xe2\x82', '\xc3\xa9\x80', 'line\nend']
const EXTENSIONS = ['', '', '.txt', '.TXT', '.c', '.tar.gz', '.', '.é', '.json']

/** A name as latin1 bytes that no other call with another `number` gives (but for its case and marks). */
function awkwardName(random: Random, number: number): string {
  const text = Buffer.from(`${random.pick(PIECES)}${number}${random.pick(EXTENSIONS)}`).toString('latin1')
  return random.chance(0.1) ? `${random.pick(BYTES)}${text}` : text
}

/** A date of the last twenty years, half of them of the last two months; sometimes before 1970. */
function randomSeconds(random: Random, nowSeconds: number): number {
  if (random.chance(0.02)) return -random.below(100_000_000)
  return nowSeconds - random.below(random.chance(0.5) ? 60 * 86_400 : 20 * 365 * 86_400)
}

/** A size of any magnitude up to 64 GB. */
function randomSize(random: Random): number {
  return random.chance(0.1) ? 0 : Math.floor(2 ** (random.below(360) / 10))
}

/**
 * Makes a tree of about `count` entries below `root`: half of them as people have them, half with awkward names, deep
 * directories, hard links, sizes and dates of every magnitude.
 */
export function makeAwkwardTree(root: string, count: number, seed: number): void {
  makeTree(root, Math.floor(count / 2), seed)
  const random = randomOf(seed + 1)
  const nowSeconds = Math.floor(Date.now() / 1000)
  const encode = (path: string) => Buffer.from(path, 'latin1')
  const start = Buffer.from(root).toString('latin1')
  const directories = [start]
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (entry.isDirectory()) directories.push(`${start}/${Buffer.from(entry.name).toString('latin1')}`)
  }
  const files: string[] = []
  for (let i = 0; i < Math.ceil(count / 2); i++) {
    // Often the newest directory, so that some lie deep.
    const parent = random.chance(0.3) ? directories.at(-1)! : random.pick(directories)
    const path = `${parent}/${awkwardName(random, i)}`
    if (Buffer.byteLength(path, 'latin1') > 3_000) {
      directories.push(start)
      continue
    }
    const chance = random.below(20)
    if (chance < 3) {
      mkdirSync(encode(path))
      directories.push(path)
    } else if (chance === 3) symlinkSync(encode(awkwardName(random, 0)), encode(path))
    else if (chance === 4 && files.length > 0) linkSync(encode(random.pick(files)), encode(path))
    else {
      writeFileSync(encode(path), '')
      truncateSync(encode(path), randomSize(random))
      files.push(path)
    }
    if (random.chance(0.8)) {
      const seconds = randomSeconds(random, nowSeconds) + random.below(1_000) / 1_000
      lutimesSync(encode(path), seconds, seconds)
    }
  }
}

/**
 * A list of `count` rows in EFU, as latin1: absolute, relative, drive and server paths with awkward names, rows without
 * sizes, dates or attributes, rows that repeat others, and files where there are directories of that name.
 */
export function awkwardList(count: number, seed: number): string {
  const random = randomOf(seed)
  const nowSeconds = Math.floor(Date.now() / 1000)
  const directories = ['', '/srv', 'relative', '.', 'C:', 'd:', '\\\\server\\share']
  const rows = ['Filename,Size,Date Modified,Date Created,Date Accessed,Attributes']
  const written: string[] = []
  const date = () => {
    if (random.chance(0.1)) return random.pick(['', '0'])
    const ticks = random.chance(0.5) ? '0000000' : String(random.below(10_000_000)).padStart(7, '0')
    return `${randomSeconds(random, nowSeconds) + 11_644_473_600}${ticks}`
  }
  const add = (path: string, attributes: string) => {
    const size = random.chance(0.1) ? '' : String(randomSize(random))
    rows.push(`"${path.replaceAll('"', '""')}",${size},${date()},${date()},${date()},${attributes}`)
    written.push(path)
  }
  while (rows.length <= count) {
    if (written.length > 0 && random.chance(0.05)) {
      // A row again, of the same or another kind.
      add(random.pick(written), random.pick(['16', '32', '32']))
      continue
    }
    const directory = random.chance(0.3) ? directories.at(-1)! : random.pick(directories)
    const isWindows = /^(?:[a-zA-Z]:|\\\\)/.test(directory)
    const separator = isWindows && random.chance(0.9) ? '\\' : random.chance(0.02) ? '//' : '/'
    const name = awkwardName(random, random.below(count))
    // A backslash in a Windows name would be a separator.
    const path = `${directory}${separator}${isWindows ? name.replaceAll('\\', '') : name}`.replace('\n', '')
    if (path.length > 1_000) {
      directories.push(random.pick(directories.slice(0, 7)))
      continue
    }
    const chance = random.below(20)
    if (chance < 4) {
      // Some directories are only implied by what lies in them.
      if (random.chance(0.8)) add(path + (random.chance(0.1) ? separator : ''), '16')
      directories.push(path)
    } else add(path, random.pick(['32', '32', '32', '33', '128', '1024', '64']))
  }
  // Only rows that nothing continues and nothing repeats have a kind whatever the order: see docs/formats/efu.md.
  for (let i = 0; i < Math.ceil(count / 100); i++) {
    add(`/unknown kinds/${awkwardName(random, i).replace('\n', '')}`, '')
  }
  return `${rows.join('\r\n')}\r\n`
}
