// Makes the query mix of `npm run bench -- --corpus` from real paths:
//
//     npx turbo run build
//     node tools/bench/make-queries.mjs PATHS.txt > docs/bench-queries.tsv
//
// PATHS.txt is that of make-corpus.sh. The seed is fixed: the same paths give the same file. Plain needles are pieces of the
// names of evenly drawn entries, so a name that a thousand entries have is drawn a thousand times as often, and they are
// called rare, middle or common only afterwards: nothing is drawn for being easy or hard.
import { readFileSync } from 'node:fs'
import { parseQuery } from '@hotpath/query'
import { Random } from '@hotpath/testing'

const SEED = 20_240_501
const QUERIES = 2_400
/** Entries from which needles are drawn. */
const DRAWN_ENTRIES = 50_000
/** Hits are counted in about so many names, evenly spaced: enough to tell the classes apart. */
const COUNTED_NAMES = 1_000_000
/** Hits in COUNTED_NAMES names up to which a needle is rare, and middle. */
const RARE_HITS = 100
const MIDDLE_HITS = 5_000

/** Parts per hundred. `plain` becomes rare, middle and common. */
const SHARES = {
  plain: 50,
  absent: 5,
  short: 5,
  wildcard: 6,
  separator: 8,
  path: 3,
  combined: 7,
  negated: 4,
  extension: 4,
  size: 3,
  date: 3,
  type: 2,
}
/** By heat most often, as people leave it. */
const SORTS = ['hot', 'hot', 'hot', 'hot', 'hot', 'hot', 'name', 'name', 'name', 'name-desc', 'path', 'path']
SORTS.push('modified', 'modified-desc', 'modified-desc', 'size', 'size-desc', 'size-desc', 'ext', 'ext-desc')

