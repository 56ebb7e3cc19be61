import { type Random, randomOf } from './random.js'

/** What the entries to be searched hold, so that random queries hit some of them. */
export interface QueryVocabulary {
  /** Paths as text; needles, extensions, directories, lengths and depths are taken from them. */
  readonly paths: readonly string[]
  /** Sizes in bytes that occur. */
  readonly sizes: readonly number[]
  /** Times that occur, in seconds since 1970. */
  readonly seconds: readonly number[]
  /** Ids of volumes that occur. */
  readonly volumes: readonly string[]
  /** Times of last opens that occur, in seconds since 1970; none: nothing was ever opened. */
  readonly opened?: readonly number[]
}

/** Every kind of term that `randomQueries` makes, so that a test can ask for each. */
export const QUERY_KINDS = [
  'word',
  'phrase',
  'wildcard',
  'pathTerm',
  'pathWildcard',
  'path',
  'nopath',
  'case',
  'diacritics',
  'wholeName',
  'startwith',
  'endwith',
  'ext',
  'size',
  'time',
  'runs',
  'opened',
  'type',
  'under',
  'parent',
  'length',
  'depth',
  'words',
  'ascii',
  'regex',
  'pathRegex',
  'class',
  'attributes',
  'volume',
  'root',
  'empty',
  'child',
  'childCount',
  'duplicate',
] as const
export type QueryKind = (typeof QUERY_KINDS)[number]

/**
 * A source of random queries (texts that parse) over a vocabulary: single terms of every kind and combinations of up to
 * four with AND, OR, NOT and groups. The same seed gives the same queries. With `kind` every query is one term of that kind.
 */
export function randomQueries(seed: number, vocabulary: QueryVocabulary, kind?: QueryKind): () => string {
  const random = randomOf(seed)
  const one = () => randomTerm(random, vocabulary, kind ?? random.pick(QUERY_KINDS))
  return kind ? one : () => combined(random, one, random.pick([1, 1, 2, 2, 3, 4]))
}

function combined(random: Random, one: () => string, terms: number): string {
  if (terms === 1) return random.chance(0.15) ? `!${one()}` : one()
  const left = 1 + random.below(terms - 1)
  const group = (count: number) => {
    const inner = combined(random, one, count)
    if (count === 1) return inner
    const grouped = random.chance(0.5) ? `<${inner}>` : `(${inner})`
    return random.chance(0.2) ? `!${grouped}` : grouped
  }
  return `${group(left)}${random.pick([' ', ' ', '|', ' | '])}${group(terms - left)}`
}

function randomTerm(random: Random, vocabulary: QueryVocabulary, kind: QueryKind): string {
  const path = random.pick(vocabulary.paths)
  const components = path.split('/')
  const name = components.at(-1)!
  const piece = () => pieceOf(random, name)
  switch (kind) {
    case 'word':
      return quoted(random.chance(0.3) ? swapCase(piece()) : piece())
    case 'phrase':
      return phrase(piece())
    case 'wildcard':
      return quoted(withWildcards(random, name))
    case 'pathTerm':
      return quoted(pathPiece(random, path))
    case 'pathWildcard':
      return quoted(pathWithWildcards(random, components))
    case 'path':
      return `path:${quoted(random.chance(0.2) ? withWildcards(random, name) : pieceOf(random, random.pick(components)))}`
    case 'nopath':
      return `nopath:${quoted(piece())}`
    case 'case':
      return `case:${random.chance(0.3) ? 'diacritics:' : ''}${quoted(
        random.chance(0.2) ? withWildcards(random, name) : random.chance(0.3) ? swapCase(piece()) : piece(),
      )}`
    case 'diacritics':
      return `diacritics:${quoted(random.chance(0.3) ? swapCase(piece()) : piece())}`
    case 'wholeName':
      return `${random.pick(['wfn:', 'wholefilename:'])}${quoted(random.chance(0.2) && path !== '' ? path : name || 'x')}`
    case 'startwith':
      return `startwith:${quoted(
        random.chance(0.2)
          ? path || 'x'
          : characters(name)
              .slice(0, 1 + random.below(6))
              .join('') || 'x',
      )}`
    case 'endwith':
      return `endwith:${quoted(
        characters(name)
          .slice(-1 - random.below(6))
          .join('') || 'x',
      )}`
    case 'ext': {
      const extension = () => /\.([^.]+)$/.exec(random.pick(vocabulary.paths))?.[1]?.replace(/[\\/;*?]/g, '') || 'txt'
      return `ext:${quoted(random.chance(0.3) ? `${extension()};${extension()}` : extension())}`
    }
    case 'size':
      return `size:${randomSize(random, vocabulary)}`
    case 'time':
      return `${random.pick(['dm', 'dm', 'dc', 'da', 'rc'])}:${randomTime(random, vocabulary)}`
    case 'runs':
      return `runcount:${randomBounds(random, random.below(4))}`
    case 'opened':
      return `${random.pick(['dr', 'daterun'])}:${randomTime(random, { ...vocabulary, seconds: openedOf(vocabulary) })}`
    case 'type':
      return random.pick([
        ...['file:', 'folder:', `file:${quoted(piece())}`, `folder:${quoted(piece())}`],
        ...['type:file', 'type:folder', 'type:symlink', 'type:other;folder'],
      ])
    case 'under':
    case 'parent': {
      const directory = components.slice(0, 1 + random.below(Math.max(1, components.length - 1)))
      const tail = random.chance(0.3) ? directory.slice(-1 - random.below(2)) : directory
      return `${kind}:${quoted(tail.join('/') || '/')}`
    }
    case 'length':
      return `len:${randomBounds(random, characters(name).length)}`
    case 'depth':
      return `depth:${randomBounds(random, components.length - 1)}`
    case 'words':
      return `ww:${random.pick(['', '', '', 'case:', 'ascii:', 'path:', 'startwith:', 'endwith:'])}${quoted(
        random.chance(0.2) ? pathPiece(random, path) : wordOf(random, name),
      )}`
    case 'ascii':
      return `ascii:${random.pick(['', '', 'case:', 'diacritics:', 'path:', 'wfn:', 'ext:'])}${quoted(
        random.chance(0.3) ? swapCase(piece()) : piece().replace(/[;/]/g, '') || 'x',
      )}`
    case 'regex':
      return `${random.pick(REGEX_SCOPES)}${phrase(randomRegex(random, name))}`
    case 'pathRegex': {
      const pattern = randomRegex(random, pathPiece(random, path))
      return `${random.pick(['', 'case:', 'ascii:', 'path:'])}regex:${phrase(pattern)}`
    }
    case 'class':
      return random.pick([
        ...[
          'doc:',
          'code:',
          'zip:',
          'pic:',
          'type:image;code',
          'exe:|audio:',
          `doc:${quoted(piece())}`,
          'video:|code:',
        ],
      ])
    case 'attributes':
      return `attrib:${random.pick(['R', 'H', 'rh', 'D', 'A', 'N', 'L', 'V', 'AR', 'ds'])}`
    case 'volume':
      return `volume:${quoted(swapCase(random.pick(vocabulary.volumes)).slice(0, 1 + random.below(4)))}`
    case 'root':
      return random.pick(['root:', 'root:', `root:${quoted(piece())}`])
    case 'empty':
      return random.pick(['empty:', 'empty:', `empty:${quoted(piece())}`, 'folder:empty:'])
    case 'child':
      return `${random.pick(['', '', 'case:', 'ww:', 'regex:', 'wfn:'])}child:${
        random.chance(0.2)
          ? phrase(`${escapedRegex(piece())}.*`)
          : phrase(escapedRegex(name.replaceAll('/', '')) || 'x')
      }`
    case 'childCount':
      return `${random.pick(['childcount', 'childfilecount', 'childfoldercount'])}:${randomBounds(random, random.below(4))}`
    case 'duplicate':
      return random.pick(['dupe:', 'dupe:', 'sizedupe:', `dupe:${quoted(piece())}`, `sizedupe:${quoted(piece())}`])
  }
}

const REGEX_SCOPES = [
  ...['regex:', 'regex:', 'regex:', 'case:regex:', 'diacritics:regex:', 'case:diacritics:regex:', 'ascii:regex:'],
  ...['case:ascii:regex:', 'wfn:regex:', 'ww:regex:', 'nopath:regex:', 'regex:startwith:', 'regex:endwith:'],
]

/** A regular expression that finds something like `text`, if not more. */
function randomRegex(random: Random, text: string): string {
  // A mark by itself may be nothing in a key, and a quantifier behind it would have nothing to repeat.
  const all = characters(random.chance(0.5) ? text : pieceOf(random, text)).filter(unit => !/^\p{M}$/u.test(unit))
  let pattern = ''
  for (let at = 0; at < all.length; at++) {
    const literal = escapedRegex(random.chance(0.1) ? swapCase(all[at]!) : all[at]!)
    const rest = all.slice(at + 1).join('')
    pattern += random.pick([
      ...[literal, literal, literal, literal, literal, literal],
      ...[`${literal}+`, `${literal}?`, `${literal}*`, `${literal}{1,2}`, `${literal}{0,3}`, '.', '.*', '\\pL', '\\W?'],
      `(?:${literal}|${escapedRegex(rest.slice(0, 2)) || 'zz'})`,
      `(${literal}x?|y)`,
      `[${literal}-]`,
      `[^${literal}]`,
    ])
    if (random.chance(0.1)) break
  }
  if (random.chance(0.1)) pattern = `${pattern}|${escapedRegex(pieceOf(random, text))}`
  return `${random.chance(0.2) ? '^' : ''}${random.chance(0.1) ? '(?i)' : ''}${pattern}${random.chance(0.2) ? '$' : ''}`
}