const LF = 0x0a
/** What means more than itself in a query, and what must not be in one; such pieces are quoted or drawn again. */
const SPECIAL = /[ !"()*:<>?|\\]/
const UNUSABLE = /["\\\p{Cc}\ufffd]/u

/** Evenly drawn lines (reservoir), all names, and every n-th one, in lower case and ended by line feeds. */
function readPaths(file, random) {
  const bytes = readFileSync(file)
  let lines = 0
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++
  const every = Math.max(1, Math.floor(lines / COUNTED_NAMES))
  const drawn = []
  const names = Buffer.allocUnsafe(bytes.length)
  const counted = []
  let length = 0
  for (let from = 0, line = 0; line < lines; line++) {
    const end = bytes.indexOf(LF, from)
    const place = line < DRAWN_ENTRIES ? line : random.below(line + 1)
    if (place < DRAWN_ENTRIES) drawn[place] = bytes.toString('utf8', from, end)
    const last = bytes[end - 1] === 0x2f ? end - 1 : end
    const start = bytes.lastIndexOf(0x2f, last - 1) + 1
    length += bytes.copy(names, length, Math.max(start, from), last)
    names[length++] = LF
    if (line % every === 0) counted.push(bytes.toString('utf8', Math.max(start, from), last))
    from = end + 1
  }
  const lower = Buffer.from(names.toString('latin1', 0, length).toLowerCase(), 'latin1')
  return { drawn, counted: Buffer.from(`${counted.join('\n').toLowerCase()}\n`), all: lower, lines, every }
}

/** Names that hold the needle; counting stops above `most`. */
function countNames(names, needle, most) {
  let count = 0
  for (let at = names.indexOf(needle); at >= 0 && count <= most; count++) {
    const end = names.indexOf(LF, at)
    at = end < 0 ? -1 : names.indexOf(needle, end)
  }
  return count
}

class Sampler {
  constructor(random, { drawn, counted, all }) {
    this.random = random
    this.drawn = drawn
    this.counted = counted
    this.all = all
  }

  /** A drawn entry: its components, its name in lower case. */
  entry() {
    const path = this.random.pick(this.drawn)
    const components = path.split('/').filter(part => part !== '')
    return { components, name: components.at(-1).toLowerCase(), isDirectory: path.endsWith('/') }
  }

  /** Any piece of `least` to `most` characters of a text. */
  piece(text, least, most) {
    const characters = [...text]
    const length = Math.min(characters.length, least + this.random.below(most - least + 1))
    const start = this.random.below(characters.length - length + 1)
    return characters.slice(start, start + length).join('')
  }

  token(text) {
    const words = text.split(/[^\p{L}\p{N}]+/u).filter(word => word !== '')
    return words.length === 0 ? text : this.random.pick(words)
  }

  /** What a person types of one name: a piece from anywhere, a word, or the beginning of a word, each as often. */
  plain() {
    const { name } = this.entry()
    switch (this.random.below(3)) {
      case 0:
        return this.piece(name, 3, 10)
      case 1:
        return this.token(name)
      default: {
        const word = [...this.token(name)]
        return word.slice(0, Math.max(Math.min(3, word.length), this.random.below(word.length + 1))).join('')
      }
    }
  }

  /** In no name: two real pieces together, so that their grams exist, or letters that nobody types. */
  absent() {
    const { random } = this
    for (;;) {
      const needle = random.chance(0.75)
        ? this.piece(this.entry().name, 3, 5) + this.piece(this.entry().name, 3, 5)
        : Array.from({ length: 8 }, () => random.pick([...'abcdefghijklmnopqrstuvwxyz'])).join('')
      if (countNames(this.all, Buffer.from(needle), 0) === 0) return needle
    }
  }

  wildcard() {
    const { random } = this
    const { name } = this.entry()
    const dot = name.lastIndexOf('.')
    const ending = dot > 0 ? name.slice(dot) : ''
    const quoted = text => this.plainText(text)
    switch (random.below(5)) {
      case 0:
        return ending ? `*${quoted(ending)}` : `*${quoted(this.piece(name, 3, 6))}`
      case 1:
        return `${quoted(this.piece(name.slice(0, 8), 2, 8))}*`
      case 2:
        return `*${quoted(this.token(name))}*${quoted(ending)}`
      case 3: {
        const characters = [...name]
        characters[random.below(characters.length)] = '?'
        return characters.map(character => (character === '?' ? character : quoted(character))).join('')
      }
      default:
        return `${quoted(name.slice(0, 3))}*${quoted(this.piece(name, 2, 4))}*`
    }
  }

  /** A piece without what means something: for places where quotes would not do. */
  plainText(text) {
    return text.replaceAll(/[ !"()*:<>?|\\]/g, '') || 'a'
  }

  separator() {
    const { random } = this
    for (;;) {
      const { components } = this.entry()
      if (components.length < 3) continue
      const at = 1 + random.below(components.length - 1)
      const [above, below] = [components[at - 1], components[at]].map(part => part.toLowerCase())
      switch (random.below(4)) {
        case 0:
          return `${above}/${below}`
        case 1:
          return `${above}/${this.piece(below, 1, 6)}`
        case 2:
          return `/${above}/`
        default:
          return `${this.piece(above, 2, 8)}/${this.piece(below, 1, 4)}`.replace(/^(.*)\/.*?(.)$/u, '$1/$2')
      }
    }
  }

  /** Two or three terms: pieces of one name, or of the names of two entries. */
  combined() {
    const one = this.entry()
    const other = this.random.chance(0.5) ? one : this.entry()
    const terms = [this.token(one.name), this.piece(other.name, 2, 6)]
    if (this.random.chance(0.3)) terms.push(this.token(other.name))
    return terms.map(quote).join(' ')
  }

  extensionOf() {
    for (;;) {
      const { name } = this.entry()
      const extension = /[^.]\.([a-z0-9_+-]{1,8})$/.exec(name)?.[1]
      if (extension) return extension
    }
  }

  /** A term, or none in one of three. */
  orNothing() {
    return this.random.below(3) === 0 ? '' : ` ${quote(this.plain())}`
  }

  size() {
    const { random } = this
    const bytes = () => Math.floor(2 ** (4 + random.below(2_200) / 100))
    const [low, high] = [bytes(), bytes()].sort((a, b) => a - b)
    const filter = random.pick([`size:>${low}`, `size:<=${high}`, `size:${low}..${high}`, `size:>${low >> 10}kb`])
    return `${random.chance(0.1) ? `size:${random.pick(['empty', 'tiny', 'large'])}` : filter}${this.orNothing()}`
  }

  date() {
    const { random } = this
    const year = 2004 + random.below(20)
    const month = () => String(1 + random.below(12)).padStart(2, '0')
    const forms = [`dm:${year}`, `dm:${year}-${month()}`, `dm:>=${year}`, `dm:<${year}-${month()}`]
    forms.push(`dm:${year}-${month()}..${year + 1}-${month()}`)
    return `${random.pick(forms)}${this.orNothing()}`
  }

  text(kind) {
    const { random } = this
    switch (kind) {
      case 'plain':
        return quote(this.plain())
      case 'absent':
        return quote(this.absent())
      case 'short':
        return quote(this.piece(this.entry().name, 1, 2))
      case 'wildcard':
        return this.wildcard()
      case 'separator':
        return quote(this.separator())
      case 'path':
        return `path:${quote(this.token(random.pick(this.entry().components).toLowerCase()))}`
      case 'combined':
        return this.combined()
      case 'negated':
        return `${quote(this.plain())} !${quote(this.plain())}`
      case 'extension': {
        const extensions = Array.from({ length: random.chance(0.2) ? 3 : 1 }, () => this.extensionOf())
        return `ext:${[...new Set(extensions)].join(';')}${this.orNothing()}`
      }
      case 'size':
        return this.size()
      case 'date':
        return this.date()
      default:
        return `${random.pick(['file', 'folder'])}:${quote(this.plain())}`
    }
  }

  /** A plain needle by its hits. */
  classOf(needle) {
    const hits = countNames(this.counted, Buffer.from(needle), MIDDLE_HITS)
    return hits <= RARE_HITS ? 'rare' : hits <= MIDDLE_HITS ? 'middle' : 'common'
  }
}

function quote(text) {
  return SPECIAL.test(text) ? `"${text}"` : text
}

function makeQueries(file) {
  const random = new Random(SEED)
  const paths = readPaths(file, random)
  const sampler = new Sampler(random, paths)
  const queries = []
  const taken = new Set()
  for (const [kind, share] of Object.entries(SHARES)) {
    for (let left = (QUERIES * share) / 100; left > 0; ) {
      const text = sampler.text(kind)
      // A piece of one or two characters is a short one.
      if (kind === 'plain' && [...text].length < 3) continue
      if (
        UNUSABLE.test(text.replaceAll('"', '')) ||
        text.trim() !== text ||
        parseQuery(text, { now: 0 }).kind !== 'query'
      )
        continue
      // What is drawn again comes again, in another order: leaving it out would make frequent terms rare in the mix.
      const sort = random.pick(SORTS)
      const key = `${text}\t${sort}`
      if (taken.has(key)) continue
      taken.add(key)
      const group = kind === 'plain' ? sampler.classOf(text.replaceAll('"', '')) : kind
      queries.push({ group, text, sort })
      left--
    }
  }
  // Mixed, so that no kind has the caches of the processor for itself.
  for (let i = queries.length - 1; i > 0; i--) {
    const other = random.below(i + 1)
    ;[queries[i], queries[other]] = [queries[other], queries[i]]
  }
  return { queries, paths }
}

const [file] = process.argv.slice(2)
if (file === undefined) {
  process.stderr.write('usage: node tools/bench/make-queries.mjs PATHS.txt > docs/bench-queries.tsv\n')
  process.exit(64)
}
const { queries, paths } = makeQueries(file)
const counts = new Map()
for (const { group } of queries) counts.set(group, (counts.get(group) ?? 0) + 1)
const shares = [...counts]
  .sort(([, a], [, b]) => b - a)
  .map(([group, count]) => `${group} ${((count * 100) / queries.length).toFixed(1)} %`)
const head = [
  `The query mix of \`npm run bench\`: class, query, sort. ${queries.length} queries over real paths of Debian packages.`,
  `Made by tools/bench/make-queries.mjs (seed ${SEED}) from ${paths.lines} paths. Shares: ${shares.join(', ')}.`,
  'Plain terms are pieces (a third each: from anywhere, words, beginnings of words) of the names of evenly drawn entries.',
  `rare: up to ${RARE_HITS} hits in ${COUNTED_NAMES} entries (every ${paths.every}th was counted), middle: up to ${MIDDLE_HITS}, common: more;`,
  'absent: in no name; short: one or two characters; a third of the extensions, sizes and dates stands without a term.',
]
process.stdout.write(head.map(line => `# ${line}\n`).join(''))
process.stdout.write(queries.map(({ group, text, sort }) => `${group}\t${text}\t${sort}\n`).join(''))