/** What has a meaning in regular expressions is escaped. */
function escapedRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|-]/g, '\\$&')
}

/** A whole word of a name, or a part of one. */
function wordOf(random: Random, name: string): string {
  const words = name.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [name || 'x']
  return random.chance(0.7) ? random.pick(words) : pieceOf(random, name)
}

function phrase(text: string): string {
  return `"${escaped(text)}"`
}

function openedOf({ opened = [], seconds }: QueryVocabulary): readonly number[] {
  return opened.length > 0 ? opened : seconds
}

function randomSize(random: Random, { sizes }: QueryVocabulary): string {
  const size = () => random.pick(sizes)
  switch (random.below(5)) {
    case 0:
      return random.pick(['empty', 'tiny', 'small', 'medium', 'large', 'huge', 'gigantic', 'unknown'])
    case 1:
      return `${random.pick(['<', '<=', '>', '>=', '=', ''])}${size()}`
    case 2:
      return `${random.pick(['<', '>='])}${(size() / 1024).toFixed(1)}kb`
    default: {
      const [low, high] = [size(), size()].sort((a, b) => a - b)
      return random.pick([`${low}..${high}`, `${low}-${high}`, `${low}..`, `..${high}`])
    }
  }
}

function randomTime(random: Random, { seconds }: QueryVocabulary): string {
  const date = () => {
    const iso = new Date(random.pick(seconds) * 1000).toISOString()
    return iso.slice(0, random.pick([4, 7, 10]))
  }
  switch (random.below(4)) {
    case 0:
      return random.pick([
        'today',
        'yesterday',
        'lastweek',
        'thismonth',
        'lastyear',
        'last3days',
        'past18months',
        'march',
        'fri',
        '>=sunday',
        'unknown',
      ])
    case 1: {
      const [low, high] = [date(), date()].sort()
      return `${low}..${high}`
    }
    case 2:
      return `"${new Date(random.pick(seconds) * 1000).toISOString().slice(0, random.pick([16, 19]))}Z"`
    default:
      return `${random.pick(['<', '<=', '>', '>=', '=', ''])}${date()}`
  }
}

function randomBounds(random: Random, near: number): string {
  const other = near + random.below(4)
  return random.pick([`${near}`, `<${other}`, `>=${near}`, `${near}..${other}`, `${near}-${other}`])
}

function characters(text: string): string[] {
  return [...text]
}

function pieceOf(random: Random, text: string): string {
  const all = characters(text)
  const length = 1 + random.below(Math.min(8, Math.max(1, all.length)))
  const from = random.below(Math.max(1, all.length - length + 1))
  return all.slice(from, from + length).join('') || 'x'
}

function pathPiece(random: Random, path: string): string {
  const slash = path.indexOf('/', random.below(Math.max(1, path.length)))
  if (slash < 0) return `${path}/`
  const from = Math.max(0, slash - random.below(10))
  return path.slice(from, slash + 1 + random.below(10))
}

function withWildcards(random: Random, name: string): string {
  const all = characters(name || 'x')
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(all.length)
    if (random.chance(0.5)) all[at] = '?'
    else all.splice(at, 1 + random.below(all.length - at), '*')
  }
  if (random.chance(0.4)) all.push('*')
  return all.some(character => character === '*' || character === '?') ? all.join('') : `${all.join('')}*`
}

function pathWithWildcards(random: Random, components: readonly string[]): string {
  const changed = components.map(component =>
    random.chance(0.4) && component ? withWildcards(random, component) : component,
  )
  const from = random.chance(0.5) ? random.below(changed.length) : 0
  const kept = changed.slice(from)
  if (kept.length > 2 && random.chance(0.4)) kept.splice(1 + random.below(kept.length - 2), 1, '**')
  const text = kept.join('/')
  return text.includes('/') && /[*?]/.test(text) ? text : `**/${text.replace(/^\//, '')}`
}

function swapCase(text: string): string {
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase()
}

function escaped(text: string): string {
  return text.replaceAll('"', '""')
}

/** The text as one word: quoted where the grammar would read it otherwise. */
function quoted(text: string): string {
  return /^[\p{L}\p{N}_./*?-]+$/u.test(text) ? text : `"${escaped(text)}"`
}
